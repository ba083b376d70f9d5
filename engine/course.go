package engine

import (
	"slices"
	"strings"
)

// Course is a service plan as the policy knows it.
type Course struct {
	ID      string // short, ASCII
	Name    string // as the ISP's notice and directory write it
	Aliases []string
	Groups  []string
}

// CourseNames says what a directory may write around a course's name without meaning another course.
type CourseNames struct {
	Endings     []string // "コース"
	SpeedGrades bool     // "(12M)", "(1.5M～50M超のすべて)": a bracket that begins with a speed
}

// courses finds a course by any of its spellings.
type courses struct {
	list    []Course
	bySpelt map[string]int // folded names with and without endings, and the names as written
	around  CourseNames    // endings folded
}

// Course finds the course that any spelling of a directory stands for: id, name, alias, in any folding, with an
// ending or a speed grade.
func (p *Policy) Course(name string) (Course, bool) {
	i := p.courses.find(name)
	if i < 0 {
		return Course{}, false
	}
	return p.courses.list[i], true
}

// Courses lists all courses in the policy's order. The caller must not change the result.
func (p *Policy) Courses() []Course { return p.courses.list }

// find gives the index of a course, -1 for none. It does not allocate for names of up to 128 folded octets.
func (c *courses) find(name string) int {
	if i, ok := c.bySpelt[name]; ok {
		return i
	}
	var room [128]byte
	spelt := appendFold(room[:0], name)
	if i, ok := c.bySpelt[string(spelt)]; ok {
		return i
	}
	return c.graded(spelt)
}

// graded takes off a speed grade, wherever the directory put the ending: ADSLアッカ(12M), ADSLアッカ(12M)コース.
func (c *courses) graded(spelt []byte) int {
	if !c.around.SpeedGrades {
		return -1
	}
	for _, ending := range c.around.Endings {
		if n := len(spelt) - len(ending); n > 0 && string(spelt[n:]) == ending {
			spelt = spelt[:n]
			break
		}
	}
	for len(spelt) > 0 && spelt[len(spelt)-1] == ' ' {
		spelt = spelt[:len(spelt)-1]
	}
	open := len(spelt) - 1 // the last bracket: an earlier one may belong to the name
	for open >= 0 && spelt[open] != '(' {
		open--
	}
	if open < 0 || spelt[len(spelt)-1] != ')' || !speed(spelt[open+1:len(spelt)-1]) {
		return -1
	}
	for open > 0 && spelt[open-1] == ' ' {
		open--
	}
	if i, ok := c.bySpelt[string(spelt[:open])]; ok {
		return i
	}
	return -1
}

// speed says whether a bracket's text begins with a speed such as 1.5m; "ip電話対応" is none.
func speed(text []byte) bool {
	n := 0
	for n < len(text) && ('0' <= text[n] && text[n] <= '9' || n > 0 && text[n] == '.') {
		n++
	}
	return n > 0 && n < len(text) && strings.IndexByte("kmg", text[n]) >= 0
}

// spellings lists everything that stands for a course, folded, each with and without the endings.
func (c *courses) spellings(course Course) []string {
	names := []string{Fold(course.ID)}
	for _, n := range c.written(course) {
		names = append(names, Fold(n))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// written lists the names as a directory most probably writes them; found unfolded, they cost no folding.
func (c *courses) written(course Course) []string {
	var names []string
	for _, n := range append([]string{course.Name}, course.Aliases...) {
		if Fold(n) == "" {
			continue
		}
		names = append(names, n)
		for _, ending := range c.around.Endings {
			names = append(names, n+ending)
		}
	}
	return names
}
