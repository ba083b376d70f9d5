package policyfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/engine/yamldoc"
)

// A mutant is a policy with one word changed. Its tests must notice.
type mutant struct {
	name   string
	change func(*policyText)

	spelling bool // of a course or login
}

// TestEveryWordOfAShippedPolicyIsTested changes every date, course, action, form, option and so on of every rule, every
// course and every login of the shipped policies, one at a time, and wants the policy's own tests to fail each time.
// `make mutate` shows the mutants by name.
func TestEveryWordOfAShippedPolicyIsTested(t *testing.T) {
	t.Parallel()
	for _, name := range Shipped() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src, _ := Source(name)
			testSrc, err := policies.ReadFile("policies/" + name + testSuffix)
			if err != nil {
				t.Fatal(err)
			}
			tests, _, problems := yamldoc.Decode[testsText](name, testSrc)
			if problems.Err() != nil {
				t.Fatal(problems)
			}
			text, _, problems := yamldoc.Decode[policyText](name, src)
			if problems.Err() != nil {
				t.Fatal(problems)
			}
			mutants := mutantsOf(&text)
			if len(mutants) < 20 {
				t.Errorf("only %d mutants", len(mutants))
			}
			original := shipped(t, name)
			for _, m := range mutants {
				how := killed(text.clone(), m, &tests)
				if how == "" && m.decides(text.clone(), original) {
					how = "decides every session as before on every day"
				}
				if how == "" {
					t.Errorf("%s: no test fails when %s", name, m.name)
				}
				t.Logf("%s: %s: %s", name, m.name, how)
			}
		})
	}
}

// clone copies all that a mutant changes.
func (f *policyText) clone() *policyText {
	c := *f
	c.Logins, c.Rules, c.Courses = slices.Clone(f.Logins), slices.Clone(f.Rules), slices.Clone(f.Courses)
	for i := range c.Courses {
		c.Courses[i].Value.Alias = slices.Clone(c.Courses[i].Value.Alias)
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		r.From.ByArea, r.Until.ByArea = slices.Clone(r.From.ByArea), slices.Clone(r.Until.ByArea)
		for w := &r.When; w != nil; w = w.Not {
			w.Course, w.Request = slices.Clone(w.Course), slices.Clone(w.Request)
			for j := range w.Request {
				w.Request[j].Value = slices.Clone(w.Request[j].Value)
			}
			if w.Not != nil {
				not := *w.Not
				w.Not = &not
			}
		}
	}
	return &c
}

// killed says by what a mutant was found out; empty if by nothing.
func killed(text *policyText, m mutant, tests *testsText) string {
	m.change(text)
	p, faults := engine.Compile(text.spec())
	if p == nil {
		return "refused: " + faults[0].Text
	}
	for _, t := range tests.Tests {
		for _, c := range t.cases() {
			r := TestResult{Name: c.name}
			if r.run(p, c); len(r.Failures) > 0 {
				return fmt.Sprintf("test %q: %s", r.Name, r.Failures[0])
			}
		}
	}
	return ""
}

// decides says whether a mutant decides every kind of session that it or the original knows as the original does, on
// every day and whatever stage is pretended: then it is the same policy in other words, and no test can tell. Spellings
// of courses and logins are no matter of kinds: what changes those must always be noticed.
func (m mutant) decides(text *policyText, original *engine.Policy) bool {
	m.change(text)
	changed, _ := engine.Compile(text.spec())
	if changed == nil || m.spelling {
		return false
	}
	for _, p := range []*engine.Policy{original, changed} {
		kinds, err := engine.Kinds(p)
		if err != nil {
			return false
		}
		for _, k := range kinds {
			for _, f := range examples(k) {
				if !alwaysAlike(original, changed, f) {
					return false
				}
			}
		}
	}
	return true
}

// examples are sessions of a kind with each value that one of the policies takes for the same; the other may not.
func examples(k engine.Kind) []engine.Facts {
	all := []engine.Facts{k.Facts}
	for _, a := range k.Answers {
		values := a.Question.Choices[a.Choice].Values
		for _, v := range values[min(1, len(values)):] {
			f := k.Facts
			if f.Contract != nil {
				c := *f.Contract
				c.Options = slices.Clone(c.Options)
				f.Contract = &c
			}
			put(&f, a.Question, values[0], v)
			all = append(all, f)
		}
	}
	return all
}

func put(f *engine.Facts, q *engine.Question, old, v string) {
	switch q.Key {
	case "form":
		f.Login.Form = v
	case "area":
		f.NAS.Area = v
	case "address":
		f.Contract.Address = v
	case "option":
		f.Contract.Options[slices.Index(f.Contract.Options, old)] = v
	case "request":
		f.Request = slices.Clone(f.Request)
		f.Request[slices.Index(f.Request, engine.Attribute{Name: q.Name, Value: old})].Value = v
	}
}

func alwaysAlike(p, q *engine.Policy, f engine.Facts) bool {
	for _, stages := range pretences(p) {
		f.Stages = stages
		if !alike(p, q, &f) {
			return false
		}
	}
	return true
}

func pretences(p *engine.Policy) [][]string {
	sets := [][]string{nil}
	var all []string
	for _, r := range p.Rules {
		sets = append(sets, []string{r.Name})
		all = append(all, r.Name)
	}
	return append(sets, all)
}

// alike follows two policies from change to change.
func alike(p, q *engine.Policy, f *engine.Facts) bool {
	for at := (time.Time{}); ; {
		a, b := engine.Decide(p, f, at), engine.Decide(q, f, at)
		if a.Action != b.Action || a.Rule != b.Rule || !a.Until.Equal(b.Until) {
			return false
		}
		if a.Until.IsZero() {
			return true
		}
		at = a.Until
	}
}

func mutantsOf(text *policyText) []mutant {
	var all []mutant
	for i := range text.Rules {
		all = append(all, ruleMutants(text, i)...)
	}
	for i := range text.Courses {
		all = append(all, courseMutants(text, i)...)
	}
	all = append(all, loginMutants(text)...)
	return append(all, wayOutMutants(text)...)
}

func ruleMutants(text *policyText, i int) []mutant {
	r := text.Rules[i]
	rule := func(name string, change func(*ruleText)) mutant {
		return mutant{name: fmt.Sprintf("rule %s %s", r.Name, name), change: func(p *policyText) { change(&p.Rules[i]) }}
	}
	all := []mutant{
		{name: "rule " + r.Name + " is gone", change: func(p *policyText) { p.Rules = slices.Delete(p.Rules, i, i+1) }},
		rule("has another name", func(r *ruleText) { r.Name += "-2" }),
	}
	for _, a := range text.Actions {
		if a.Key != r.Then {
			all = append(all, rule("sets "+a.Key, func(r *ruleText) { r.Then = a.Key }))
		}
	}
	all = append(all, dateMutants("from", r.From, func(name string, change func(*bound)) mutant {
		return rule(name, func(r *ruleText) { change(&r.From) })
	})...)
	all = append(all, dateMutants("until", r.Until, func(name string, change func(*bound)) mutant {
		return rule(name, func(r *ruleText) { change(&r.Until) })
	})...)
	return append(all, whenMutants(text, r.When, func(name string, change func(*whenText)) mutant {
		return rule(name, func(r *ruleText) { change(&r.When) })
	})...)
}

// moments are what a date may become: a day or a second away, planned, always.
func moments(m moment) []moment {
	if m.text == "" {
		return nil
	}
	all := []moment{{}, {text: "2007-03-01"}}
	if m.planned {
		return all
	}
	all[1] = moment{text: plannedWord, planned: true}
	day := m.in(time.UTC)
	return append(all, moment{text: day.AddDate(0, 0, -1).Format("2006-01-02T15:04:05")}, moment{text: day.AddDate(0, 0, 1).Format("2006-01-02T15:04:05")},
		moment{text: day.Add(-1e9).Format("2006-01-02T15:04:05")}, moment{text: day.Add(1e9).Format("2006-01-02T15:04:05")})
}

func dateMutants(key string, b bound, make func(string, func(*bound)) mutant) []mutant {
	var all []mutant
	for _, m := range moments(b.Everywhere) {
		all = append(all, make(fmt.Sprintf("has %s %q", key, m.text), func(b *bound) { b.Everywhere = m }))
	}
	for i, a := range b.ByArea {
		all = append(all, make(fmt.Sprintf("has no %s in %s", key, a.Key), func(b *bound) { b.ByArea = slices.Delete(b.ByArea, i, i+1) }))
		all = append(all, make(fmt.Sprintf("has %s in osaka for %s", key, a.Key), func(b *bound) { b.ByArea[i].Key = "osaka" }))
		for _, m := range moments(a.Value) {
			all = append(all, make(fmt.Sprintf("has %s in %s %q", key, a.Key, m.text), func(b *bound) { b.ByArea[i].Value = m }))
		}
	}
	return all
}

func whenMutants(text *policyText, w whenText, make func(string, func(*whenText)) mutant) []mutant {
	var all []mutant
	keys := []struct {
		name  string
		of    func(*whenText) *yamldoc.Strings
		other []string
	}{
		{"course", func(w *whenText) *yamldoc.Strings { return &w.Course }, groupsAndCourses(text)},
		{"form", func(w *whenText) *yamldoc.Strings { return &w.Form }, formsOf(text)},
		{"realm", func(w *whenText) *yamldoc.Strings { return &w.Realm }, []string{"elsewhere.example"}},
		{"address", func(w *whenText) *yamldoc.Strings { return &w.Address }, []string{"dynamic", "fixed", "simple-fixed"}},
		{"option", func(w *whenText) *yamldoc.Strings { return &w.Option }, []string{"fixed-ip", "security-vpn", "nothing-sold"}},
		{"segment", func(w *whenText) *yamldoc.Strings { return &w.Segment }, []string{"personal", "corporate-s"}},
		{"status", func(w *whenText) *yamldoc.Strings { return &w.Status }, []string{"active", "suspended", "closed"}},
		{"area", func(w *whenText) *yamldoc.Strings { return &w.Area }, []string{"tokyo", "okinawa", "osaka"}},
		{"nas", func(w *whenText) *yamldoc.Strings { return &w.NAS }, []string{"nas-of-nobody"}},
	}
	for _, k := range keys {
		all = append(all, listMutants(k.name, *k.of(&w), k.other, func(name string, list yamldoc.Strings) mutant {
			return make(name, func(w *whenText) { *k.of(w) = list })
		})...)
	}
	for i, r := range w.Request {
		all = append(all, make("does not ask "+r.Key, func(w *whenText) { w.Request = slices.Delete(w.Request, i, i+1) }))
		for j, v := range r.Value {
			all = append(all, make(fmt.Sprintf("does not name %s %s", r.Key, v), func(w *whenText) { w.Request[i].Value = slices.Delete(w.Request[i].Value, j, j+1) }))
		}
		all = append(all, make("names another "+r.Key, func(w *whenText) { w.Request[i].Value = append(w.Request[i].Value, "Virtual") }))
	}
	if w.Not != nil {
		all = append(all, make("has no not", func(w *whenText) { w.Not = nil }))
		all = append(all, whenMutants(text, *w.Not, func(name string, change func(*whenText)) mutant {
			return make("not "+name, func(w *whenText) { change(w.Not) })
		})...)
	}
	return all
}

// listMutants leave a word out of a list, add one, put one in the place of another, and take the whole key away. A key
// that is not there is asked for each of the words.
func listMutants(key string, list yamldoc.Strings, words []string, make func(string, yamldoc.Strings) mutant) []mutant {
	var all []mutant
	others := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(list, w) })
	if list == nil {
		return nil
	}
	all = append(all, make("does not ask "+key, nil))
	for _, w := range others {
		all = append(all, make(fmt.Sprintf("asks %s %s too", key, w), append(slices.Clone(list), w)))
	}
	for i, old := range list {
		if len(list) > 1 {
			all = append(all, make(fmt.Sprintf("does not ask %s %s", key, old), slices.Delete(slices.Clone(list), i, i+1)))
		}
		for _, w := range others {
			changed := slices.Clone(list)
			changed[i] = w
			all = append(all, make(fmt.Sprintf("asks %s %s for %s", key, w, old), changed))
		}
	}
	return all
}

func groupsAndCourses(text *policyText) []string {
	var all []string
	for _, c := range text.Courses {
		all = append(all, c.Key)
		for _, g := range c.Value.Group {
			if !slices.Contains(all, g) {
				all = append(all, g)
			}
		}
	}
	return all
}

func formsOf(text *policyText) []string {
	var all []string
	for _, l := range text.Logins {
		all = append(all, l.Form)
	}
	return all
}

func courseMutants(text *policyText, i int) []mutant {
	c := text.Courses[i]
	course := func(name string, change func(*courseText)) mutant {
		return mutant{name: fmt.Sprintf("course %s %s", c.Key, name), change: func(p *policyText) { change(&p.Courses[i].Value) }}
	}
	all := []mutant{
		{name: "course " + c.Key + " is gone", change: func(p *policyText) { p.Courses = slices.Delete(p.Courses, i, i+1) }},
		{name: "course " + c.Key + " has another name", change: func(p *policyText) {
			p.Courses[i].Value.Name += "X"
			p.Courses[i].Key += "-x" // the id may be the name in other letters
			renameCourse(p, c.Key, p.Courses[i].Key)
		}},
	}
	for j, a := range c.Value.Alias {
		other := course("is not called "+a, func(c *courseText) { c.Alias = slices.Delete(c.Alias, j, j+1) })
		other.spelling = true
		all = append(all, other)
	}
	var groups []string
	for _, other := range text.Courses {
		for _, g := range other.Value.Group {
			if !slices.Contains(groups, g) {
				groups = append(groups, g)
			}
		}
	}
	return append(all, listMutants("group", c.Value.Group, groups, func(name string, list yamldoc.Strings) mutant {
		return course(strings.Replace(name, "asks", "is in", 1), func(c *courseText) { c.Group = list })
	})...)
}

func renameCourse(p *policyText, from, to string) {
	for i := range p.Rules {
		for w := &p.Rules[i].When; w != nil; w = w.Not {
			if at := slices.Index(w.Course, from); at >= 0 {
				w.Course[at] = to
			}
		}
	}
}

func loginMutants(text *policyText) []mutant {
	var all []mutant
	for i, l := range text.Logins {
		login := func(name string, change func(*loginText)) mutant {
			return mutant{fmt.Sprintf("login %s %s", l.Match, name), func(p *policyText) { change(&p.Logins[i]) }, true}
		}
		all = append(all,
			mutant{"login " + l.Match + " is gone", func(p *policyText) { p.Logins = slices.Delete(p.Logins, i, i+1) }, true},
			login("is in another realm", func(l *loginText) { l.Match += ".example" }),
			login("has another prefix", func(l *loginText) { l.Match = "x" + l.Match }),
		)
		for _, form := range formsOf(text) {
			if form != l.Form {
				all = append(all, login("has form "+form, func(l *loginText) { l.Form = form }))
			}
		}
	}
	return all
}

func wayOutMutants(text *policyText) []mutant {
	all := []mutant{{name: "the clock is UTC", change: func(p *policyText) { p.Timezone = zone{time.UTC} }}}
	for _, a := range text.Actions {
		if a.Key != text.Otherwise {
			all = append(all, mutant{name: "otherwise is " + a.Key, change: func(p *policyText) { p.Otherwise = a.Key }})
		}
		if a.Key != text.UnknownContract {
			all = append(all, mutant{name: "unknown-contract is " + a.Key, change: func(p *policyText) { p.UnknownContract = a.Key }})
		}
	}
	if text.CourseNames.SpeedGrades {
		all = append(all, mutant{"speed grades are other courses", func(p *policyText) { p.CourseNames.SpeedGrades = false }, true})
	}
	return append(all, listMutants("endings", text.CourseNames.Endings, nil, func(name string, list yamldoc.Strings) mutant {
		return mutant{"it " + name, func(p *policyText) { p.CourseNames.Endings = list }, true}
	})...)
}
