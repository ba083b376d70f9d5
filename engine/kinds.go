package engine

import "fmt"

// maxKinds bounds how many kinds of sessions are told apart; a policy of an ISP has some dozens.
const maxKinds = 1 << 14

// Kind is a set of sessions that the policy treats alike on every day, whatever stages are pretended.
type Kind struct {
	Unknown bool     // accounts without a contract
	Course  string   // id; empty for a course that the policy does not name
	Answers []Answer // what else tells these sessions from others, in the order in which it was asked
	Facts   Facts    // of one such session
}

// Answer is a question with one of its choices.
type Answer struct {
	Question *Question
	Choice   int
}

// Kinds tells apart all sessions that the policy does, asking only what matters: every session is of exactly one kind.
// It fails when there are too many to be read by anybody.
func Kinds(p *Policy) ([]Kind, error) {
	a := newAsker(p)
	var kinds []Kind
	err := a.everyRoot(func(_ answers, n *node) error {
		kinds = n.leaves(kinds)
		return nil
	})
	return kinds, err
}

// A node of the tree of questions has a question with a way for each choice, or is a leaf with a kind.
type node struct {
	question *Question
	ways     []*node
	kind     *Kind
}

func (n *node) leaves(to []Kind) []Kind {
	if n.kind != nil {
		return append(to, *n.kind)
	}
	for _, way := range n.ways {
		to = way.leaves(to)
	}
	return to
}

// answers are what is known of a session so far.
type answers struct {
	unknown bool // contract
	course  int  // -1: not named
	given   map[*Question]int
	order   []*Question
}

func (s *answers) give(q *Question, choice int) {
	s.given[q], s.order = choice, append(s.order, q)
}

func (s *answers) takeBack(q *Question) {
	delete(s.given, q)
	s.order = s.order[:len(s.order)-1]
}

// An asker finds out which question to ask next.
type asker struct {
	policy    *Policy
	questions map[fact][]*Question
	kinds     int
}

func newAsker(p *Policy) *asker { return &asker{policy: p, questions: p.questions()} }

// everyRoot builds a tree for each course, for courses without a name, and for accounts without a contract.
func (a *asker) everyRoot(take func(answers, *node) error) error {
	for course := range len(a.policy.courses.list) + 1 {
		s := answers{course: course, given: map[*Question]int{}}
		if course == len(a.policy.courses.list) {
			s.course = -1
		}
		if err := a.root(s, take); err != nil {
			return err
		}
	}
	return a.root(answers{unknown: true, course: -1, given: map[*Question]int{}}, take)
}

func (a *asker) root(s answers, take func(answers, *node) error) error {
	n, err := a.walk(&s)
	if err != nil {
		return err
	}
	return take(s, n)
}

func (a *asker) walk(s *answers) (*node, error) {
	q := a.open(s)
	if q == nil {
		if a.kinds++; a.kinds > maxKinds {
			return nil, fmt.Errorf("policy %s tells more than %d kinds of sessions apart", a.policy.Name, maxKinds)
		}
		return &node{kind: a.kind(s)}, nil
	}
	n := &node{question: q}
	for choice := range q.Choices {
		s.give(q, choice)
		way, err := a.walk(s)
		s.takeBack(q)
		if err != nil {
			return nil, err
		}
		n.ways = append(n.ways, way)
	}
	return n, nil
}

// open is the first question whose answer may still make a difference on some day; nil for none.
func (a *asker) open(s *answers) *Question {
	for _, i := range a.rules(s) {
		r := &a.policy.rules[i]
		if s.course < 0 && r.when.asksCourse {
			continue // see applies
		}
		held, q := a.holds(&r.when, s)
		if q != nil {
			return q
		}
		if !held {
			continue
		}
		if r.byArea != nil {
			if q := a.areaOf(s); q != nil {
				return q
			}
		}
		if w, dated := r.window(a.area(s), false); dated && w == (window{}) {
			return nil // it wins on every day: nothing below it is ever asked
		}
	}
	return nil
}

func (a *asker) rules(s *answers) []int {
	switch {
	case s.unknown:
		return a.policy.unknown
	case s.course < 0:
		return a.policy.unnamed
	}
	return a.policy.byCourse[s.course]
}

// holds evaluates a condition as far as the answers go; else it gives the question that is missing.
func (a *asker) holds(c *condition, s *answers) (held bool, missing *Question) {
	for i := range c.tests {
		held, missing := a.test(&c.tests[i], s)
		if missing != nil || !held {
			return false, missing
		}
	}
	if c.not == nil {
		return true, nil
	}
	held, missing = a.holds(c.not, s)
	return !held, missing
}

func (a *asker) test(t *test, s *answers) (held bool, missing *Question) {
	if t.key == courseKey {
		return s.course >= 0 && t.courses[s.course], nil
	}
	if s.unknown && t.key.ofContract() {
		return false, nil
	}
	for _, q := range a.questions[t.fact()] {
		choice, given := s.given[q]
		switch {
		case !q.bears(t):
		case !given && missing == nil:
			missing = q
		case given && q.meets(choice, t):
			return true, nil
		}
	}
	return false, missing
}

func (a *asker) areaOf(s *answers) *Question {
	for _, q := range a.questions[fact{key: areaKey}] {
		if _, given := s.given[q]; !given {
			return q
		}
	}
	return nil
}

func (a *asker) area(s *answers) string {
	for _, q := range a.questions[fact{key: areaKey}] {
		if choice, given := s.given[q]; given {
			return q.Choices[choice].example()
		}
	}
	return ""
}

// kind makes the example that stands for all sessions with these answers.
func (a *asker) kind(s *answers) *Kind {
	k := &Kind{Unknown: s.unknown}
	if !s.unknown {
		k.Facts.Contract = &Contract{}
	}
	if s.course >= 0 {
		k.Course = a.policy.courses.list[s.course].ID
		k.Facts.Contract.Course = k.Course
	}
	for _, q := range s.order {
		k.Answers = append(k.Answers, Answer{q, s.given[q]})
		q.tell(s.given[q], &k.Facts)
	}
	return k
}
