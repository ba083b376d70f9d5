package session

import (
	"slices"

	"sekisho/radius"
)

// join finds the Accept that began the session of a record, and takes it out;
// nil when there is none. It stands until the next one is looked for.
func (w *waiting) join(r *radius.Record) *radius.Login {
	number, l := w.find(r)
	if l != nil {
		w.remove(number)
	}
	return l
}

// find finds the Accept that join would take.
func (w *waiting) find(r *radius.Record) (uint32, *radius.Login) {
	if number, l := w.session(idOf(&r.Sighting)); l != nil && before(l, stamp(r), r) {
		return number, l
	}
	var found uint32
	score, any := 0, false
	for number := range w.keys.all(nameKey(r.NAS, r.Box, r.UserName)) {
		l := w.readAt(number)
		if l.Session != "" || l.NAS != r.NAS || l.Box != r.Box || r.UserName != l.UserName && r.UserName != l.Asked && r.UserName != l.Name {
			continue // the keys are alike by chance
		}
		if s := fits(l, r); s >= score && before(l, began(r), r) { // of equals the newest: that is what the NAS was told last
			found, score, any = number, s, true
			w.read, w.best = w.best, w.read
		}
	}
	if !any {
		return 0, nil
	}
	return found, w.best
}

// session finds the Accept whose request named its session so.
func (w *waiting) session(id ID) (uint32, *radius.Login) {
	for number := range w.keys.all(sessionKey(id.NAS, id.Box, id.AcctSession)) {
		if l := w.readAt(number); idOf(&l.Sighting) == id && id.AcctSession != "" {
			return number, l
		}
	}
	return 0, nil
}

func (w *waiting) readAt(number uint32) *radius.Login {
	_, a, kept := w.at(number)
	a.lens.Login(kept, w.read)
	return w.read
}

// before reports whether an Accept can have led to what happened then. The NAS
// tells of times in whole seconds.
func before(l *radius.Login, at int64, r *radius.Record) bool {
	return l.At.UnixNano() <= at+blur || ahead(l.At.UnixNano(), r)
}

// RADIUS attributes that tell lines apart.
const (
	nasPort          = 5
	callingStationID = 31
	nasPortID        = 87
)

// fits scores how well an Accept fits a record; below 0 is not at all. What
// only one of them has says nothing. A NAS-Port that differs only counts less:
// some routers give one at the end of the login.
func fits(l *radius.Login, r *radius.Record) int {
	score := 0
	for _, number := range [...]uint32{callingStationID, nasPortID, nasPort} {
		asked, told := value(l.Identity, number), value(r.Identity, number)
		switch {
		case asked == "" || told == "":
		case asked == told:
			score += 2
		case number == nasPort:
		default:
			return -1
		}
	}
	if len(l.Class) > 0 && len(r.Class) > 0 {
		if !slices.Contains(l.Class, r.Class[0]) { // some NASes send only the first one back
			return -1
		}
		score++
	}
	if l.Address.IsValid() && l.Address == r.Address {
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
