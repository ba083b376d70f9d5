package engine

import (
	"fmt"
	"strings"
	"time"
)

// Outcome says in one word what became of an override or a rule that was asked.
type Outcome string

// The outcomes.
const (
	Won          Outcome = "won"
	Shadowed     Outcome = "shadowed"     // would have won without the override above it
	NoMatch      Outcome = "no match"     // the facts are not what it asks for
	NotInForce   Outcome = "not in force" // it matches, but not now or not here
	NotAsked     Outcome = "not asked"    // the rules are not for accounts without a contract
	Weaker       Outcome = "weaker"       // an override in force beside a tighter one
	UnknownWords Outcome = "void"         // an override with an action the policy does not have
)

// Step is one override or rule that Explain asked. String gives it as a sentence; the fields serve programs.
type Step struct {
	Rule    string // rule name, or one of the By... names
	ID      string // of an override
	Outcome Outcome
	Action  string // that it would set
	Reason  string
	Key     string // for NoMatch: the key that failed, "request NAS-Port-Type", "not"
	Want    []string
	Got     []string
}

// String reads "rule: outcome: reason".
func (s Step) String() string {
	name := s.Rule
	if s.ID != "" {
		name += " " + s.ID
	}
	if s.Reason == "" {
		return fmt.Sprintf("%s: %s: %s", name, s.Outcome, s.Action)
	}
	return fmt.Sprintf("%s: %s: %s", name, s.Outcome, s.Reason)
}

// A trace collects steps while the decision is made.
type trace struct {
	policy *Policy
	steps  []Step
	below  string // the override that shadows what follows
}

func (t *trace) add(s Step) { t.steps = append(t.steps, s) }

// all is every rule in order, where Decide would take the course's own.
func (t *trace) all() []int {
	rules := make([]int, len(t.policy.rules))
	for i := range rules {
		rules[i] = i
	}
	return rules
}

func (t *trace) overrides(f *Facts, winner int, now time.Time) {
	for i := range f.Overrides {
		o := &f.Overrides[i]
		s := Step{Rule: ByOverride, ID: o.ID, Action: o.Action, Outcome: NotInForce}
		switch {
		case i == winner:
			s.Outcome, s.Reason = Won, t.because(o)
		case t.policy.rank(o.Action) < 0:
			s.Outcome, s.Reason = UnknownWords, fmt.Sprintf("the policy has no action %q", o.Action)
		case now.Before(o.From):
			s.Reason = "begins " + t.time(o.From)
		case !o.holds(now):
			s.Reason = "ended " + t.time(o.Until)
		case !o.here(f.NAS):
			s.Reason = elsewhere(o, f.NAS)
		default:
			s.Outcome, s.Reason = Weaker, fmt.Sprintf("%s is not tighter than %s", o.Action, f.Overrides[winner].Action)
		}
		t.add(s)
	}
}

func (t *trace) because(o *Override) string {
	words := o.Action
	if !o.Until.IsZero() {
		words += " until " + t.time(o.Until)
	}
	if o.Reason != "" {
		words += " (" + o.Reason + ")"
	}
	return words
}

func elsewhere(o *Override, nas NAS) string {
	if o.Area != "" && !sameFolded(o.Area, nas.Area) {
		return fmt.Sprintf("only in area %q, the session is in %q", o.Area, nas.Area)
	}
	return fmt.Sprintf("only on NAS %q, the session is on %q", o.NAS, nas.Name)
}

func (t *trace) beneath(o Override) { t.below = strings.TrimSpace(ByOverride + " " + o.ID) }

func (t *trace) won(rule, action string) {
	s := Step{Rule: rule, Outcome: Won, Action: action}
	if t.below != "" {
		s.Outcome, s.Reason = Shadowed, fmt.Sprintf("%s, but %s beats every rule", action, t.below)
	}
	t.add(s)
}

func (t *trace) failed(r *rule, s *subject, failed *test, negated bool) {
	step := Step{Rule: r.name, Action: r.then, Outcome: NoMatch}
	switch {
	case s.facts.Contract == nil && !r.when.unknownContract:
		step.Outcome, step.Reason = NotAsked, "the account has no contract"
	case r.when.unknownContract && s.facts.Contract != nil:
		step.Key, step.Want, step.Got = "contract", []string{"unknown"}, []string{"known"}
	case failed == nil && !negated:
		step.Key, step.Got = "course", []string{s.contract.Course}
		step.Reason = fmt.Sprintf("the policy does not name the course %q", s.contract.Course)
	case negated:
		step.Key, step.Reason = "not", "what it excepts is the case: "+r.when.not.String()
	default:
		step.Key, step.Want, step.Got = failed.label(), failed.written, failed.got(s)
	}
	if step.Reason == "" {
		step.Reason = fmt.Sprintf("%s is %s, wanted %s", step.Key, words(step.Got), words(step.Want))
	}
	t.add(step)
}

func (t *trace) notInForce(r *rule, s *subject, at phase, w window) {
	step := Step{Rule: r.name, Action: r.then, Outcome: NotInForce}
	switch at {
	case notYet:
		step.Reason = "begins " + t.time(w.from)
	case over:
		step.Reason = "ended " + t.time(w.until)
	case planned:
		step.Reason = "planned, without a date"
	case noDateInArea:
		step.Reason = fmt.Sprintf("has no date in area %q", s.facts.NAS.Area)
		if s.facts.NAS.Area == "" {
			step.Reason = "has dates by area, and the NAS has no area"
		}
	}
	t.add(step)
}

func (t *trace) time(at time.Time) string {
	return at.In(t.policy.Location).Format("2006-01-02 15:04:05 MST")
}

func (t *test) label() string {
	if t.key == requestKey {
		return "request " + t.name
	}
	return keyNames[t.key]
}

// got lists the facts a test looked at, as they were given.
func (t *test) got(s *subject) []string {
	switch t.key {
	case courseKey:
		return []string{s.contract.Course}
	case optionKey:
		return s.contract.Options
	case requestKey:
		var values []string
		for _, a := range s.facts.Request {
			if a.Name == t.name {
				values = append(values, a.Value)
			}
		}
		return values
	}
	if v := s.single(t.key); v != "" {
		return []string{v}
	}
	return nil
}

// String writes a condition nearly as the policy does.
func (c *condition) String() string {
	var parts []string
	for i := range c.tests {
		parts = append(parts, c.tests[i].label()+" "+words(c.tests[i].written))
	}
	if c.not != nil {
		parts = append(parts, "not ("+c.not.String()+")")
	}
	return strings.Join(parts, " and ")
}

func words(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, " or ")
}
