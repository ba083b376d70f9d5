package engine

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Compile resolves every name of a spec and returns the policy with all faults found. The policy is nil unless all
// faults are warnings. The spec's slices are kept and must not change afterwards.
func Compile(spec Spec) (*Policy, []Fault) {
	c := &compiler{spec: &spec, groups: map[string][]bool{}}
	c.policy = &Policy{
		Name: spec.Name, Location: cmp.Or(spec.Location, time.UTC), Logins: spec.Logins, Actions: spec.Actions,
		Remedies: spec.Remedies, Hosts: spec.Hosts, Otherwise: spec.Otherwise, UnknownContract: spec.UnknownContract,
	}
	c.logins()
	c.actions()
	c.courses()
	c.rules()
	c.action(spec.Otherwise, "otherwise")
	c.action(spec.UnknownContract, "unknown-contract")
	if slices.ContainsFunc(c.faults, func(f Fault) bool { return !f.Warning }) {
		return nil, c.faults
	}
	c.policy.index()
	c.unreachable()
	c.disagreements()
	c.idleDates()
	return c.policy, c.faults
}

// A compiler holds what is known while a spec is read.
type compiler struct {
	spec   *Spec
	policy *Policy
	groups map[string][]bool // by folded name, which courses are in it
	faults []Fault
}

func (c *compiler) fault(path []any, format string, args ...any) {
	c.faults = append(c.faults, Fault{Path: path, Text: fmt.Sprintf(format, args...)})
}

func (c *compiler) unknown(path []any, what, word string, known []string) {
	c.faults = append(c.faults, Fault{Path: path, Text: fmt.Sprintf("unknown %s %q", what, word), Word: word, Known: known})
}

func (c *compiler) warn(path []any, format string, args ...any) {
	c.fault(path, format, args...)
	c.faults[len(c.faults)-1].Warning = true
}

func (c *compiler) logins() {
	for i, l := range c.spec.Logins {
		p, wrong := compilePattern(l.Match, l.Form)
		if wrong != "" {
			c.fault([]any{"logins", i, "match"}, "%s, got %q", wrong, l.Match)
			continue
		}
		if j := slices.IndexFunc(c.policy.patterns, func(q pattern) bool { return q.covers(p) }); j >= 0 {
			c.warn([]any{"logins", i, "match"}, "never read: every such login is read by %q before it", c.spec.Logins[j].Match)
		}
		c.policy.patterns = append(c.policy.patterns, p)
	}
}

// action checks the name of an action that something refers to.
func (c *compiler) action(name string, path ...any) {
	if c.policy.rank(name) < 0 {
		c.unknown(path, "action", name, c.actionNames())
	}
}

func (c *compiler) actionNames() []string {
	var names []string
	for _, a := range c.spec.Actions {
		names = append(names, a.Name)
	}
	return names
}

func (c *compiler) actions() {
	var hosts []string
	for i, h := range c.spec.Hosts {
		if slices.Contains(hosts, h.Name) {
			c.fault([]any{"hosts", h.Name}, "written twice")
		}
		if len(h.Addresses) == 0 {
			c.fault([]any{"hosts", h.Name}, "expected at least one address")
		}
		c.sameAddress(i)
		hosts = append(hosts, h.Name)
	}
	for i, a := range c.spec.Actions {
		if slices.Contains(c.actionNames()[:i], a.Name) {
			c.fault([]any{"actions", a.Name}, "written twice")
		}
		for j, h := range a.Allow {
			if !slices.Contains(hosts, h) {
				c.unknown([]any{"actions", a.Name, "allow", j}, "host", h, hosts)
			}
		}
	}
}

// sameAddress warns of an address that stands twice at one host, nearly always a slip of the hand.
func (c *compiler) sameAddress(i int) {
	h := c.spec.Hosts[i]
	seen := map[netip.Addr]bool{}
	for j, a := range h.Addresses {
		if seen[a] {
			c.warn([]any{"hosts", h.Name, j}, "%s stands here twice", a)
		}
		seen[a] = true
	}
}

func (c *compiler) courses() {
	all := &c.policy.courses
	*all = courses{list: c.spec.Courses, bySpelt: map[string]int{}, around: CourseNames{SpeedGrades: c.spec.CourseNames.SpeedGrades}}
	for _, e := range c.spec.CourseNames.Endings {
		all.around.Endings = append(all.around.Endings, Fold(e))
	}
	for i, course := range c.spec.Courses {
		for _, spelt := range all.spellings(course) {
			if j, taken := all.bySpelt[spelt]; taken {
				c.fault([]any{"courses", course.ID}, "%q is also a spelling of course %q", spelt, c.spec.Courses[j].ID)
				continue
			}
			all.bySpelt[spelt] = i
		}
		for _, n := range all.written(course) {
			if _, taken := all.bySpelt[n]; !taken {
				all.bySpelt[n] = i
			}
		}
		for _, g := range course.Groups {
			c.join(Fold(g), i)
		}
	}
	c.groupsAreNoCourses()
}

func (c *compiler) join(group string, course int) {
	if c.groups[group] == nil {
		c.groups[group] = make([]bool, len(c.spec.Courses))
	}
	c.groups[group][course] = true
}

func (c *compiler) groupsAreNoCourses() {
	for _, course := range c.spec.Courses {
		for j, g := range course.Groups {
			if k := c.policy.courses.find(g); k >= 0 {
				c.fault([]any{"courses", course.ID, "group", j}, "group %q has the name of course %q", g, c.spec.Courses[k].ID)
			}
		}
	}
}

// covers says whether every login that q reads is read by p.
func (p pattern) covers(q pattern) bool {
	if !p.anyRealm && (q.anyRealm || p.realm != q.realm) {
		return false
	}
	return strings.HasPrefix(q.before, p.before) && strings.HasSuffix(q.after, p.after)
}
