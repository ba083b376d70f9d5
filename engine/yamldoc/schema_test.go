package yamldoc

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The schema for editors and the check must not drift apart: what one refuses, so does the other.
func TestSchemaAgreesWithDecode(t *testing.T) {
	t.Parallel()
	schema := compile(t)
	for name, tt := range map[string]struct {
		src string
		ok  bool
	}{
		"good":               {goodSite, true},
		"unknown key":        {"listen: x\nbogus: 1\n", false},
		"missing key":        {"port: 1\n", false},
		"missing nested key": {"listen: x\nnas: {a: {secret: s}}\n", false},
		"list wanted":        {"listen: x\nrules: abc\n", false},
		"string wanted":      {"listen: 5\n", false},
		"enum":               {"listen: x\nmode: dorp\n", false},
		"bounds":             {"listen: x\nport: 70000\n", false},
		"one or many":        {"listen: x\nrules: [{name: a, when: {not: {course: {b: c}}}}]\n", false},
		"union":              {"listen: x\nstart: [1]\n", false},
		"union as scalar":    {"listen: x\nstart: 5s\n", true},
		"in an ordered map":  {"listen: x\nactions: {open: {alow: []}}\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, problems := Decode[site]("s", []byte(tt.src))
			err := schema.Validate(asJSON(t, tt.src))
			if (err == nil) != tt.ok || (problems.Err() == nil) != tt.ok {
				t.Errorf("want ok %v; schema: %v; check: %v", tt.ok, err, problems.Err())
			}
		})
	}
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema[site]("https://sekisho.example/site.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("https://sekisho.example/site.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("https://sekisho.example/site.json")
}

func asJSON(t *testing.T, src string) any {
	t.Helper()
	text, err := yaml.YAMLToJSON([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
