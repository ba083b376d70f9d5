package policyfile

import "testing"

func TestShippedPoliciesLoadWithoutAWord(t *testing.T) {
	t.Parallel()
	for _, name := range Shipped() {
		p, problems := Load(name)
		if p == nil || len(problems) > 0 {
			t.Errorf("%s:\n%v", name, problems)
		}
	}
}

func TestShippedPoliciesDoWhatTheirNoticesSay(t *testing.T) {
	t.Parallel()
	for _, name := range Shipped() {
		results, problems := RunTestFile(name)
		if problems.Err() != nil || len(results) == 0 {
			t.Errorf("%s: %d tests, %v", name, len(results), problems)
		}
		for _, r := range results {
			for _, f := range r.Failures {
				t.Errorf("%s:%d: %s: %s\n%v", r.File, r.Line, r.Name, f, r.Decision.Trace)
			}
		}
	}
}
