package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

func (c *compiler) rules() {
	seen := map[string]bool{ByOverride: true, ByUnknownContract: true, ByOtherwise: true}
	for i, spec := range c.spec.Rules {
		at := []any{"rules", i}
		if seen[Fold(spec.Name)] {
			c.fault(below(at, "name"), "the name %q is taken; a decision names the rule that made it", spec.Name)
		}
		seen[Fold(spec.Name)] = true
		c.action(spec.Then, below(at, "then")...)
		c.remedies(spec, at)
		c.policy.rules = append(c.policy.rules, rule{
			name: spec.Name, then: spec.Then, when: c.condition(spec.When, below(at, "when"), true), schedule: c.schedule(spec, at),
		})
		c.policy.Rules = append(c.policy.Rules, Rule{
			Name: spec.Name, Then: spec.Then, Because: spec.Because, Remedies: spec.Remedies,
			Dated: spec.From.Set() || spec.Until.Set(),
		})
	}
}

// below makes a longer path without sharing memory with the shorter one.
func below(path []any, steps ...any) []any { return slices.Concat(path, steps) }

func (c *compiler) remedies(spec RuleSpec, at []any) {
	var known []string
	for _, r := range c.spec.Remedies {
		known = append(known, r.Name)
	}
	for i, name := range spec.Remedies {
		if !slices.Contains(known, name) {
			c.unknown(below(at, "remedies", i), "remedy", name, known)
		}
	}
}

// The words the store gives these facts; anything else would be a rule that silently never matches.
var (
	addressWords = []string{Dynamic, "fixed", "simple-fixed"}
	statusWords  = []string{"active", "suspended", "closed"}
)

func (c *compiler) condition(spec Condition, at []any, outermost bool) condition {
	var when condition
	add := func(k key, want, known []string) {
		if want != nil {
			when.tests = append(when.tests, test{key: k, written: want, want: c.words(want, known, keyNames[k], below(at, keyNames[k]))})
		}
	}
	if spec.Course != nil {
		when.tests, when.asksCourse = append(when.tests, c.courseTest(spec.Course, below(at, "course"))), true
	}
	add(formKey, spec.Form, c.forms())
	add(realmKey, spec.Realm, nil)
	add(addressKey, spec.Address, addressWords)
	add(optionKey, spec.Option, nil)
	add(segmentKey, spec.Segment, nil)
	add(statusKey, spec.Status, statusWords)
	add(areaKey, spec.Area, nil)
	add(nasKey, spec.NAS, nil)
	for _, w := range spec.Request {
		when.tests = append(when.tests, test{key: requestKey, name: w.Name, written: w.Values, want: c.words(w.Values, nil, "", below(at, "request", w.Name))})
	}
	c.contractKey(spec, &when, at, outermost)
	if spec.Not != nil {
		nested := c.condition(*spec.Not, below(at, "not"), false)
		if len(nested.tests) == 0 && nested.not == nil {
			c.fault(below(at, "not"), "excepts everything: expected at least one key")
		}
		when.not, when.asksCourse = &nested, when.asksCourse || nested.asksCourse
	}
	return when
}

// words folds a list of wanted values and checks them where there is a list of known ones.
func (c *compiler) words(want, known []string, what string, at []any) []string {
	c.notEmpty(want, at)
	folded := make([]string, len(want))
	for i, w := range want {
		folded[i] = Fold(w)
		if w == "" {
			c.fault(below(at, i), "expected a value, got an empty string")
		} else if known != nil && !slices.Contains(known, folded[i]) {
			c.unknown(below(at, i), what, w, known)
		}
	}
	return folded
}

// notEmpty refuses a list of nothing: no session has one of no values, and it is never what was meant.
func (c *compiler) notEmpty(want []string, at []any) {
	if len(want) == 0 {
		c.fault(at, "expected at least one value, got an empty list")
	}
}

func (c *compiler) forms() []string {
	forms := []string{} // not nil: without logins no form is known
	for _, l := range c.spec.Logins {
		if !slices.Contains(forms, Fold(l.Form)) {
			forms = append(forms, Fold(l.Form))
		}
	}
	return forms
}

func (c *compiler) courseTest(names []string, at []any) test {
	c.notEmpty(names, at)
	t := test{key: courseKey, written: names, courses: make([]bool, len(c.spec.Courses))}
	for i, name := range names {
		if n := c.policy.courses.find(name); n >= 0 {
			t.courses[n] = true
			continue
		}
		group, ok := c.groups[Fold(name)]
		if !ok {
			c.unknown(below(at, i), "course or group", name, c.courseWords())
		}
		for n := range group {
			t.courses[n] = t.courses[n] || group[n]
		}
	}
	return t
}

// courseWords lists what a reader may have meant: groups, ids, names.
func (c *compiler) courseWords() []string {
	words := slices.Sorted(maps.Keys(c.groups))
	for _, course := range c.spec.Courses {
		words = append(words, course.ID)
	}
	for _, course := range c.spec.Courses {
		words = append(words, course.Name)
	}
	return words
}

func (c *compiler) contractKey(spec Condition, when *condition, at []any, outermost bool) {
	switch {
	case spec.Contract == "":
	case !outermost:
		c.fault(below(at, "contract"), "cannot stand below \"not\"; write contract: known or unknown beside the rule's other keys")
	case spec.Contract != "known" && spec.Contract != "unknown":
		c.fault(below(at, "contract"), "expected known or unknown, got %q", spec.Contract)
	case spec.Contract == "unknown":
		when.unknownContract = true
		for _, k := range []struct {
			name string
			list []string
		}{{"course", spec.Course}, {"address", spec.Address}, {"option", spec.Option}, {"segment", spec.Segment}, {"status", spec.Status}} {
			if len(k.list) > 0 {
				c.fault(below(at, k.name), "an unknown contract has no %s", k.name)
			}
		}
	}
}

// schedule joins from and until into windows.
func (c *compiler) schedule(spec RuleSpec, at []any) schedule {
	s := schedule{everywhere: window{from: spec.From.At, planned: spec.From.Planned, until: spec.Until.At}, onlyAreas: spec.From.Areas != nil}
	if spec.Until.Planned {
		c.fault(below(at, "until"), "expected a date: an end without one is no end, so leave until out")
	}
	for _, a := range spec.From.Areas {
		w := s.everywhere
		w.from, w.planned = a.At, a.Planned
		s.set(Fold(a.Area), w)
	}
	for _, a := range spec.Until.Areas {
		w, dated := s.window(a.Area, false)
		if !dated {
			c.fault(below(at, "until", a.Area), "the rule has no from in this area")
		}
		if a.Planned {
			c.fault(below(at, "until", a.Area), "expected a date: an end without one is no end, so leave the area out")
		}
		w.until = a.At
		s.set(Fold(a.Area), w)
	}
	c.emptyWindows(s, at)
	return s
}

func (s *schedule) set(area string, w window) {
	if s.byArea == nil {
		s.byArea = map[string]window{}
	}
	s.byArea[area] = w
}

func (c *compiler) emptyWindows(s schedule, at []any) {
	check := func(w window, where string) {
		if !w.until.IsZero() && !w.from.Before(w.until) && !w.from.IsZero() {
			c.fault(below(at, "until"), "ends%s at %s, not after it begins (%s)", where, c.show(w.until), c.show(w.from))
		}
	}
	check(s.everywhere, "")
	for _, area := range slices.Sorted(maps.Keys(s.byArea)) {
		check(s.byArea[area], fmt.Sprintf(" in %s", area))
	}
}

func (c *compiler) show(t time.Time) string {
	return strings.TrimSuffix(t.In(c.policy.Location).Format("2006-01-02 15:04:05"), " 00:00:00")
}

// index notes which rules are worth asking for each course, so that Decide does not walk past the others.
func (p *Policy) index() {
	p.byCourse = make([][]int, len(p.courses.list))
	for i := range p.rules {
		when := &p.rules[i].when
		switch {
		case when.unknownContract:
			p.unknown = append(p.unknown, i)
			continue
		case !when.asksCourse:
			p.unnamed = append(p.unnamed, i)
		}
		for course := range p.byCourse {
			if wanted := when.course(); wanted == nil || wanted[course] {
				p.byCourse[course] = append(p.byCourse[course], i)
			}
		}
	}
}

// course is the set of courses a condition wants at its outermost level, nil for any.
func (c *condition) course() []bool {
	for i := range c.tests {
		if c.tests[i].key == courseKey {
			return c.tests[i].courses
		}
	}
	return nil
}
