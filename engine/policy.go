package engine

import (
	"net/netip"
	"slices"
	"time"
)

// Policy is a compiled policy. It never changes and may be used by any number of goroutines; callers must not change
// the slices it holds.
type Policy struct {
	Name            string
	Location        *time.Location // in which the dates of the policy are meant
	Logins          []LoginSpec    // in the order they are tried
	Actions         []Action       // loosest first
	Rules           []Rule         // in the order they are asked
	Remedies        []Remedy
	Hosts           []Host
	Otherwise       string // the action when no rule matches, also for a course the policy does not name
	UnknownContract string // the action for an account without a contract

	patterns []pattern
	courses  courses
	rules    []rule
	byCourse [][]int // indexes into rules, by course
	unnamed  []int   // rules asked for a course that the policy does not name
	unknown  []int   // rules asked without a contract
}

// Action is something a session may be told; what the words mean to a router is a profile's business.
type Action struct {
	Name   string
	Filter string   // the name of a filter on the router; empty for none
	Allow  []string // hosts that stay reachable, names in Policy.Hosts
	Pool   string   // the name of an address pool, where only the address is ours to choose
}

// Rule is what people need to know of a rule; how it is asked is the engine's.
type Rule struct {
	Name     string
	Then     string
	Because  Text
	Remedies []string // names in Policy.Remedies
	Dated    bool     // has a from or an until, or is planned: a stage
}

// Text is said to subscribers, in Japanese and English; either may be empty.
type Text struct{ JA, EN string }

// Remedy is what a subscriber can do about an action.
type Remedy struct {
	Name string
	Text Text
}

// Host is a server that actions allow, with the addresses a router needs.
type Host struct {
	Name      string
	Addresses []netip.Addr
}

// Action finds an action by its exact name.
func (p *Policy) Action(name string) (Action, bool) {
	i := p.rank(name)
	if i < 0 {
		return Action{}, false
	}
	return p.Actions[i], true
}

// Tighter says whether action a is tighter than b; an action the policy does not have is the loosest.
func (p *Policy) Tighter(a, b string) bool { return p.rank(a) > p.rank(b) }

// rank counts actions from the loosest; -1 for none of that name.
func (p *Policy) rank(name string) int {
	for i := range p.Actions {
		if p.Actions[i].Name == name {
			return i
		}
	}
	return -1
}

// Rule finds a rule by its exact name.
func (p *Policy) Rule(name string) (Rule, bool) {
	for i := range p.Rules {
		if p.Rules[i].Name == name {
			return p.Rules[i], true
		}
	}
	return Rule{}, false
}

// RequestAttributes names the request attributes that any rule asks about, sorted; nobody needs to collect others.
func (p *Policy) RequestAttributes() []string { return p.asked(requestKey) }

// Areas names the areas that any rule asks about or has a date for, folded and sorted.
func (p *Policy) Areas() []string {
	areas := p.asked(areaKey)
	for i := range p.rules {
		for area := range p.rules[i].byArea {
			areas = append(areas, area)
		}
	}
	slices.Sort(areas)
	return slices.Compact(areas)
}

// Area finds an area that any rule knows, in any spelling; it gives the folded one.
func (p *Policy) Area(name string) (string, bool) {
	area := Fold(name)
	return area, slices.Contains(p.Areas(), area)
}

func (p *Policy) asked(k key) []string {
	var names []string
	for i := range p.rules {
		for c := &p.rules[i].when; c != nil; c = c.not {
			for _, t := range c.tests {
				if t.key == k && k == requestKey {
					names = append(names, t.name)
				} else if t.key == k {
					names = append(names, t.want...)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
