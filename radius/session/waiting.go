package session

import (
	"slices"
	"time"

	"sekisho/radius"
)

// waiting are the Accepts whose sessions have not begun. Where the request
// named its session already, that joins them; else the login, at the router,
// and what both the request and the record tell of the line.
type waiting struct {
	bySession map[ID]*accept
	byName    map[login][]*accept
	order     []*accept // the oldest first; those that have joined stay until their time comes
}

type login struct {
	place
	name string
}

type accept struct {
	*radius.Login
	joined bool
}

// maxWaiting bounds what logins without accounting make us remember.
const maxWaiting = 1 << 18

func newWaiting() waiting {
	return waiting{bySession: map[ID]*accept{}, byName: map[login][]*accept{}}
}

func idOf(s *radius.Sighting) ID { return ID{NAS: s.NAS, Box: s.Box, AcctSession: s.Session} }

func (w *waiting) add(l *radius.Login) {
	if len(w.order) >= maxWaiting {
		w.dropFirst()
	}
	a := &accept{Login: l}
	w.order = append(w.order, a)
	if l.Session != "" {
		if old := w.bySession[idOf(&l.Sighting)]; old != nil {
			old.joined = true // superseded: the session was asked for anew
		}
		w.bySession[idOf(&l.Sighting)] = a
		return
	}
	for _, name := range a.names() {
		k := login{place{l.NAS, l.Box}, name}
		w.byName[k] = append(w.byName[k], a)
	}
}

// names are the User-Names by which the NAS may speak of the session.
func (a *accept) names() []string {
	names := []string{a.UserName}
	for _, n := range []string{a.Asked, a.Name} {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// join finds the Accept that began the session of a record, and takes it out;
// nil when there is none.
func (w *waiting) join(r *radius.Record) *radius.Login {
	a := w.find(r)
	if a == nil {
		return nil
	}
	w.remove(a)
	return a.Login
}

// find finds the Accept that join would take.
func (w *waiting) find(r *radius.Record) *accept {
	if a := w.bySession[idOf(&r.Sighting)]; a != nil && a.before(stamp(r)) {
		return a
	}
	var best *accept
	score := 0
	for _, a := range w.byName[login{place{r.NAS, r.Box}, r.UserName}] {
		if s := fits(a, r); s >= score && a.before(began(r)) { // of equals the newest: that is what the NAS was told last
			best, score = a, s
		}
	}
	return best
}

// before reports whether the Accept can have led to what happened then. The
// NAS tells of times in whole seconds.
func (a *accept) before(at int64) bool { return a.At.UnixNano() <= at+blur }

// RADIUS attributes that tell lines apart.
const (
	nasPort          = 5
	callingStationID = 31
	nasPortID        = 87
)

// fits scores how well an Accept fits a record; below 0 is not at all. What
// only one of them has says nothing. A NAS-Port that differs only counts less:
// some routers give one at the end of the login.
func fits(a *accept, r *radius.Record) int {
	score := 0
	for _, number := range [...]uint32{callingStationID, nasPortID, nasPort} {
		asked, told := value(a.Identity, number), value(r.Identity, number)
		switch {
		case asked == "" || told == "":
		case asked == told:
			score += 2
		case number == nasPort:
		default:
			return -1
		}
	}
	if len(a.Class) > 0 && len(r.Class) > 0 {
		if !slices.Contains(a.Class, r.Class[0]) { // some NASes send only the first one back
			return -1
		}
		score++
	}
	if a.Address.IsValid() && a.Address == r.Address {
		score += 2
	}
	return score
}

// value finds an attribute without a vendor by its number.
func value(attributes []Attribute, number uint32) string {
	for _, a := range attributes {
		if a.Vendor == 0 && a.Number == number {
			return a.Value
		}
	}
	return ""
}

func (w *waiting) remove(a *accept) {
	a.joined = true
	if id := idOf(&a.Sighting); a.Session != "" {
		if w.bySession[id] == a {
			delete(w.bySession, id)
		}
		return
	}
	for _, name := range a.names() {
		k := login{place{a.NAS, a.Box}, name}
		rest := slices.DeleteFunc(w.byName[k], func(other *accept) bool { return other == a })
		if len(rest) == 0 {
			delete(w.byName, k)
			continue
		}
		w.byName[k] = rest
	}
}

func (w *waiting) dropFirst() *accept {
	first := w.order[0]
	w.order[0] = nil
	w.order = w.order[1:]
	if first.joined {
		return nil
	}
	w.remove(first)
	return first
}

// expire takes out the Accepts that have waited for too long.
func (w *waiting) expire(now time.Time, patience time.Duration) []*radius.Login {
	var over []*radius.Login
	for len(w.order) > 0 && now.Sub(w.order[0].At) > patience {
		if a := w.dropFirst(); a != nil {
			over = append(over, a.Login)
		}
	}
	if len(w.order) == 0 {
		w.order = nil // give a burst's memory back
	}
	return over
}
