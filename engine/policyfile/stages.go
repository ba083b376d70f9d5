package policyfile

import (
	"fmt"
	"slices"

	"sekisho/engine"
	"sekisho/engine/yamldoc"
)

// KnownStages refuses stages to pretend that the policy does not have: the answer would be that of another day, and
// nobody would notice.
func KnownStages(p *engine.Policy, stages []string) error {
	var rules []string
	for _, r := range p.Rules {
		rules = append(rules, r.Name)
	}
	for _, stage := range stages {
		if !slices.ContainsFunc(rules, func(r string) bool { return engine.Fold(r) == engine.Fold(stage) }) {
			return fmt.Errorf("policy %s has no rule %q; %s", p.Name, stage, yamldoc.Suggest(stage, rules))
		}
	}
	return nil
}
