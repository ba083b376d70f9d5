package dict

import "fmt"

// Fault is a mistake or, as a warning, a doubtful thing in a profile. Path
// leads to it inside the profile as it is written, for whoever knows where
// that stands; it may be longer than what was written.
type Fault struct {
	Path []any
	Text string
}

// Error gives the text alone: the reader is shown the place beside it.
func (f *Fault) Error() string { return f.Text }

func faultf(path []any, format string, args ...any) *Fault {
	return &Fault{Path: path, Text: fmt.Sprintf(format, args...)}
}

// at extends a path without touching what others hold of it.
func at(path []any, more ...any) []any {
	return append(path[:len(path):len(path)], more...)
}
