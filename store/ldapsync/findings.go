package ldapsync

import (
	"cmp"
	"slices"

	"sekisho/engine"
	"sekisho/store"
)

// Unmapped is an entry of which no contract could be made.
type Unmapped struct {
	DN     string `json:"dn"`
	Reason string `json:"reason"`
}

// UnknownCourse is a course that the policy does not know; such contracts are
// decided by its otherwise.
type UnknownCourse struct {
	Course    string `json:"course"`
	Contracts int    `json:"contracts" doc:"in the last comparison, and changes since"`
}

// The most that are remembered, of any number that are counted.
const (
	maxUnmapped = 1000
	maxCourses  = 200
)

// findings are what is odd about the entries that were read.
type findings struct {
	list    map[store.EntryID]Unmapped
	told    map[store.EntryID]bool // mapped or gone, to be taken out of older findings
	more    int                    // beyond maxUnmapped
	courses map[string]int
	full    bool // nothing older counts
}

func newFindings() findings {
	return findings{list: map[store.EntryID]Unmapped{}, told: map[store.EntryID]bool{}, courses: map[string]int{}}
}

func (f *findings) unmapped(id store.EntryID, dn string, reason error) {
	if len(f.list) >= maxUnmapped {
		f.more++
		return
	}
	f.list[id] = Unmapped{dn, reason.Error()}
}

// maxTold bounds the memory of what is well; a comparison makes it all new.
const maxTold = 10_000

func (f *findings) gone(id store.EntryID) {
	if len(f.told) < maxTold {
		f.told[id] = true
	}
}

func (f *findings) mapped(id store.EntryID, contracts []engine.Contract, known func(string) bool) {
	f.gone(id)
	if known == nil {
		return
	}
	for i := range contracts {
		course := contracts[i].Course
		if _, counted := f.courses[course]; !known(course) && (counted || len(f.courses) < maxCourses) {
			f.courses[course]++
		}
	}
}

// add lets newer findings take the place of older ones.
func (f *findings) add(newer findings) {
	if newer.full {
		newer.told = nil
		*f = newer
		return
	}
	for id := range newer.told {
		delete(f.list, id)
	}
	for id, u := range newer.list {
		if len(f.list) < maxUnmapped {
			f.list[id] = u
		} else {
			f.more++
		}
	}
	f.more += newer.more
	for course, n := range newer.courses {
		f.courses[course] += n
	}
}

func (f *findings) count() int { return len(f.list) + f.more }

// first lists up to n of them in the order of their DNs.
func (f *findings) first(n int) []Unmapped {
	all := make([]Unmapped, 0, len(f.list))
	for _, u := range f.list {
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b Unmapped) int { return cmp.Compare(a.DN, b.DN) })
	return all[:min(n, len(all))]
}

func (f *findings) unknownCourses() []UnknownCourse {
	var all []UnknownCourse
	for course, n := range f.courses {
		all = append(all, UnknownCourse{course, n})
	}
	slices.SortFunc(all, func(a, b UnknownCourse) int { return cmp.Or(b.Contracts-a.Contracts, cmp.Compare(a.Course, b.Course)) })
	return all
}
