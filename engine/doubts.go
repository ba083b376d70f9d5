package engine

import (
	"slices"
	"time"
)

// disagreements warns of courses in two groups whose rules say opposite things: which one holds is then a matter of
// their order alone, which is hardly what the groups were made for.
func (c *compiler) disagreements() {
	for course := range c.spec.Courses {
		if len(c.spec.Courses[course].Groups) > 1 {
			c.disagreeing(course)
		}
	}
}

func (c *compiler) disagreeing(course int) {
	p := c.policy
	for j := range p.rules {
		lost := c.via(course, j)
		if len(lost) == 0 {
			continue
		}
		for i := range p.rules[:j] {
			won := c.via(course, i)
			if len(won) == 0 || slices.ContainsFunc(won, func(g string) bool { return slices.Contains(lost, g) }) {
				continue
			}
			if p.rules[i].then != p.rules[j].then && p.rules[i].covers(&p.rules[j], course) {
				c.warn([]any{"courses", c.spec.Courses[course].ID, "group"},
					"the rules of its groups disagree: rule %q (%s, for %q) wins, so that rule %q (%s, for %q) never does for this course",
					p.rules[i].name, p.rules[i].then, won[0], p.rules[j].name, p.rules[j].then, lost[0])
				return
			}
		}
	}
}

// via are the groups by which a rule asks for a course; none if it asks for the course itself.
func (c *compiler) via(course, rule int) []string {
	var groups []string
	for _, name := range c.spec.Rules[rule].When.Course {
		if c.policy.courses.find(name) == course {
			return nil
		}
		for _, g := range c.spec.Courses[course].Groups {
			if Fold(g) == Fold(name) {
				groups = append(groups, Fold(g))
			}
		}
	}
	return groups
}

// maxDoubted is for how many kinds of sessions dates are doubted; looking at more would make loading slow.
const maxDoubted = 1 << 11

// idleDates warns of dates on which nothing changes, because other rules decide before and after.
func (c *compiler) idleDates() {
	p := c.policy
	kinds, err := Kinds(p)
	if err != nil || len(kinds) > maxDoubted {
		return
	}
	changing := p.changing(kinds)
	idle := func(t time.Time) bool {
		return !t.IsZero() && !slices.ContainsFunc(changing, t.Equal)
	}
	for i, spec := range c.spec.Rules {
		if p.shadowedBy(i) != "" {
			continue // said already
		}
		c.idleBound(spec.From, idle, "rules", i, "from")
		c.idleBound(spec.Until, idle, "rules", i, "until")
	}
}

func (c *compiler) idleBound(bound Timing, idle func(time.Time) bool, path ...any) {
	c.idleDate(bound.At, idle, path)
	for _, a := range bound.Areas {
		c.idleDate(a.At, idle, below(path, a.Area))
	}
}

func (c *compiler) idleDate(t time.Time, idle func(time.Time) bool, path []any) {
	if idle(t) {
		c.warn(path, "nothing changes on %s: other rules decide before and after", c.show(t))
	}
}

// changing are the boundaries at which a session of some kind gets another action or rule.
func (p *Policy) changing(kinds []Kind) []time.Time {
	var days []time.Time
	for _, day := range p.boundaries() {
		if slices.ContainsFunc(kinds, func(k Kind) bool {
			before, after := Decide(p, &k.Facts, day.Add(-1)), Decide(p, &k.Facts, day)
			return before.Action != after.Action || before.Rule != after.Rule
		}) {
			days = append(days, day)
		}
	}
	return days
}
