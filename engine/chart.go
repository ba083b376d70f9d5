package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Chart is the questionnaire by which a subscriber finds out whether a policy concerns them, and from when on: first how
// mail is sent, then the course, then only what makes a difference. It is derived from the policy alone.
type Chart struct {
	Policy  *Policy
	At      time.Time
	Sending []Sending // the choices of the first question
	Steps   []ChartStep
	Results []ChartResult
	first   way // where the questions about the connection begin
}

// Sending is a way to send mail. Filters are on port 25 only: what goes through another port, and web mail, is free.
type Sending struct {
	Hosts     []string // own servers, on port 25
	OtherPort bool     // not through port 25 at all
}

// ChartStep is a question with its ways on; a way is for one or several of its choices.
type ChartStep struct {
	Question *Question
	Ways     []ChartWay
}

// ChartWay leads from some choices of a step to another step or to a result.
type ChartWay struct {
	Choices []Choice
	Courses []Course // instead of choices, where the course is asked; a choice beside them stands for all others
	way
}

// A way ends at a step or at a result.
type way struct {
	result bool
	index  int
}

// Step is the index of the next step; false where a result is reached.
func (w way) Step() (int, bool) { return w.index, !w.result }

// Result is the index of the result; false where another step follows.
func (w way) Result() (int, bool) { return w.index, w.result }

// First is where to go after the first question.
func (c *Chart) First() (step int, ok bool) { return c.first.Step() }

// ChartResult is what holds for the sessions that come to one end of the chart, and what will.
type ChartResult struct {
	Decision
	Next Decision // from Until on; zero if that is never
}

// courseQuestion stands in the chart where a condition would ask for the course.
var courseQuestion = &Question{Key: "course", fact: fact{key: courseKey}}

// NewChart derives the chart of a day. It fails as Kinds does.
func NewChart(p *Policy, at time.Time, stages []string) (*Chart, error) {
	b := &charter{chart: &Chart{Policy: p, At: at, Sending: sendings(p)}, stages: stages, known: map[string]way{}}
	var courses []ChartWay
	err := newAsker(p).everyRoot(func(s answers, n *node) error {
		if s.unknown {
			return nil // a subscriber has a contract
		}
		w := ChartWay{way: b.reduce(n)}
		if s.course >= 0 {
			w.Courses = []Course{p.courses.list[s.course]}
		} else {
			w.Choices = []Choice{{Other: true}}
		}
		courses = joinWays(courses, w)
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.chart.first = b.step(courseQuestion, courses)
	b.inReadingOrder()
	return b.chart, nil
}

// A charter reduces the tree of questions to those that matter on a day; equal parts of the tree become one.
type charter struct {
	chart  *Chart
	stages []string
	known  map[string]way
}

func (b *charter) reduce(n *node) way {
	if n.kind != nil {
		return b.result(n.kind.Facts)
	}
	var ways []ChartWay
	for i, child := range n.ways {
		ways = joinWays(ways, ChartWay{Choices: []Choice{n.question.Choices[i]}, way: b.reduce(child)})
	}
	return b.step(n.question, ways)
}

// joinWays adds a way, to the one that leads to the same place if there is one.
func joinWays(ways []ChartWay, w ChartWay) []ChartWay {
	for i := range ways {
		if ways[i].way == w.way {
			ways[i].Choices = append(ways[i].Choices, w.Choices...)
			ways[i].Courses = append(ways[i].Courses, w.Courses...)
			return ways
		}
	}
	return append(ways, w)
}

func (b *charter) step(q *Question, ways []ChartWay) way {
	if len(ways) == 1 {
		return ways[0].way // no difference: not asked
	}
	var key strings.Builder
	fmt.Fprintf(&key, "%p", q)
	for _, w := range ways {
		fmt.Fprintf(&key, "|%v", w)
	}
	if w, ok := b.known[key.String()]; ok {
		return w
	}
	w := way{index: len(b.chart.Steps)}
	b.chart.Steps = append(b.chart.Steps, ChartStep{q, ways})
	b.known[key.String()] = w
	return w
}

func (b *charter) result(f Facts) way {
	f.Stages = b.stages
	p := b.chart.Policy
	r := ChartResult{Decision: Decide(p, &f, b.chart.At)}
	if !r.Until.IsZero() {
		r.Next = Decide(p, &f, r.Until)
	}
	key := fmt.Sprint(r)
	if w, ok := b.known[key]; ok {
		return w
	}
	w := way{result: true, index: len(b.chart.Results)}
	b.chart.Results = append(b.chart.Results, r)
	b.known[key] = w
	return w
}

// inReadingOrder numbers steps so that every way leads onwards, and results as a reader meets them.
func (b *charter) inReadingOrder() {
	o := &readingOrder{chart: b.chart, number: map[way]int{}}
	o.visit(b.chart.first)
	slices.Reverse(o.met)
	for i, w := range o.met {
		o.number[w] = i
	}
	o.renumber(&b.chart.first)
	for _, w := range o.met {
		step := b.chart.Steps[w.index]
		for i := range step.Ways {
			o.renumber(&step.Ways[i].way)
		}
		o.steps = append(o.steps, step)
	}
	b.chart.Steps, b.chart.Results = o.steps, o.results
}

type readingOrder struct {
	chart   *Chart
	met     []way // steps, the last first
	number  map[way]int
	steps   []ChartStep
	results []ChartResult
}

func (o *readingOrder) visit(w way) {
	if _, met := o.number[w]; met || w.result {
		return
	}
	o.number[w] = -1
	for _, next := range slices.Backward(o.chart.Steps[w.index].Ways) {
		o.visit(next.way)
	}
	o.met = append(o.met, w)
}

func (o *readingOrder) renumber(w *way) {
	n, met := o.number[*w]
	if !met { // a result, for the first time
		n = len(o.results)
		o.number[*w] = n
		o.results = append(o.results, o.chart.Results[w.index])
	}
	w.index = n
}

// sendings are the ways to send between which the policy's actions differ: hosts that the same actions allow are one.
func sendings(p *Policy) []Sending {
	all := []Sending{{OtherPort: true}}
	var by []string
	for _, h := range p.Hosts {
		var allowing strings.Builder
		for _, a := range p.Actions {
			if slices.Contains(a.Allow, h.Name) {
				allowing.WriteString(a.Name + " ")
			}
		}
		i := slices.Index(by, allowing.String())
		if i < 0 && allowing.Len() > 0 {
			i = len(by)
			by, all = append(by, allowing.String()), append(all, Sending{})
		}
		if i >= 0 {
			all[i+1].Hosts = append(all[i+1].Hosts, h.Name)
		}
	}
	return append(all, Sending{})
}

// Reaches says whether mail can be sent in this way, unhindered, under an action.
func (s Sending) Reaches(a Action) bool {
	return s.OtherPort || a.Filter == "" && a.Pool == "" || len(s.Hosts) > 0 && slices.Contains(a.Allow, s.Hosts[0])
}

// Affected says whether someone who sends in this way is hindered where the chart ends in a result.
func (c *Chart) Affected(s Sending, r ChartResult) bool {
	a, _ := c.Policy.Action(r.Action)
	return !s.Reaches(a)
}

// Matters says whether the result differs, now or later, for anybody who sends in this way: if not, no more is asked.
func (c *Chart) Matters(s Sending) bool {
	return slices.ContainsFunc(c.Results, func(r ChartResult) bool {
		return c.Affected(s, r) || !r.Until.IsZero() && c.Affected(s, ChartResult{Decision: r.Next})
	})
}

// Answer goes through the chart as a subscriber with these facts would, and returns the index of the result.
func (c *Chart) Answer(f *Facts) int {
	w := c.first
	for !w.result {
		w = c.Steps[w.index].choose(c.Policy, f)
	}
	return w.index
}

func (s ChartStep) choose(p *Policy, f *Facts) way {
	if s.Question == courseQuestion {
		return s.chooseCourse(p, f)
	}
	chosen := s.Question.Choices[s.Question.Choose(f)]
	for _, w := range s.Ways {
		if slices.ContainsFunc(w.Choices, func(c Choice) bool { return c.Other == chosen.Other && slices.Equal(c.Values, chosen.Values) }) {
			return w.way
		}
	}
	panic("a step leaves a choice of its question without a way")
}

func (s ChartStep) chooseCourse(p *Policy, f *Facts) way {
	course, named := p.Course(f.Contract.Course)
	for _, w := range s.Ways {
		if !named && len(w.Choices) > 0 || named && slices.ContainsFunc(w.Courses, func(c Course) bool { return c.ID == course.ID }) {
			return w.way
		}
	}
	panic("a step leaves a course without a way")
}
