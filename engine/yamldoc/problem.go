package yamldoc

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Problem is one mistake (or, with Warning, one doubtful thing) at one place of a file.
// Line and Column count from 1, columns in characters; Key is the dotted path the reader would search for.
type Problem struct {
	File         string
	Line, Column int
	Key          string
	Text         string
	Warning      bool
}

// String gives "file:line:column: key: text", the form editors and compilers understand.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Warning {
		b.WriteString("warning: ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	return b.String() + p.Text
}

// Problems are the findings of one run over one file, sorted by position. As an error they read one per line.
type Problems []Problem

// Error gives one line per problem, warnings included.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err is nil when nothing worse than a warning was found, else the whole list as an error.
func (ps Problems) Err() error {
	if slices.ContainsFunc(ps, func(p Problem) bool { return !p.Warning }) {
		return ps
	}
	return nil
}

// With joins two lists and sorts the result by position. A problem of more that stands on, above or below a key
// which ps already calls broken is left out: it would only repeat the same mistake in other words.
func (ps Problems) With(more ...Problem) Problems {
	all := slices.Clone(ps)
	for _, p := range more {
		if !slices.ContainsFunc(ps, p.repeats) {
			all = append(all, p)
		}
	}
	all.sort()
	return all
}

func (p Problem) repeats(known Problem) bool {
	return !known.Warning && (within(p.Key, known.Key) || within(known.Key, p.Key))
}

// within says whether the dotted path inner is outer or lies below it.
func within(inner, outer string) bool {
	if outer == "" {
		return inner == ""
	}
	rest, ok := strings.CutPrefix(inner, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
