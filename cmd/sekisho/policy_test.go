package main

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sekisho/engine/policyfile"
)

// wrongTests has one test that fails and one that passes.
const wrongTests = `policy: nekonet
tests:
  - {name: right, user: u@nekonet.example, contract: {course: Bフレッツ}, at: 2007-01-01, want: {action: block, rule: op25b}}
  - {name: wrong, user: u@nekonet.example, contract: {course: Bフレッツ, address: fixed}, at: 2007-01-01, want: {action: block, rule: op25b, until: 2008-01-01}}
`

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPolicyTestTellsWhatWasExpected(t *testing.T) {
	file := writeFile(t, "wrong.test.yaml", wrongTests)
	broken := writeFile(t, "broken.test.yaml", "policy: nekonett\ntests:\n  - {name: x, user: u@nekonet.example, at: 2007-01-01, want: {action: open, rule: otherwise}}\n")
	report := filepath.Join(t.TempDir(), "report.xml")
	r := sekisho(t, "", "policy", "test", "alato-internet", file, broken, "-v", "--junit", report)
	if r.code != exitFailed || r.stderr != "sekisho: policy tests failed\n" {
		t.Errorf("code %d, stderr %q", r.code, r.stderr)
	}
	at := strings.Index(r.stdout, "alato-internet: ")
	golden(t, "policy-test.txt", strings.NewReplacer(filepath.Dir(file), "DIR", filepath.Dir(broken), "DIR").Replace(r.stdout[at:]))
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(text, &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Failures != 1 || suites.Errors != 1 || len(suites.Suites) != 3 || suites.Suites[1].Cases[1].Failure == nil || suites.Suites[2].Cases[0].Error == nil {
		t.Errorf("got %s", text)
	}
	if c := suites.Suites[1].Cases[1]; c.Name != "wrong" || c.Line != 4 || !strings.Contains(c.Failure.Text, "fixed-ip: won: open") {
		t.Errorf("got %+v", c)
	}
}

func TestPolicyTestPassesForAllThatShips(t *testing.T) {
	r := sekisho(t, "", append([]string{"policy", "test"}, policyfile.Shipped()...)...)
	if r.code != exitOK || strings.Count(r.stdout, ", 0 failed\n") != 5 || strings.Count(r.stdout, "\n") != 5 {
		t.Errorf("code %d, %s%s", r.code, r.stdout, r.stderr)
	}
}

func TestPolicyTestReportsWhereItCannotWrite(t *testing.T) {
	r := sekisho(t, "", "policy", "test", "nekonet", "--junit", filepath.Join(t.TempDir(), "gone", "report.xml"))
	if r.code != exitFailed || !strings.Contains(r.stderr, "writing the JUnit file") {
		t.Errorf("code %d, stderr %q", r.code, r.stderr)
	}
}

func TestPolicyCheckSaysAllThatIsWrong(t *testing.T) {
	r := sekisho(t, "", "policy", "check", "../../engine/policyfile/testdata/names.bad.yaml")
	if r.code != exitFailed || r.stdout != "" || strings.Count(r.stderr, "\n") != 17 {
		t.Errorf("code %d, stdout %q, stderr %q", r.code, r.stdout, r.stderr)
	}
	r = sekisho(t, "", "policy", "check", "asahi-net")
	if r.code != exitOK || r.stderr != "" || r.stdout != "asahi-net: ok, policy asahi-net, 30 courses, 6 rules\n" {
		t.Errorf("code %d, stdout %q, stderr %q", r.code, r.stdout, r.stderr)
	}
}

func TestPolicyCheckNamesRulesThatAreOver(t *testing.T) {
	src, _ := policyfile.Source("nekonet")
	file := writeFile(t, "mine.yaml", strings.Replace(string(src), "    from: 2007-01-01\n", "    from: 2007-01-01\n    until: 2008-01-01\n", 1))
	r := sekisho(t, "", "policy", "check", file)
	if want := file + ": warning: rules[op25b]: has ended: it decides nothing any more\n"; r.code != exitOK || r.stderr != want {
		t.Errorf("code %d, stderr %q, want %q", r.code, r.stderr, want)
	}
}

func TestPolicyShow(t *testing.T) {
	src, _ := policyfile.Source("nekonet")
	tests, _ := policyfile.TestSource("nekonet")
	for _, tt := range []struct {
		name string
		args []string
		want string // beginning of stdout
	}{
		{"the list", nil, "alato-internet\nasahi-net\n"},
		{"a policy", []string{"nekonet"}, string(src)},
		{"its tests", []string{"nekonet", "--tests"}, string(tests)},
		{"the schema", []string{"--schema"}, "{\n  \"$schema\""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := sekisho(t, "", append([]string{"policy", "show"}, tt.args...)...)
			if r.code != exitOK || !strings.HasPrefix(r.stdout, tt.want) {
				t.Errorf("code %d, stdout %.200s, stderr %s", r.code, r.stdout, r.stderr)
			}
		})
	}
	r := sekisho(t, "", "policy", "show", "asahinet")
	if r.code != exitNotFound || !strings.Contains(r.stderr, `did you mean "asahi-net"?`) {
		t.Errorf("code %d, stderr %q", r.code, r.stderr)
	}
}

// What comes out, the goldens of package chart hold; here is that the flags arrive.
func TestPolicyChart(t *testing.T) {
	text := sekisho(t, "", "policy", "chart", "asahi-net", "--lang", "ja", "--at", "2007-07-01", "--stage", "all")
	want, err := os.ReadFile("../internal/chart/testdata/asahi-net-all-ja.txt")
	if err != nil {
		t.Fatal(err)
	}
	if text.code != exitOK || text.stdout != string(want) {
		t.Errorf("code %d, stderr %q, got\n%s", text.code, text.stderr, text.stdout)
	}
	page := sekisho(t, "", "policy", "chart", "asahi-net", "--html", "-", "--at", "2007-07-01")
	file := filepath.Join(t.TempDir(), "chart.html")
	if r := sekisho(t, "", "policy", "chart", "asahi-net", "--html", file, "--at", "2007-07-01"); r.code != exitOK || r.stdout != "" {
		t.Errorf("code %d, %+v", r.code, r)
	}
	written, err := os.ReadFile(file)
	if err != nil || string(written) != page.stdout || !strings.HasPrefix(page.stdout, "<!DOCTYPE html>\n<html lang=\"en\">") {
		t.Errorf("%v, got %.100s", err, page.stdout)
	}
}

func TestPolicyVerbsRefuse(t *testing.T) {
	huge := "policy: huge\ntimezone: Asia/Tokyo\nlogins: [{match: \"{account}\", form: plain}]\ncourses: {a: {name: A}}\nactions: {open: {}, block: {filter: f}}\notherwise: open\nunknown-contract: open\nrules:\n"
	for _, option := range strings.Fields("a b c d e f g h i j k l m n o p q") {
		huge += "  - {name: " + option + ", when: {option: " + option + "}, from: planned, then: block}\n"
	}
	tooMuch := writeFile(t, "huge.yaml", huge)
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"test without a file", []string{"policy", "test"}, exitUsage, "expected FILE|NAME…, got none"},
		{"check without a file", []string{"policy", "check"}, exitUsage, "expected FILE|NAME, got none"},
		{"show of two", []string{"policy", "show", "a", "b"}, exitUsage, "expected [NAME], got 2"},
		{"chart without a policy", []string{"policy", "chart"}, exitUsage, "expected FILE|NAME, got none"},
		{"chart in another language", []string{"policy", "chart", "nekonet", "--lang", "fr"}, exitUsage, "--lang: expected en or ja"},
		{"chart at no time", []string{"policy", "chart", "nekonet", "--at", "soon"}, exitUsage, "--at: expected a time"},
		{"chart of nothing", []string{"policy", "chart", "gone.yaml"}, exitFailed, "gone.yaml"},
		{"chart where it cannot be written", []string{"policy", "chart", "nekonet", "--html", "/gone/chart.html"}, exitFailed, "writing the chart"},
		{"chart of too many questions", []string{"policy", "chart", tooMuch}, exitFailed, "kinds of sessions"},
		{"calendar of too many kinds", []string{"calendar", "--policy", tooMuch}, exitFailed, "kinds of sessions"},
		{"calendar in another format", []string{"calendar", "--policy", "nekonet", "-o", "xml"}, exitUsage, "--output: expected table, json, csv or ndjson"},
		{"calendar in another language", []string{"calendar", "--policy", "nekonet", "--lang", "fr"}, exitUsage, "--lang: expected en or ja"},
		{"calendar of nothing", []string{"calendar", "--policy", "gone.yaml"}, exitFailed, "gone.yaml"},
		{"calendar without a daemon", []string{"calendar", "--socket", "/gone/s"}, exitUnreachable, "is the daemon running?"},
		{"impact of nothing", []string{"impact"}, exitUsage, "expected --at, --policy or --stage"},
		{"impact with an argument", []string{"impact", "x", "--stage", "all"}, exitUsage, "expected no argument"},
		{"impact in another format", []string{"impact", "--stage", "all", "-o", "xml"}, exitUsage, "--output: expected"},
		{"impact of a policy with errors", []string{"impact", "--policy", "../../engine/policyfile/testdata/names.bad.yaml"}, exitFailed, "names.bad.yaml:5:13"},
		{"impact of no policy", []string{"impact", "--policy", "gone.yaml"}, exitFailed, "gone.yaml"},
		{"impact without a daemon", []string{"impact", "--stage", "all", "--socket", "/gone/s"}, exitUnreachable, "is the daemon running?"},
		{"a budget that is no number", []string{"impact", "--stage", "all", "--budget", "few"}, exitUsage, "--budget: expected a number"},
		{"a budget below nothing", []string{"impact", "--stage", "all", "--budget", "-1"}, exitUsage, "--budget: expected a number"},
		{"a budget over all", []string{"impact", "--stage", "all", "--budget", "101%"}, exitUsage, "--budget: expected a number"},
		{"a budget that is no share", []string{"impact", "--stage", "all", "--budget", "NaN%"}, exitUsage, "--budget: expected a number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := sekisho(t, "", tt.args...)
			if r.code != tt.code || !strings.Contains(r.stderr, tt.want) {
				t.Errorf("code %d, want %d; stderr %q, want %q", r.code, tt.code, r.stderr, tt.want)
			}
		})
	}
}

func TestCalendarOfAPolicy(t *testing.T) {
	for name, args := range map[string][]string{
		"calendar-asahi-net-en.txt":      {"asahi-net"},
		"calendar-asahi-net-ja.txt":      {"asahi-net", "--lang", "ja"},
		"calendar-nekonet-en.txt":        {"nekonet"},
		"calendar-nekonet-ja.txt":        {"nekonet", "--lang", "ja"},
		"calendar-technowave-en.txt":     {"technowave-itkeeper"},
		"calendar-technowave-ja.txt":     {"technowave-itkeeper", "--lang", "ja"},
		"calendar-technowave-csv.txt":    {"technowave-itkeeper", "-o", "csv"},
		"calendar-asama-json.txt":        {"asama-internet", "-o", "json"},
		"calendar-technowave-ndjson.txt": {"technowave-itkeeper", "-o", "ndjson"},
	} {
		t.Run(name, func(t *testing.T) {
			r := sekisho(t, "", append([]string{"calendar", "--policy"}, args...)...)
			if r.code != exitOK || r.stderr != "" {
				t.Errorf("code %d, stderr %q", r.code, r.stderr)
			}
			golden(t, name, r.stdout)
		})
	}
}
