package policyfile

import (
	"cmp"
	"net/netip"
	"time"

	"sekisho/engine"
	"sekisho/engine/yamldoc"
)

// spec is the policy as the engine wants it; nothing is checked here.
func (f *policyText) spec() engine.Spec {
	clock := cmp.Or(f.Timezone.Location, time.UTC)
	s := engine.Spec{
		Name: f.Policy, Location: clock, Otherwise: f.Otherwise, UnknownContract: f.UnknownContract,
		CourseNames: engine.CourseNames{Endings: f.CourseNames.Endings, SpeedGrades: f.CourseNames.SpeedGrades},
	}
	for _, l := range f.Logins {
		s.Logins = append(s.Logins, engine.LoginSpec(l))
	}
	for _, c := range f.Courses {
		s.Courses = append(s.Courses, engine.Course{ID: c.Key, Name: c.Value.Name, Aliases: c.Value.Alias, Groups: c.Value.Group})
	}
	for _, a := range f.Actions {
		s.Actions = append(s.Actions, engine.Action{Name: a.Key, Filter: a.Value.Filter, Allow: a.Value.Allow, Pool: a.Value.Pool})
	}
	for _, r := range f.Remedies {
		s.Remedies = append(s.Remedies, engine.Remedy{Name: r.Key, Text: engine.Text(r.Value)})
	}
	for _, h := range f.Hosts {
		s.Hosts = append(s.Hosts, engine.Host{Name: h.Key, Addresses: addresses(h.Value)})
	}
	for _, r := range f.Rules {
		s.Rules = append(s.Rules, r.spec(clock))
	}
	return s
}

func addresses(list yamldoc.List[address]) []netip.Addr {
	addrs := make([]netip.Addr, len(list))
	for i, a := range list {
		addrs[i] = a.Addr
	}
	return addrs
}

func (r ruleText) spec(clock *time.Location) engine.RuleSpec {
	return engine.RuleSpec{
		Name: r.Name, When: r.When.spec(), From: r.From.spec(clock), Until: r.Until.spec(clock),
		Then: r.Then, Because: engine.Text(r.Because), Remedies: r.Remedies,
	}
}

func (b bound) spec(clock *time.Location) engine.Timing {
	t := engine.Timing{At: b.Everywhere.in(clock), Planned: b.Everywhere.planned}
	for _, a := range b.ByArea {
		t.Areas = append(t.Areas, engine.AreaTiming{Area: a.Key, At: a.Value.in(clock), Planned: a.Value.planned})
	}
	return t
}

func (w whenText) spec() engine.Condition {
	c := engine.Condition{
		Course: w.Course, Form: w.Form, Realm: w.Realm, Address: w.Address, Option: w.Option,
		Segment: w.Segment, Status: w.Status, Area: w.Area, NAS: w.NAS, Contract: w.Contract,
	}
	for _, r := range w.Request {
		wanted := engine.Wanted{Name: r.Key}
		for _, v := range r.Value {
			name, value := Spelt(r.Key, string(v))
			wanted.Name, wanted.Values = name, append(wanted.Values, value)
		}
		c.Request = append(c.Request, wanted)
	}
	if w.Not != nil {
		not := w.Not.spec()
		c.Not = &not
	}
	return c
}
