package acl

import (
	"fmt"
	"strings"

	"sekisho/engine/yamldoc"
)

// Report is what a router's configuration has of the filters it needs.
type Report struct{ Findings []Finding }

// Lacking counts the filters that are not there.
func (r Report) Lacking() int {
	n := 0
	for _, f := range r.Findings {
		if f.Line == 0 {
			n++
		}
	}
	return n
}

// Finding is one filter that a router needs.
type Finding struct {
	Line int    // where it is defined; 0: nowhere
	Name string // as the profile says it
	Hint string // what there is instead; may be empty
	need need
}

// String follows the name of a file: ":12: op25b: IPv4 filter of action block".
func (f Finding) String() string {
	if f.Line > 0 {
		return fmt.Sprintf(":%d: %s: %s", f.Line, f.Name, f.need.what())
	}
	text := fmt.Sprintf(": %s: lacking, %s", f.Name, f.need.what())
	if f.Hint != "" {
		text += "; " + f.Hint
	}
	return text
}

// need is a filter by its name for one family, or for both.
type need struct {
	name     string
	families families
	action   string
}

func (n need) what() string {
	if n.action == "" {
		return n.families.String() + " filter that permits everything"
	}
	return n.families.String() + " filter of action " + n.action
}

// Lint looks in a router's configuration for every filter that the subject's
// profile names. It does not read what the filters do.
func Lint(s Subject, text string) (Report, error) {
	g, ok := grammars[s.Spec.ACL]
	if !ok {
		return Report{}, fmt.Errorf("profile %s: its routers hold no filters by name, there is nothing to look for", s.Profile)
	}
	found := g.read(text)
	var r Report
	for _, n := range s.needs() {
		r.add(n.in(found))
	}
	return r, nil
}

// add puts what is true of both families of one name into one finding.
func (r *Report) add(f Finding) {
	if n := len(r.Findings); n > 0 {
		if last := &r.Findings[n-1]; last.Name == f.Name && last.Line == f.Line && last.Hint == f.Hint {
			last.need.families |= f.need.families
			return
		}
	}
	r.Findings = append(r.Findings, f)
}

func (s Subject) needs() []need {
	var needs []need
	for _, f := range s.filters("") {
		switch f.IPv6 {
		case "":
			needs = append(needs, need{f.IPv4, ipv4, f.Action})
		default:
			needs = append(needs, need{f.IPv4, ipv4, f.Action}, need{f.IPv6, ipv6, f.Action})
		}
	}
	return needs
}

// in looks for the filter among those that are defined.
func (n need) in(found []defined) Finding {
	f := Finding{Name: n.name, need: n}
	for _, d := range found {
		if d.name == n.name && d.families&n.families != 0 {
			f.Line = d.line
			return f
		}
	}
	f.Hint = n.instead(found)
	return f
}

// instead says what was probably meant to be the filter.
func (n need) instead(found []defined) string {
	var names []string
	for _, d := range found {
		switch {
		case d.name == n.name:
			return fmt.Sprintf("line %d defines it for %s", d.line, d.families)
		case d.families&n.families == 0:
		case strings.EqualFold(d.name, n.name):
			return fmt.Sprintf("line %d has %s: small and capital letters differ", d.line, d.name)
		case direction(d.name, n.name):
			return fmt.Sprintf("line %d has %s: the direction is no part of the name", d.line, d.name)
		}
		if d.families&n.families != 0 {
			names = append(names, d.name)
		}
	}
	if near, ok := yamldoc.Nearest(n.name, names); ok {
		for _, d := range found {
			if d.name == near {
				return fmt.Sprintf("line %d has %s", d.line, near)
			}
		}
	}
	return ""
}

// direction reports whether a name is the other one with a direction.
func direction(name, of string) bool {
	rest, ok := strings.CutPrefix(strings.ToLower(name), strings.ToLower(of))
	if ok {
		switch strings.Trim(rest, ".-_:") {
		case "in", "out", "input", "output", "ingress", "egress":
			return true
		}
	}
	return strings.EqualFold(name, "in:"+of) || strings.EqualFold(name, "out:"+of)
}
