package engine

import (
	"maps"
	"slices"
)

// Question is something that a policy wants to know of a session. A session has one of the choices.
type Question struct {
	Key     string // as in a rule's `when`: form, realm, address, option, segment, status, area, nas, request
	Name    string // of the request attribute
	Choices []Choice

	fact fact
}

// Choice is a set of values between which the policy makes no difference.
type Choice struct {
	Values []string // as the policy writes them; of options and request attributes, one of these suffices
	Other  bool     // none that the policy names; Values are then the words that are left, if the key has fixed words
}

// A fact is what tests look at: a key, or a request attribute.
type fact struct {
	key  key
	name string
}

func (t *test) fact() fact { return fact{t.key, t.name} }

// ofContract says whether a key looks at the contract.
func (k key) ofContract() bool {
	return k == courseKey || k == addressKey || k == optionKey || k == segmentKey || k == statusKey
}

// several says whether a session may have more than one value: then each choice is a question of its own, with yes and
// no for an answer.
func (f fact) several() bool { return f.key == optionKey || f.key == requestKey }

// example is a value of a session that has the choice; empty is none that any policy names.
func (c Choice) example() string {
	if len(c.Values) == 0 {
		return ""
	}
	return c.Values[0]
}

// bears says whether the question has anything to do with a test of the same fact.
func (q *Question) bears(t *test) bool { return !q.fact.several() || q.meets(0, t) }

// meets says whether a session with this choice passes the test.
func (q *Question) meets(choice int, t *test) bool {
	c := q.Choices[choice]
	return !c.Other && slices.Contains(t.want, Fold(c.example()))
}

// tell writes a choice into facts.
func (q *Question) tell(choice int, f *Facts) {
	c := q.Choices[choice]
	v := c.example()
	switch q.fact.key {
	case formKey:
		f.Login.Form = v
	case realmKey:
		f.Login.Realm = v
	case areaKey:
		f.NAS.Area = v
	case nasKey:
		f.NAS.Name = v
	case optionKey:
		if !c.Other {
			f.Contract.Options = append(f.Contract.Options, v)
		}
	case requestKey:
		if !c.Other {
			f.Request = append(f.Request, Attribute{q.Name, v})
		}
	case addressKey:
		f.Contract.Address = v
	case segmentKey:
		f.Contract.Segment = v
	case statusKey:
		f.Contract.Status = v
	}
}

// Choose finds the choice that a session has.
func (q *Question) Choose(f *Facts) int {
	s := subject{facts: f, contract: f.Contract}
	if s.contract == nil {
		s.contract = noContract
	}
	for i, c := range q.Choices {
		t := test{key: q.fact.key, name: q.fact.name}
		for _, v := range c.Values {
			t.want = append(t.want, Fold(v))
		}
		if !c.Other && t.holds(&s) {
			return i
		}
	}
	return len(q.Choices) - 1
}

// questions are all that the policy may ask, the course apart. Values that are wanted by the same tests are one choice.
func (p *Policy) questions() map[fact][]*Question {
	wanted := map[fact]*values{}
	of := func(f fact) *values {
		if wanted[f] == nil {
			wanted[f] = &values{by: map[string][]int{}}
		}
		return wanted[f]
	}
	n := 0
	for i := range p.rules {
		for c := &p.rules[i].when; c != nil; c = c.not {
			for j := range c.tests {
				if t := &c.tests[j]; t.key != courseKey {
					of(t.fact()).wantedBy(n, t.written)
					n++
				}
			}
		}
		for _, area := range slices.Sorted(maps.Keys(p.rules[i].byArea)) {
			of(fact{key: areaKey}).wantedBy(n, []string{area}) // each on its own: its dates are its own
			n++
		}
	}
	all := map[fact][]*Question{}
	for f, v := range wanted {
		all[f] = v.questions(f, p.vocabulary(f.key))
	}
	return all
}

// vocabulary are the words that a key can have, where they are known.
func (p *Policy) vocabulary(k key) []string {
	switch k {
	case addressKey:
		return addressWords
	case statusKey:
		return statusWords
	case formKey:
		var forms []string
		for _, l := range p.Logins {
			if !slices.Contains(forms, l.Form) {
				forms = append(forms, l.Form)
			}
		}
		return forms
	}
	return nil
}

// values are all that tests want of a fact, with the tests that want them.
type values struct {
	written []string // in the order of the policy, each in its first spelling
	by      map[string][]int
}

func (v *values) wantedBy(test int, written []string) {
	for _, w := range written {
		f := Fold(w)
		if v.by[f] == nil {
			v.written = append(v.written, w)
		}
		if n := len(v.by[f]); n == 0 || v.by[f][n-1] != test {
			v.by[f] = append(v.by[f], test)
		}
	}
}

func (v *values) questions(f fact, vocabulary []string) []*Question {
	choices := v.choices()
	if f.several() {
		var all []*Question
		for _, c := range choices {
			all = append(all, &Question{Key: keyNames[f.key], Name: f.name, Choices: []Choice{c, {Other: true}}, fact: f})
		}
		return all
	}
	other := Choice{Other: true}
	for _, w := range vocabulary {
		if v.by[Fold(w)] == nil {
			other.Values = append(other.Values, w)
		}
	}
	if f.key != addressKey || len(other.Values) > 0 { // an address that is not said is dynamic: it is always one of the words
		choices = append(choices, other)
	}
	return []*Question{{Key: keyNames[f.key], Choices: choices, fact: f}}
}

// choices joins values that the same tests want.
func (v *values) choices() []Choice {
	var choices []Choice
	for _, w := range v.written {
		i := slices.IndexFunc(choices, func(c Choice) bool { return slices.Equal(v.by[Fold(c.Values[0])], v.by[Fold(w)]) })
		if i < 0 {
			choices = append(choices, Choice{})
			i = len(choices) - 1
		}
		choices[i].Values = append(choices[i].Values, w)
	}
	return choices
}
