package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// chance makes random policies and facts from few values, so that they meet.
type chance struct{ *rand.Rand }

func (c chance) oneOf(words ...string) string { return words[c.IntN(len(words))] }
func (c chance) some(words ...string) []string {
	if c.IntN(2) == 0 {
		return nil
	}
	return []string{c.oneOf(words...), c.oneOf(words...)}
}
func (c chance) day() time.Time { return day(2007, 1, 1+c.IntN(12)) }

func (c chance) condition(depth int) Condition {
	w := Condition{Course: c.some("adsl", "fiber", "group-1", "group-2", "mobile"), Form: c.some("plain", "fixed"), Area: c.some("tokyo", "okinawa")}
	if c.IntN(3) == 0 {
		w.Option, w.Address = c.some("fixed-ip", "vpn"), c.some("fixed", "simple-fixed")
	}
	if port := c.some("ISDN", "Async", "PIAFS"); port != nil && c.IntN(3) == 0 {
		w.Request = []Wanted{{"NAS-Port-Type", port}}
	}
	if depth > 0 && c.IntN(3) == 0 {
		not := c.condition(depth - 1)
		if not.Course != nil || not.Form != nil || not.Area != nil || not.Option != nil || not.Address != nil || not.Request != nil {
			w.Not = &not
		}
	}
	return w
}

func (c chance) rule(i int) RuleSpec {
	r := RuleSpec{Name: fmt.Sprintf("r%d", i), When: c.condition(2), Then: c.oneOf("open", "limit", "block")}
	if c.IntN(8) == 0 {
		r.When.Course, r.When.Option, r.When.Address, r.When.Contract = nil, nil, nil, "unknown"
	}
	if c.IntN(4) == 0 {
		r.From.Areas = []AreaTiming{{Area: "tokyo", At: c.day()}, {Area: "okinawa", At: c.day()}}
		if c.IntN(2) == 0 {
			r.From.Areas[1] = AreaTiming{Area: "okinawa", Planned: true}
			r.Until.Areas = []AreaTiming{{Area: "tokyo", At: day(2007, 1, 14)}}
		}
		return r
	}
	if c.IntN(3) > 0 {
		r.From.At = c.day()
	}
	if c.IntN(6) == 0 {
		r.From = Timing{Planned: true}
	}
	if c.IntN(2) == 0 {
		r.Until.At = day(2007, 1, 14+c.IntN(6))
	}
	return r
}

func (c chance) policy(t *testing.T) *Policy {
	s := spec()
	s.Rules = nil
	for i := range 1 + c.IntN(8) {
		s.Rules = append(s.Rules, c.rule(i))
	}
	p, faults := Compile(s)
	if p == nil {
		t.Fatalf("%v\n%+v", faults, s.Rules)
	}
	return p
}

func (c chance) facts() *Facts {
	f := &Facts{Login: Login{Form: c.oneOf("plain", "fixed")}, NAS: NAS{Area: c.oneOf("tokyo", "okinawa", "")}, Stages: c.some("r0", "r3")}
	if c.IntN(6) > 0 {
		f.Contract = &Contract{Course: c.oneOf("adsl", "fiber", "mobile", "late", "unnamed"), Options: c.some("fixed-ip", "vpn", "other"), Address: c.oneOf("", "fixed", "simple-fixed")}
	}
	for _, port := range c.some("ISDN", "Async", "Virtual") {
		f.Request = append(f.Request, Attribute{"NAS-Port-Type", port})
	}
	for range c.IntN(4) {
		o := Override{Action: c.oneOf("open", "limit", "block", "void"), Area: c.oneOf("", "", "tokyo")}
		if c.IntN(3) > 0 {
			o.From = c.day()
		}
		if c.IntN(3) > 0 {
			o.Until = c.day()
		}
		f.Overrides = append(f.Overrides, o)
	}
	return f
}

// boundaries are all instants at which anything of the policy or the facts begins or ends.
func boundaries(p *Policy, f *Facts) []time.Time {
	var all []time.Time
	for _, r := range p.rules {
		all = append(all, r.everywhere.from, r.everywhere.until)
		for _, w := range r.byArea {
			all = append(all, w.from, w.until)
		}
	}
	for _, o := range f.Overrides {
		all = append(all, o.From, o.Until)
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// firstChange asks at every boundary, which is slow and plainly right.
func firstChange(p *Policy, f *Facts, now time.Time) time.Time {
	d := Decide(p, f, now)
	for _, b := range boundaries(p, f) {
		if at := Decide(p, f, b); b.After(now) && (at.Action != d.Action || at.Rule != d.Rule) {
			return b
		}
	}
	return time.Time{}
}

func TestUntilIsTheFirstChange(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		c := chance{rand.New(rand.NewPCG(seed, 25))}
		p, f := c.policy(t), c.facts()
		now := c.day().Add(time.Duration(c.IntN(3)-1) * time.Nanosecond)
		d, told := Decide(p, f, now), Explain(p, f, now)
		if want := firstChange(p, f, now); !d.Until.Equal(want) {
			t.Fatalf("seed %d: %s by %s until %v, but the first change is at %v", seed, d.Action, d.Rule, d.Until, want)
		}
		if told.Action != d.Action || told.Rule != d.Rule || !told.Until.Equal(d.Until) || len(told.Trace) == 0 {
			t.Fatalf("seed %d: Decide %+v, Explain %+v", seed, d, told)
		}
		if just := d.Until.Add(-1); just.After(now) {
			if still := Decide(p, f, just); still.Action != d.Action || still.Rule != d.Rule {
				t.Fatalf("seed %d: %+v already became %+v", seed, d, still)
			}
		}
	}
}
