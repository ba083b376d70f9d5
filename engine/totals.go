package engine

import (
	"cmp"
	"slices"
)

// Totals are what an impact has counted.
type Totals struct {
	Contracts int     // that were looked at
	Flipped   int     // accounts for which anything changes
	ByCourse  []Count // in the policy's order
	ByArea    []Count // in the order of the NASes
}

// Count is how many accounts of a group change in one way; an account may stand in several areas.
type Count struct {
	Group    string // id of a course, or an area; empty for none that is known
	From, To string
	Accounts int
}

// Totals tells what was counted so far.
func (i *Impact) Totals() Totals {
	var courses []string
	for _, p := range []*Policy{i.from.Policy, i.to.Policy} {
		for _, c := range p.courses.list {
			courses = append(courses, c.ID)
		}
	}
	c := &i.counts
	return Totals{c.contracts, c.flipped, c.list(c.byCourse, courses), c.list(c.byArea, c.areas)}
}

// counts are kept by group and change, so that they do not grow with the accounts.
type counts struct {
	contracts, flipped int
	areas              []string
	byCourse, byArea   map[Count]int // the key's own number is zero
}

func newCounts(contexts []context) counts {
	c := counts{byCourse: map[Count]int{}, byArea: map[Count]int{}}
	for _, ctx := range contexts {
		if !slices.Contains(c.areas, ctx.nas.Area) {
			c.areas = append(c.areas, ctx.nas.Area)
		}
	}
	return c
}

// add counts an account once for each way in which it changes, whatever the number of logins and rules.
func (c *counts) add(course string, flips []Flip) {
	c.flipped++
	for i := range flips {
		f := &flips[i]
		earlier := flips[:i]
		if !slices.ContainsFunc(earlier, f.sameWay) {
			c.byCourse[Count{Group: course, From: f.From, To: f.To}]++
		}
		for _, area := range f.Areas {
			if !slices.ContainsFunc(earlier, func(e Flip) bool { return f.sameWay(e) && slices.Contains(e.Areas, area) }) {
				c.byArea[Count{Group: area, From: f.From, To: f.To}]++
			}
		}
	}
}

func (f *Flip) sameWay(e Flip) bool { return f.From == e.From && f.To == e.To }

func (c *counts) list(numbers map[Count]int, groups []string) []Count {
	var all []Count
	for count, n := range numbers {
		count.Accounts = n
		all = append(all, count)
	}
	place := func(group string) int {
		if i := slices.Index(groups, group); i >= 0 {
			return i
		}
		return len(groups)
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(place(a.Group)-place(b.Group), cmp.Compare(a.Group, b.Group), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return all
}
