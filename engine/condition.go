package engine

import "strings"

// A key is what a test looks at.
type key uint8

const (
	courseKey key = iota
	formKey
	realmKey
	addressKey
	optionKey
	segmentKey
	statusKey
	areaKey
	nasKey
	requestKey
)

var keyNames = [...]string{"course", "form", "realm", "address", "option", "segment", "status", "area", "nas", "request"}

// A condition holds when all its tests do and the nested one does not.
type condition struct {
	tests           []test
	not             *condition
	unknownContract bool // asked for accounts without a contract, and only for those
	asksCourse      bool // here or below `not`
}

// A test holds when the fact is one of the wanted values; of a fact with several values (options, attributes sent
// twice) one suffices.
type test struct {
	key     key
	name    string   // of the request attribute
	written []string // the values as the policy writes them, for people
	want    []string // folded; none for a course
	courses []bool   // by course index
}

// matches gives the first test that failed, or nothing when all hold; negated tells that `not` is why.
func (c *condition) matches(s *subject) (failed *test, negated, ok bool) {
	for i := range c.tests {
		if !c.tests[i].holds(s) {
			return &c.tests[i], false, false
		}
	}
	if c.not != nil {
		if _, _, held := c.not.matches(s); held {
			return nil, true, false
		}
	}
	return nil, false, true
}

func (t *test) holds(s *subject) bool {
	switch t.key {
	case courseKey:
		return s.course >= 0 && t.courses[s.course]
	case optionKey:
		for _, o := range s.contract.Options {
			if t.wants(o) {
				return true
			}
		}
		return false
	case requestKey:
		for i := range s.facts.Request {
			if a := &s.facts.Request[i]; a.Name == t.name && t.wants(a.Value) {
				return true
			}
		}
		return false
	}
	return t.wants(s.single(t.key))
}

func (t *test) wants(got string) bool {
	for _, w := range t.want {
		if w == got {
			return true
		}
	}
	if folded(got) {
		return false
	}
	var room [128]byte
	spelt := appendFold(room[:0], got)
	for _, w := range t.want {
		if w == string(spelt) {
			return true
		}
	}
	return false
}

// A subject is the facts of one decision, with what is looked up once.
type subject struct {
	facts    *Facts
	contract *Contract // never nil
	course   int       // -1: none that the policy names
	rules    []int     // the rules to ask, by index
}

var noContract = &Contract{Address: "-"} // only ever read

func (p *Policy) subject(f *Facts) subject {
	if f.Contract == nil {
		return subject{facts: f, contract: noContract, course: -1, rules: p.unknown}
	}
	s := subject{facts: f, contract: f.Contract, course: p.courses.find(f.Contract.Course), rules: p.unnamed}
	if s.course >= 0 {
		s.rules = p.byCourse[s.course]
	}
	return s
}

// Dynamic is what the address of a contract means when the contract does not say.
const Dynamic = "dynamic"

// single is the fact behind every key that has one value.
func (s *subject) single(k key) string {
	switch k {
	case formKey:
		return s.facts.Login.Form
	case realmKey:
		return s.facts.Login.Realm
	case addressKey:
		if strings.TrimSpace(s.contract.Address) == "" {
			return Dynamic
		}
		return s.contract.Address
	case segmentKey:
		return s.contract.Segment
	case statusKey:
		return s.contract.Status
	case areaKey:
		return s.facts.NAS.Area
	}
	return s.facts.NAS.Name
}
