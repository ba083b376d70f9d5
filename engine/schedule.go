package engine

import "time"

// A window is when a rule is in force: [from, until), zero times are unbounded.
type window struct {
	from, until time.Time
	planned     bool // from has no date yet
}

// A schedule is a rule's window, or one for each area.
type schedule struct {
	everywhere window
	byArea     map[string]window // by folded area; nil when the dates are the same everywhere
	onlyAreas  bool              // from is given by area: elsewhere the rule is not in force
}

// A phase is where a window stands at an instant.
type phase uint8

const (
	inForce phase = iota
	notYet
	over
	planned
	noDateInArea
)

// window picks the area's window. Pretending a stage takes its beginning away, in every area, also where it has no
// date; its end stays.
func (s *schedule) window(area string, pretended bool) (w window, dated bool) {
	w, dated = s.everywhere, !s.onlyAreas
	if s.byArea != nil {
		if own, ok := lookUpFolded(s.byArea, area); ok {
			w, dated = own, true
		}
	}
	if pretended {
		w.from, w.planned, dated = time.Time{}, false, true
	}
	return w, dated
}

func lookUpFolded(m map[string]window, name string) (window, bool) {
	if w, ok := m[name]; ok {
		return w, true
	}
	var room [128]byte
	w, ok := m[string(appendFold(room[:0], name))]
	return w, ok
}

func (s *schedule) phase(area string, pretended bool, t time.Time) (phase, window) {
	w, dated := s.window(area, pretended)
	switch {
	case !dated:
		return noDateInArea, w
	case w.planned:
		return planned, w
	case !w.until.IsZero() && !t.Before(w.until):
		return over, w
	case t.Before(w.from): // a zero from is before every instant
		return notYet, w
	}
	return inForce, w
}

// earliest is the earlier of two instants, of which zero ones mean never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// sameFolded compares two names in any spelling.
func sameFolded(a, b string) bool {
	if a == b {
		return true
	}
	var roomA, roomB [128]byte
	return string(appendFold(roomA[:0], a)) == string(appendFold(roomB[:0], b))
}
