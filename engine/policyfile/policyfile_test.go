package policyfile

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestShippedPoliciesLoadWithoutAWord(t *testing.T) {
	t.Parallel()
	if want := []string{"alato-internet", "asahi-net", "asama-internet", "nekonet", "technowave-itkeeper"}; !slices.Equal(Shipped(), want) {
		t.Errorf("Shipped: %q, want %q", Shipped(), want)
	}
	for _, name := range Shipped() {
		p, problems := Load(name)
		if p == nil || len(problems) > 0 {
			t.Errorf("%s:\n%v", name, problems)
			continue
		}
		var actions []string
		for _, a := range p.Actions {
			actions = append(actions, a.Name)
		}
		if p.Name != name || !slices.Equal(actions, []string{"open", "limit", "block", "block-all"}) {
			t.Errorf("%s calls itself %s, with actions %q", name, p.Name, actions)
		}
	}
}

func TestShippedPoliciesDoWhatTheirNoticesSay(t *testing.T) {
	t.Parallel()
	for _, name := range Shipped() {
		results, problems := RunTestFile(name)
		if problems.Err() != nil || len(results) < 9 {
			t.Errorf("%s: %d tests, %v", name, len(results), problems)
		}
		for _, r := range results {
			for _, f := range r.Failures {
				t.Errorf("%s:%d: %s: %s\n%v", r.File, r.Line, r.Name, f, r.Decision.Trace)
			}
		}
	}
}

// A subscriber who is refused something is told why and what to do, in both languages.
func TestShippedRulesExplainThemselvesInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, name := range Shipped() {
		p := shipped(t, name)
		for _, r := range p.Rules {
			if r.Because.JA == "" || r.Because.EN == "" || (r.Then == "open") != (len(r.Remedies) == 0) {
				t.Errorf("%s: rule %s: because %+v, remedies %q", name, r.Name, r.Because, r.Remedies)
			}
		}
		for _, r := range p.Remedies {
			if r.Text.JA == "" || r.Text.EN == "" {
				t.Errorf("%s: remedy %s: %+v", name, r.Name, r.Text)
			}
		}
	}
}

func TestLoadSaysWhatItCannotFind(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, want string }{
		{"mynet", `mynet:1:1: no policy of this name ships with sekisho, known: alato-internet, asahi-net, asama-internet, nekonet, technowave-itkeeper; for a file of yours write its path, ./mynet.yaml`},
		{"asahi-ent", `asahi-ent:1:1: no policy of this name ships with sekisho, did you mean "asahi-net"?; for a file of yours write its path, ./asahi-ent.yaml`},
		{"asahi-net.test", `asahi-net.test:1:1: no policy of this name ships with sekisho, known: alato-internet, asahi-net, asama-internet, nekonet, technowave-itkeeper; for a file of yours write its path, ./asahi-net.test.yaml`},
		{"asahi-net.yaml", `asahi-net.yaml:1:1: reading the policy: open asahi-net.yaml: no such file or directory`},
		{"./asahi-net", `./asahi-net:1:1: reading the policy: open ./asahi-net: no such file or directory`},
	}
	for _, tt := range tests {
		p, problems := Load(tt.name)
		if p != nil || problems.Err() == nil || problems.Error() != tt.want {
			t.Errorf("%s: %v, %v", tt.name, p, problems)
		}
	}
}

// The schema for editors takes every policy that ships, and refuses what Parse refuses for its form.
func TestSchemaAgreesWithParse(t *testing.T) {
	t.Parallel()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	schema := c.MustCompile("policy.json")
	for _, name := range Shipped() {
		src, _ := Source(name)
		if err := schema.Validate(asJSON(t, src)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, file := range []string{"full.good.yaml", "names.bad.yaml", "missing.bad.yaml", "dates.bad.yaml"} {
		src, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(asJSON(t, src)); (err == nil) != strings.Contains(file, ".good.") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func asJSON(t *testing.T, src []byte) any {
	t.Helper()
	text, err := yaml.YAMLToJSON(src)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		if src, err := os.ReadFile(file); err == nil {
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		p, problems := Parse("f", src)
		if (p == nil) != (problems.Err() != nil) {
			t.Errorf("policy %v, %v", p, problems)
		}
	})
}
