package policyfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sekisho/engine"
	"sekisho/engine/yamldoc"
)

// testsText is a test file: what an ISP's own people say must come out, for sessions they choose.
type testsText struct {
	Policy string     `yaml:"policy" jsonschema:"required" jsonschema_description:"a shipped name, or a file beside this one"`
	Tests  []testText `yaml:"tests" jsonschema:"required"`
}

type testText struct {
	Name      string                           `yaml:"name" jsonschema:"required"`
	User      yamldoc.Strings                  `yaml:"user" jsonschema:"required" jsonschema_description:"a login; of several, each must come out as wanted"`
	Contract  *contractText                    `yaml:"contract" jsonschema_description:"left out: the account is not known"`
	NAS       nasText                          `yaml:"nas"`
	Request   yamldoc.Map[yamldoc.List[value]] `yaml:"request"`
	Overrides []overrideText                   `yaml:"overrides"`
	Stages    yamldoc.Strings                  `yaml:"stages" jsonschema_description:"rules pretended to be in force"`
	At        moment                           `yaml:"at" jsonschema:"required" jsonschema_description:"on the policy's clock, or with an offset"`
	Want      wantText                         `yaml:"want" jsonschema:"required"`
}

type contractText struct {
	Course  yamldoc.Strings `yaml:"course" jsonschema_description:"of several, each must come out as wanted"`
	Address string          `yaml:"address" jsonschema:"enum=dynamic,enum=fixed,enum=simple-fixed"`
	Area    string          `yaml:"area"`
	Segment string          `yaml:"segment"`
	Options yamldoc.Strings `yaml:"options"`
	Status  string          `yaml:"status" jsonschema:"enum=active,enum=suspended,enum=closed"`
}

type nasText struct {
	Name string `yaml:"name"`
	Area string `yaml:"area"`
}

type overrideText struct {
	Action string `yaml:"action" jsonschema:"required"`
	From   moment `yaml:"from"`
	Until  moment `yaml:"until"`
	Area   string `yaml:"area"`
	NAS    string `yaml:"nas"`
}

type wantText struct {
	Action  string  `yaml:"action" jsonschema:"required"`
	Rule    string  `yaml:"rule" jsonschema:"required"`
	Until   *ending `yaml:"until" jsonschema_description:"left out: not looked at"`
	Account *string `yaml:"account" jsonschema_description:"left out: not looked at"`
}

// An ending is a moment or never.
type ending struct{ moment }

// UnmarshalText takes what a moment takes, and never.
func (e *ending) UnmarshalText(text []byte) error {
	if string(text) == "never" {
		return nil
	}
	err := e.moment.UnmarshalText(text)
	if e.planned {
		return fmt.Errorf("planned is no end")
	}
	return err
}

// Expected describes the spelling to an operator.
func (ending) Expected() string { return "a date such as 2007-05-15, a date-time, or never" }

// A TestResult is one test that ran; it passed when Failures is empty. Then the Decision carries no trace.
type TestResult struct {
	Policy   string // its name
	Name     string
	File     string
	Line     int
	Failures []string
	Decision engine.Decision
}

// RunTestFile runs a test file, or the tests of a shipped policy by its name (see Load). Problems are mistakes of the
// file or of its policy; then no test has run.
func RunTestFile(nameOrFile string) ([]TestResult, yamldoc.Problems) {
	return RunTestFileOn(nil, nameOrFile)
}

// RunTestFileOn is RunTestFile on another policy than the one that the file names: what comes to work is what has to
// pass, not a file that happens to have its name. Nil is the policy that the file names.
func RunTestFileOn(p *engine.Policy, nameOrFile string) ([]TestResult, yamldoc.Problems) {
	if !strings.Contains(nameOrFile, "/") && !strings.HasSuffix(nameOrFile, policySuffix) {
		src, err := policies.ReadFile("policies/" + nameOrFile + testSuffix)
		if err == nil {
			return runTests(p, nameOrFile+testSuffix, src)
		}
	}
	src, err := os.ReadFile(nameOrFile)
	if err != nil {
		return nil, yamldoc.Problems{{File: nameOrFile, Line: 1, Column: 1, Text: fmt.Sprintf("reading the tests: %v", err)}}
	}
	return runTests(p, nameOrFile, src)
}

// RunTests is RunTestFile for text at hand; a policy's file is looked for beside file.
func RunTests(file string, src []byte) ([]TestResult, yamldoc.Problems) {
	return runTests(nil, file, src)
}

func runTests(p *engine.Policy, file string, src []byte) ([]TestResult, yamldoc.Problems) {
	text, doc, problems := yamldoc.Decode[testsText](file, src)
	if problems.Err() == nil {
		problems = problems.With(text.idle(doc)...)
	}
	if problems.Err() != nil {
		return nil, problems
	}
	if p != nil {
		return text.run(p, doc, file), nil
	}
	name := text.Policy
	if strings.HasSuffix(name, policySuffix) && !filepath.IsAbs(name) {
		name = filepath.Dir(file) + string(filepath.Separator) + name
	}
	p, problems = Load(name)
	if p == nil {
		return nil, problems
	}
	return text.run(p, doc, file), nil
}

// idle finds what would pass because it tests nothing.
func (f *testsText) idle(doc *yamldoc.Document) []yamldoc.Problem {
	if len(f.Tests) == 0 {
		return []yamldoc.Problem{doc.Problem([]any{"tests"}, "expected at least one test")}
	}
	var found []yamldoc.Problem
	for i, t := range f.Tests {
		if len(t.User) == 0 {
			found = append(found, doc.Problem([]any{"tests", i, "user"}, "expected at least one login"))
		}
	}
	return found
}

func (f *testsText) run(p *engine.Policy, doc *yamldoc.Document, file string) []TestResult {
	var results []TestResult
	for i, t := range f.Tests {
		at := doc.Problem([]any{"tests", i}, "")
		for _, c := range t.cases() {
			r := TestResult{Policy: p.Name, Name: c.name, File: file, Line: at.Line}
			r.run(p, c)
			results = append(results, r)
		}
	}
	return results
}

// A testCase is a test with one login and one course.
type testCase struct {
	testText
	name, user, course string
}

// cases are all combinations of a test's logins and courses; their names tell them apart.
func (t testText) cases() []testCase {
	courses := []string{""}
	if t.Contract != nil && len(t.Contract.Course) > 0 {
		courses = t.Contract.Course
	}
	var all []testCase
	for _, user := range t.User {
		for _, course := range courses {
			c := testCase{t, t.Name, user, course}
			if len(t.User) > 1 {
				c.name += ", " + user
			}
			if len(courses) > 1 {
				c.name += ", " + course
			}
			all = append(all, c)
		}
	}
	return all
}

func (r *TestResult) run(p *engine.Policy, t testCase) {
	f, at := t.facts(p), t.At.in(p.Location)
	r.Decision = engine.Decide(p, &f, at)
	r.compare("action", r.Decision.Action, t.Want.Action)
	r.compare("rule", r.Decision.Rule, t.Want.Rule)
	if t.Want.Account != nil {
		r.compare("account", f.Login.Account, *t.Want.Account)
	}
	if t.Want.Until != nil {
		r.compare("until", show(r.Decision.Until, p.Location), show(t.Want.Until.in(p.Location), p.Location))
	}
	if len(r.Failures) > 0 {
		r.Decision = engine.Explain(p, &f, at)
	}
}

func (r *TestResult) compare(what, got, want string) {
	if got != want {
		r.Failures = append(r.Failures, fmt.Sprintf("%s: got %q, want %q", what, got, want))
	}
}

func show(t time.Time, clock *time.Location) string {
	if t.IsZero() {
		return "never"
	}
	return t.In(clock).Format(time.RFC3339Nano)
}

func (t testCase) facts(p *engine.Policy) engine.Facts {
	f := engine.Facts{Login: p.ReadLogin(t.user), NAS: engine.NAS(t.NAS), Stages: t.Stages}
	if c := t.Contract; c != nil {
		f.Contract = &engine.Contract{Account: f.Login.Account, Course: t.course, Address: c.Address, Area: c.Area, Segment: c.Segment, Options: c.Options, Status: c.Status}
	}
	for _, r := range t.Request {
		for _, v := range r.Value {
			name, value := Spelt(r.Key, string(v))
			f.Request = append(f.Request, engine.Attribute{Name: name, Value: value})
		}
	}
	for _, o := range t.Overrides {
		f.Overrides = append(f.Overrides, engine.Override{Action: o.Action, From: o.From.in(p.Location), Until: o.Until.in(p.Location), Area: o.Area, NAS: o.NAS})
	}
	return f
}
