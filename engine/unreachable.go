package engine

import (
	"reflect"
	"slices"
	"strings"
)

// unreachable warns of rules that can never win, because earlier ones take every session that they match.
func (c *compiler) unreachable() {
	p := c.policy
	for i := range p.rules {
		if by := p.shadowedBy(i); by != "" {
			c.warn([]any{"rules", i}, "can never win: %s before it takes every session that it matches", by)
		}
	}
}

// shadowedBy names the rules that together cover rule i, course by course; empty when a session may reach it.
func (p *Policy) shadowedBy(i int) string {
	var names []string
	r := &p.rules[i]
	wanted := r.when.course()
	if wanted == nil { // also asked for courses without a name: only a rule for all courses covers it
		wanted = []bool{true}
	}
	for course, asked := range wanted {
		if !asked {
			continue
		}
		j := slices.IndexFunc(p.rules[:i], func(e rule) bool { return e.covers(r, course) })
		if j < 0 {
			return ""
		}
		if name := `rule "` + p.rules[j].name + `"`; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}

// covers says whether e wins wherever r could, for one course. It may say no where it is so.
func (e *rule) covers(r *rule, course int) bool {
	if e.when.unknownContract != r.when.unknownContract || !e.schedule.covers(&r.schedule) {
		return false
	}
	if taken := e.when.course(); taken != nil && (r.when.course() == nil || !taken[course]) {
		return false
	}
	if e.when.asksCourse && !r.when.asksCourse || e.when.not != nil && !reflect.DeepEqual(e.when.not, r.when.not) {
		return false
	}
	for i := range e.when.tests {
		if t := &e.when.tests[i]; t.key != courseKey && !t.implied(r.when.tests) {
			return false
		}
	}
	return true
}

// implied says whether one of the tests allows nothing that t would not.
func (t *test) implied(tests []test) bool {
	return slices.ContainsFunc(tests, func(o test) bool {
		return o.key == t.key && o.name == t.name && !slices.ContainsFunc(o.want, func(w string) bool { return !slices.Contains(t.want, w) })
	})
}

// covers says whether s is in force wherever and whenever o is. A planned rule may be pretended any day; dates given by
// area are not compared, so that nothing is called unreachable that may be reached.
func (s *schedule) covers(o *schedule) bool {
	if s.byArea != nil || !s.everywhere.covers(o.everywhere) && !o.onlyAreas {
		return false
	}
	for _, w := range o.byArea {
		if !s.everywhere.covers(w) {
			return false
		}
	}
	return true
}

func (w window) covers(v window) bool {
	begins := w.from.IsZero() || !v.planned && !v.from.IsZero() && !w.from.After(v.from)
	ends := w.until.IsZero() || !v.until.IsZero() && !v.until.After(w.until)
	return begins && ends && !w.planned
}
