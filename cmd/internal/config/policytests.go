package config

import (
	"strings"

	"sekisho/engine/policyfile"
	"sekisho/engine/yamldoc"
)

// testPolicy runs the decision tests that the site file names on the policy
// that is to come to work, whichever one the tests name. One that fails is a
// mistake of its file, so that a policy that decides otherwise than its owners
// say never comes to work.
func (c *compiler) testPolicy() {
	for i, name := range c.spec.PolicyTests {
		if name == "" {
			c.problem([]any{"policy-tests", i}, "expected the name of a shipped policy or of a test file, got nothing")
			continue
		}
		if strings.Contains(name, "/") || strings.HasSuffix(name, ".yaml") {
			name = c.path(name)
		}
		if c.policy == nil {
			return // nothing to test: reported already
		}
		results, problems := policyfile.RunTestFileOn(c.policy, name)
		c.elsewhere = append(c.elsewhere, problems...)
		failed := failedTests(results)
		c.elsewhere = append(c.elsewhere, failed...)
		switch {
		case problems.Err() != nil:
			c.problem([]any{"policy-tests", i}, "the tests %s cannot run", c.spec.PolicyTests[i])
		case len(failed) > 0:
			c.problem([]any{"policy-tests", i}, "%d of %d tests of %s fail", len(failed), len(results), c.spec.PolicyTests[i])
		}
	}
}

func failedTests(results []policyfile.TestResult) yamldoc.Problems {
	var failed yamldoc.Problems
	for _, r := range results {
		if len(r.Failures) > 0 {
			failed = append(failed, yamldoc.Problem{
				File: r.File, Line: r.Line, Column: 1, Key: "tests[" + r.Name + "]", Text: strings.Join(r.Failures, "; "),
			})
		}
	}
	return failed
}
