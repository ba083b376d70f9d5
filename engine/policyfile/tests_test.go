package policyfile

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRunTestsTellsWhatDiffers(t *testing.T) {
	t.Parallel()
	src := `policy: asahi-net
tests:
  - {name: right, user: u1@atson.net, contract: {course: 超割ADSL}, at: 2007-05-15, want: {action: block, rule: stage-2, until: never, account: u1}}
  - name: wrong
    user: u1@atson.net
    contract: {course: 超割ADSL}
    at: 2007-05-14
    want: {action: block, rule: stage-2, until: never, account: u2}
`
	results, problems := RunTests("a.test.yaml", []byte(src))
	if problems.Err() != nil || len(results) != 2 {
		t.Fatal(results, problems)
	}
	if right := results[0]; len(right.Failures) > 0 || right.Line != 3 || right.File != "a.test.yaml" {
		t.Errorf("right: %+v", right)
	}
	want := []string{`action: got "open", want "block"`, `rule: got "otherwise", want "stage-2"`,
		`account: got "u1", want "u2"`, `until: got "2007-05-15T00:00:00+09:00", want "never"`}
	if wrong := results[1]; wrong.Name != "wrong" || wrong.Line != 4 || !slices.Equal(wrong.Failures, want) || len(wrong.Decision.Trace) == 0 {
		t.Errorf("wrong: %+v", wrong)
	}
}

func TestRunTestsTakesEveryLoginAndCourseOfALine(t *testing.T) {
	t.Parallel()
	src := `policy: asahi-net
tests:
  - {name: each, user: [u1@atson.net, f.u1@atson.net], contract: {course: [超割ADSL, DoPa]}, at: 2007-05-15, want: {action: block, rule: stage-2}}
  - {name: stranger, user: [u1@atson.net, u2@atson.net], at: 2007-05-15, want: {action: open, rule: unknown-contract}}
`
	results, problems := RunTests("a.test.yaml", []byte(src))
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	var got []string
	for _, r := range results {
		got = append(got, fmt.Sprintf("%d %s: %d", r.Line, r.Name, len(r.Failures)))
	}
	want := []string{
		"3 each, u1@atson.net, 超割ADSL: 0", "3 each, u1@atson.net, DoPa: 2", "3 each, f.u1@atson.net, 超割ADSL: 0", "3 each, f.u1@atson.net, DoPa: 2",
		"4 stranger, u1@atson.net: 0", "4 stranger, u2@atson.net: 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRunTestFileFindsThePolicyBesideIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	policy, _ := Source("nekonet")
	tests := `{policy: mine.yaml, tests: [{name: a, user: u@nekonet.example, at: 2008-01-01, want: {action: open, rule: unknown-contract}}]}`
	write(t, filepath.Join(dir, "mine.yaml"), string(policy))
	write(t, filepath.Join(dir, "mine.test.yaml"), tests)
	results, problems := RunTestFile(filepath.Join(dir, "mine.test.yaml"))
	if problems.Err() != nil || len(results) != 1 || len(results[0].Failures) > 0 {
		t.Error(results, problems)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRunTestsRefusesMistakes(t *testing.T) {
	t.Parallel()
	const one = "\ntests: [{name: a, user: u, at: 2008-01-01, want: {action: open, rule: x"
	tests := []struct{ name, src, want string }{
		{"no tests", "policy: nekonet\ntests: []\n", `t.yaml:2:8: tests: expected at least one test`},
		{"a test without a login", "policy: nekonet\ntests:\n  - {name: x, user: [], at: 2007-01-01, want: {action: nonsense, rule: nonsense}}\n", `t.yaml:3:21: tests[x].user: expected at least one login`},
		{"unknown key", "policy: nekonet\ntest: []\n", `t.yaml:2:1: test: unknown key, did you mean "tests"?`},
		{"unknown policy", "policy: nekonett" + one + "}}]", `nekonett:1:1: no policy of this name ships with sekisho, did you mean "nekonet"?; for a file of yours write its path, ./nekonett.yaml`},
		{"policy not there", "policy: gone.yaml" + one + "}}]", `./gone.yaml:1:1: reading the policy: open ./gone.yaml: no such file or directory`},
		{"bad end", "policy: nekonet" + one + ", until: planned}}]", `t.yaml:2:81: tests[a].want.until: expected a date such as 2007-05-15, a date-time, or never, got "planned"`},
	}
	for _, tt := range tests {
		results, problems := RunTests("t.yaml", []byte(tt.src))
		if results != nil || problems.Error() != tt.want {
			t.Errorf("%s: got %v\nwant %s", tt.name, problems, tt.want)
		}
	}
	if _, problems := RunTestFile("gone.test.yaml"); !strings.Contains(problems.Error(), "reading the tests: open gone.test.yaml") {
		t.Errorf("got %v", problems)
	}
}
