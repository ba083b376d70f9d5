package engine

import "time"

// A rule is one rule, compiled.
type rule struct {
	name, then string
	when       condition
	schedule
}

// Decide says what holds for a session at the instant now. In this order: the tightest override in force; without a
// contract only the rules that ask for `contract: unknown`, then the policy's action for that; else the first rule in
// force whose condition holds; else the policy's otherwise. It allocates nothing.
func Decide(p *Policy, f *Facts, now time.Time) Decision { return decide(p, f, now, nil) }

// Explain is Decide with the trace of every override and rule that was asked, the losing ones beneath an override
// included. It is the same walk, only slower.
func Explain(p *Policy, f *Facts, now time.Time) Decision {
	t := &trace{policy: p}
	d := decide(p, f, now, t)
	d.Trace = t.steps
	return d
}

func decide(p *Policy, f *Facts, now time.Time, t *trace) Decision {
	s := p.subject(f)
	if t != nil {
		s.rules = t.all() // the index only leaves out rules that cannot match; people want to read why
	}
	d := p.at(&s, now, t)
	if len(f.Overrides) > 0 {
		d.Until = p.nextChange(&s, d, now)
	}
	return d
}

// at decides for one instant. Until is exact for a rule that won; overrides are left to nextChange.
func (p *Policy) at(s *subject, now time.Time, t *trace) Decision {
	o := p.tightest(s.facts, now)
	if t != nil {
		t.overrides(s.facts, o, now)
	}
	if o >= 0 {
		if t != nil {
			t.beneath(s.facts.Overrides[o])
			p.ask(s, now, t)
		}
		return Decision{Action: s.facts.Overrides[o].Action, Rule: ByOverride, Override: s.facts.Overrides[o].ID}
	}
	return p.ask(s, now, t)
}

// ask goes through the rules. The winner stands until its own end, or until a rule before it begins.
func (p *Policy) ask(s *subject, now time.Time, t *trace) Decision {
	var begins time.Time
	for _, i := range s.rules {
		r := &p.rules[i]
		failed, negated, ok := p.applies(r, s)
		if !ok {
			if t != nil {
				t.failed(r, s, failed, negated)
			}
			continue
		}
		at, w := r.phase(s.facts.NAS.Area, pretended(s.facts, r.name), now)
		if at == inForce {
			if t != nil {
				t.won(r.name, r.then)
			}
			return Decision{Action: r.then, Rule: r.name, Until: earliest(begins, w.until)}
		}
		if at == notYet {
			begins = earliest(begins, w.from)
		}
		if t != nil {
			t.notInForce(r, s, at, w)
		}
	}
	return p.fallBack(s, begins, t)
}

func (p *Policy) fallBack(s *subject, begins time.Time, t *trace) Decision {
	d := Decision{Action: p.Otherwise, Rule: ByOtherwise, Until: begins}
	if s.facts.Contract == nil {
		d.Action, d.Rule = p.UnknownContract, ByUnknownContract
	}
	if t != nil {
		t.won(d.Rule, d.Action)
	}
	return d
}

// applies says whether a rule's condition holds, dates aside. A rule that asks for the course cannot hold for a
// course the policy does not name, not even by `not`.
func (p *Policy) applies(r *rule, s *subject) (failed *test, negated, ok bool) {
	if r.when.unknownContract != (s.facts.Contract == nil) {
		return nil, false, false
	}
	if s.course < 0 && r.when.asksCourse {
		return nil, false, false
	}
	return r.when.matches(s)
}

func pretended(f *Facts, rule string) bool {
	for _, s := range f.Stages {
		if sameFolded(s, rule) {
			return true
		}
	}
	return false
}
