package chart

import (
	"bytes"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/engine/policyfile"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is printed as what is expected")

func chartOf(t *testing.T, policy, day string, stages ...string) *engine.Chart {
	t.Helper()
	p, problems := policyfile.Load(policy)
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	at, err := time.ParseInLocation(time.DateOnly, day, p.Location)
	if err != nil {
		t.Fatal(err)
	}
	c, err := engine.NewChart(p, at, stages)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The charts of the notices: nekonet's, and ASAHI Net's on the day of its notice
// and as it will be.
func TestChartsAreWhatCustomersRead(t *testing.T) {
	t.Parallel()
	charts := map[string]*engine.Chart{
		"nekonet":             chartOf(t, "nekonet", "2007-01-01"),
		"asahi-net":           chartOf(t, "asahi-net", "2007-05-01"),
		"asahi-net-all":       chartOf(t, "asahi-net", "2007-07-01", "all"),
		"technowave-itkeeper": chartOf(t, "technowave-itkeeper", "2007-07-01"),
		"asama-internet":      chartOf(t, "asama-internet", "2007-10-05"),
		"alato-internet":      chartOf(t, "alato-internet", "2007-01-01"),
	}
	formats := map[string]func(io.Writer, *engine.Chart, string) error{".txt": Text, ".html": HTML}
	for name, c := range charts {
		for _, lang := range Languages() {
			for ending, write := range formats {
				file := name + "-" + lang + ending
				t.Run(file, func(t *testing.T) {
					t.Parallel()
					var b bytes.Buffer
					if err := write(&b, c, lang); err != nil {
						t.Fatal(err)
					}
					golden(t, file, b.String())
				})
			}
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got\n%s", name, diff)
	}
}

var (
	id   = regexp.MustCompile(` id="([^"]+)"`)
	link = regexp.MustCompile(`(?:href="#|aria-labelledby=")([^"]+)"`)
)

// A page is well-formed, has a language and one main heading, wants no script,
// and every link and label leads somewhere.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	for _, policy := range policyfile.Shipped() {
		for _, lang := range Languages() {
			var b bytes.Buffer
			if err := HTML(&b, chartOf(t, policy, "2007-01-01"), lang); err != nil {
				t.Fatal(err)
			}
			text := b.String()
			wellFormed(t, text)
			ids := map[string]bool{}
			for _, m := range id.FindAllStringSubmatch(text, -1) {
				if ids[m[1]] {
					t.Errorf("%s %s: id %s stands twice", policy, lang, m[1])
				}
				ids[m[1]] = true
			}
			for _, m := range link.FindAllStringSubmatch(text, -1) {
				if !ids[m[1]] {
					t.Errorf("%s %s: nothing has the id %s", policy, lang, m[1])
				}
			}
			for want, n := range map[string]int{`<html lang="` + lang + `">`: 1, "<h1>": 1, "<title>": 1, "<main>": 1, "<script": 0, " src=": 0, "http": 0} {
				if got := strings.Count(text, want); got != n {
					t.Errorf("%s %s: %s stands %d times, want %d", policy, lang, want, got, n)
				}
			}
		}
	}
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
}

// Whatever a policy asks for has words, in both languages.
func TestEveryQuestionHasWords(t *testing.T) {
	t.Parallel()
	src := `policy: every
timezone: Asia/Tokyo
logins: [{match: "{account}@{realm}", form: plain}, {match: "f.{account}", form: bare}]
courses: {adsl: {name: ADSL}}
actions: {open: {}, slow: {filter: slow}}
rules:
  - name: a
    when:
      course: adsl
      form: plain
      realm: isp.example
      address: fixed
      option: gold
      segment: personal
      status: closed
      area: tokyo
      nas: bras1
      request: {NAS-Port-Type: ISDN, Framed-Protocol: PPP}
    then: slow
otherwise: open
unknown-contract: open
`
	p, problems := policyfile.Parse("every", []byte(src))
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	c, err := engine.NewChart(p, time.Date(2007, 1, 1, 0, 0, 0, 0, time.UTC), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range Languages() {
		var b bytes.Buffer
		if err := Text(&b, c, lang); err != nil {
			t.Fatal(err)
		}
		golden(t, "every-"+lang+".txt", b.String())
		if strings.Contains(b.String(), "%!") {
			t.Errorf("%s: a format has the wrong number of words", lang)
		}
	}
}

// A policy that treats all alike asks only how mail is sent.
func TestChartWithoutQuestions(t *testing.T) {
	t.Parallel()
	src := "policy: plain\ntimezone: Asia/Tokyo\nlogins: [{match: \"{account}\", form: plain}]\ncourses: {a: {name: A}}\nactions: {open: {}, block: {filter: f}}\nrules: []\notherwise: block\nunknown-contract: open\n"
	p, problems := policyfile.Parse("plain", []byte(src))
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	c, err := engine.NewChart(p, time.Time{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Text(&b, c, "en"); err != nil || !strings.Contains(b.String(), "-> Result A: you are affected\n\nResult A: you are affected\n") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestMarksGoOnBehindZ(t *testing.T) {
	t.Parallel()
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "A1", 77: "Z2"} {
		if got := mark(i); got != want {
			t.Errorf("%d: got %s, want %s", i, got, want)
		}
	}
}
