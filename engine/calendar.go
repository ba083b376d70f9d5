package engine

import (
	"cmp"
	"slices"
	"time"
)

// Change is what happens on a date to sessions that were treated alike before: From becomes To by Rule.
type Change struct {
	At       time.Time // zero for a stage without a date
	Until    time.Time // only without a date: from here on the stage would change nothing; zero for never
	From, To string    // actions
	Rule     string    // that decides from then on
	Courses  []Course  // in the policy's order
	Unnamed  bool      // also courses that the policy does not name
	Unknown  bool      // also accounts without a contract
	Areas    []string  // nil: wherever the session arrives; "" among them: in any other area, or none
	Except   []string  // rules by which other sessions of these courses, in these areas, keep a looser action
}

// Calendar lists everything that a policy changes by date, in the order of the dates; stages without a date come last,
// with what they would newly do. It fails as Kinds does.
func Calendar(p *Policy) ([]Change, error) {
	kinds, err := Kinds(p)
	if err != nil {
		return nil, err
	}
	c := &calendar{policy: p, kinds: kinds, areas: newAsker(p).areas()}
	days := p.boundaries()
	for _, day := range days {
		c.day(day)
	}
	for i := range p.rules {
		c.planned(&p.rules[i], days)
	}
	return c.changes, nil
}

type calendar struct {
	policy  *Policy
	kinds   []Kind
	areas   []string // that the policy knows, and "" for any other
	changes []Change
}

// boundaries are all instants at which a rule begins or ends, each once, in order.
func (p *Policy) boundaries() []time.Time {
	var all []time.Time
	add := func(w window) {
		for _, t := range [2]time.Time{w.from, w.until} {
			if !t.IsZero() {
				all = append(all, t)
			}
		}
	}
	for i := range p.rules {
		add(p.rules[i].everywhere)
		for _, w := range p.rules[i].byArea {
			add(w)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// areas are the areas that the policy tells apart, and "" for the rest; only that when it asks for no area.
func (a *asker) areas() []string {
	var areas []string
	for _, q := range a.questions[fact{key: areaKey}] {
		for _, c := range q.Choices {
			areas = append(areas, c.Values...)
		}
	}
	return append(areas, "")
}

// in says whether sessions of the kind arrive in an area; those that nobody asks for it arrive in all.
func (k *Kind) in(area string) bool {
	for _, a := range k.Answers {
		if a.Question.fact.key != areaKey {
			continue
		}
		c := a.Question.Choices[a.Choice]
		return c.Other && area == "" || slices.Contains(c.Values, area)
	}
	return true
}

// A place is where sessions are counted: a course (or none) in an area.
type place struct {
	course  string
	unknown bool
	area    string
}

// A turn is one thing that happens: the heading under which places are collected.
type turn struct{ from, to, rule string }

// collect notes which turn the sessions of each place take, given the decisions of each kind before and after.
func (c *calendar) collect(compare func(*Kind) (before, after Decision), here func(area string) bool) map[turn]map[place]bool {
	turns := map[turn]map[place]bool{}
	for i := range c.kinds {
		k := &c.kinds[i]
		before, after := compare(k)
		if before.Action == after.Action {
			continue
		}
		t := turn{before.Action, after.Action, after.Rule}
		for _, area := range c.areas {
			if !k.in(area) || !here(area) {
				continue
			}
			if turns[t] == nil {
				turns[t] = map[place]bool{}
			}
			turns[t][place{k.Course, k.Unknown, area}] = true
		}
	}
	return turns
}

func (c *calendar) day(day time.Time) {
	turns := c.collect(func(k *Kind) (before, after Decision) {
		return Decide(c.policy, &k.Facts, day.Add(-1)), Decide(c.policy, &k.Facts, day)
	}, anywhere)
	c.write(turns, Change{At: day}, day, nil)
}

func anywhere(string) bool { return true }

// planned shows a stage without a date as late as it would still change anything.
func (c *calendar) planned(r *rule, days []time.Time) {
	without := func(area string) bool {
		w, dated := r.window(area, false)
		return dated && w.planned
	}
	if !slices.ContainsFunc(c.areas, without) {
		return
	}
	var until time.Time
	for i := len(days); i >= 0; i-- {
		at := time.Time{} // before the first date
		if i > 0 {
			at = days[i-1]
		}
		turns := c.collect(func(k *Kind) (before, after Decision) {
			f := k.Facts
			f.Stages = []string{r.name}
			return Decide(c.policy, &k.Facts, at), Decide(c.policy, &f, at)
		}, without)
		if len(turns) > 0 {
			c.write(turns, Change{Until: until}, at, []string{r.name})
			return
		}
		until = at
	}
}

// write makes one change of all courses that take the same turn in the same areas.
func (c *calendar) write(turns map[turn]map[place]bool, like Change, at time.Time, stages []string) {
	from := len(c.changes)
	for t, places := range turns {
		for _, areas := range c.areaSets(places) {
			ch := like
			ch.From, ch.To, ch.Rule = t.from, t.to, t.rule
			c.fill(&ch, places, areas)
			ch.Except = c.exceptions(ch, areas, at, stages)
			if len(areas) < len(c.areas) {
				ch.Areas = areas
			}
			c.changes = append(c.changes, ch)
		}
	}
	order := c.policy.order()
	slices.SortFunc(c.changes[from:], func(a, b Change) int {
		return cmp.Or(order(a.Rule)-order(b.Rule), cmp.Compare(c.policy.rank(a.From), c.policy.rank(b.From)),
			slices.Compare(a.Areas, b.Areas), cmp.Compare(len(b.Courses), len(a.Courses)))
	})
}

// order gives a rule's place in the policy, the ways out behind all rules.
func (p *Policy) order() func(rule string) int {
	return func(rule string) int {
		if i := slices.IndexFunc(p.Rules, func(r Rule) bool { return r.Name == rule }); i >= 0 {
			return i
		}
		return len(p.Rules)
	}
}

// areaSets are the different sets of areas that courses have among the places, each in the policy's order.
func (c *calendar) areaSets(places map[place]bool) [][]string {
	var sets [][]string
	for _, subject := range c.subjects() {
		areas := c.areasOf(places, subject)
		if len(areas) > 0 && !slices.ContainsFunc(sets, func(s []string) bool { return slices.Equal(s, areas) }) {
			sets = append(sets, areas)
		}
	}
	return sets
}

// subjects are all courses, courses without a name, and accounts without a contract.
func (c *calendar) subjects() []place {
	var all []place
	for _, course := range c.policy.courses.list {
		all = append(all, place{course: course.ID})
	}
	return append(all, place{}, place{unknown: true})
}

func (c *calendar) areasOf(places map[place]bool, subject place) []string {
	var areas []string
	for _, area := range c.areas {
		subject.area = area
		if places[subject] {
			areas = append(areas, area)
		}
	}
	return areas
}

func (c *calendar) fill(ch *Change, places map[place]bool, areas []string) {
	for _, subject := range c.subjects() {
		switch {
		case !slices.Equal(c.areasOf(places, subject), areas):
		case subject.unknown:
			ch.Unknown = true
		case subject.course == "":
			ch.Unnamed = true
		default:
			course, _ := c.policy.Course(subject.course)
			ch.Courses = append(ch.Courses, course)
		}
	}
}

// exceptions are the rules that keep sessions of these places at something looser.
func (c *calendar) exceptions(ch Change, areas []string, at time.Time, stages []string) []string {
	var rules []string
	for i := range c.kinds {
		k := &c.kinds[i]
		if !ch.concerns(k) || !slices.ContainsFunc(areas, k.in) {
			continue
		}
		f := k.Facts
		f.Stages = stages
		if d := Decide(c.policy, &f, at); c.policy.Tighter(ch.To, d.Action) && !slices.Contains(rules, d.Rule) {
			rules = append(rules, d.Rule)
		}
	}
	order := c.policy.order()
	slices.SortFunc(rules, func(a, b string) int { return order(a) - order(b) })
	return rules
}

func (ch *Change) concerns(k *Kind) bool {
	switch {
	case k.Unknown:
		return ch.Unknown
	case k.Course == "":
		return ch.Unnamed
	}
	return slices.ContainsFunc(ch.Courses, func(c Course) bool { return c.ID == k.Course })
}
