package session

import (
	"iter"
	"slices"
	"time"

	"sekisho/radius"
)

// Lens reads what was kept of an Accept; a *radius.Lens does.
type Lens interface {
	// Names reads by what the login is found again.
	Names(kept []byte) radius.Names
	// Login reads everything.
	Login(kept []byte, l *radius.Login)
}

// waiting are the Accepts whose sessions have not begun. Where the request
// named its session already, that joins them; else the login, at the router,
// and what both the request and the record tell of the line. There are very
// many where accounting does not come: they stay as they were kept, and only
// one that a key leads to is read.
type waiting struct {
	slabs []*slab // the oldest first
	base  uint32  // number of the first login of the first slab
	count int     // of logins in slabs that are not nil
	live  int     // of those that wait
	keys  keys
	spare *slab // the last one that was given back

	read, best *radius.Login // room for what is read
}

// slabLogins is how many logins one slab has.
const slabLogins = 512

// slab is logins that came one after the other. It is given back when none of
// them waits any more.
type slab struct {
	logins []accept
	octets []byte
	live   int
	passed int // so many of the first have been given up
}

// accept is a login that waits, or did.
type accept struct {
	lens       Lens
	at         int64 // ns since 1970
	begin, end uint32
	keys       [3]key // the different ones
	used       uint8  // how many of them
	named      bool   // by its session
	over       bool
}

// maxWaiting bounds what logins without accounting make us remember.
const maxWaiting = 1 << 18

func newWaiting() waiting {
	return waiting{keys: newKeys(), read: &radius.Login{}, best: &radius.Login{}}
}

func idOf(s *radius.Sighting) ID { return ID{NAS: s.NAS, Box: s.Box, AcctSession: s.Session} }

// add takes in a login. What was kept of it is copied.
func (w *waiting) add(lens Lens, names radius.Names, kept []byte) {
	for w.count >= maxWaiting {
		w.dropFirst()
	}
	a := accept{lens: lens, at: names.At}
	if a.named = len(names.Session) > 0; a.named {
		a.use(sessionKey(names.NAS, names.Box, names.Session))
		w.supersede(a.keys[0], names)
	} else {
		for _, name := range [...][]byte{names.UserName, names.Asked, names.Name} {
			a.use(nameKey(names.NAS, names.Box, name))
		}
	}
	number := w.put(a, kept)
	for _, of := range a.keys[:a.used] {
		w.keys.add(of, number)
	}
}

// use adds a key.
func (a *accept) use(k key) {
	if !slices.Contains(a.keys[:a.used], k) {
		a.keys[a.used] = k
		a.used++
	}
}

// supersede ends the waiting of a login whose session is asked for anew.
func (w *waiting) supersede(of key, names radius.Names) {
	for number := range w.keys.all(of) {
		_, a, kept := w.at(number)
		old := a.lens.Names(kept)
		if old.NAS == names.NAS && string(old.Box) == string(names.Box) && string(old.Session) == string(names.Session) {
			w.remove(number)
			return
		}
	}
}

// put appends a login to the last slab and returns its number.
func (w *waiting) put(a accept, kept []byte) uint32 {
	s := w.last()
	if s == nil || len(s.logins) == slabLogins {
		s = w.room()
		w.slabs = append(w.slabs, s)
	}
	a.begin = uint32(len(s.octets))
	s.octets = append(s.octets, kept...)
	a.end = uint32(len(s.octets))
	s.logins = append(s.logins, a)
	s.live++
	w.count++
	w.live++
	return w.base + uint32((len(w.slabs)-1)*slabLogins+len(s.logins)-1)
}

// last is the slab that logins are put into; nil: there is none.
func (w *waiting) last() *slab {
	if len(w.slabs) == 0 {
		return nil
	}
	return w.slabs[len(w.slabs)-1]
}

// room is an empty slab with as much room as the last one needed.
func (w *waiting) room() *slab {
	if s := w.spare; s != nil {
		w.spare = nil
		return s
	}
	octets := 128 * slabLogins
	if last := w.last(); last != nil {
		octets = len(last.octets) * 17 / 16
	}
	return &slab{logins: make([]accept, 0, slabLogins), octets: make([]byte, 0, octets)}
}

// at finds a login by its number, which must be that of one that waits.
func (w *waiting) at(number uint32) (*slab, *accept, []byte) {
	i := number - w.base // numbers begin anew after the last one
	s := w.slabs[i/slabLogins]
	a := &s.logins[i%slabLogins]
	return s, a, s.octets[a.begin:a.end]
}

// remove ends the waiting of a login.
func (w *waiting) remove(number uint32) {
	s, a, _ := w.at(number)
	for _, of := range a.keys[:a.used] {
		w.keys.remove(of, number)
	}
	a.over = true
	s.live--
	w.live--
	if s.live == 0 && len(s.logins) == slabLogins {
		w.release(int((number - w.base) / slabLogins))
	}
}

// release gives back the slab at that place, where nothing waits.
func (w *waiting) release(i int) {
	s := w.slabs[i]
	w.slabs[i] = nil
	w.count -= len(s.logins)
	clear(s.logins) // configurations that are over hang on them
	*s = slab{logins: s.logins[:0], octets: s.octets[:0]}
	w.spare = s
}

// oldest finds the login that has waited for the longest; nil when none waits.
func (w *waiting) oldest() (uint32, *accept) {
	for len(w.slabs) > 0 {
		if s := w.slabs[0]; s != nil {
			for ; s.passed < len(s.logins); s.passed++ {
				if a := &s.logins[s.passed]; !a.over {
					return w.base + uint32(s.passed), a
				}
			}
			w.release(0)
		}
		w.slabs = w.slabs[1:]
		w.base += slabLogins
	}
	w.slabs, w.keys = nil, newKeys() // give a burst's memory back
	return 0, nil
}

func (w *waiting) dropFirst() {
	if number, a := w.oldest(); a != nil {
		w.remove(number)
	}
}

// expire takes out the Accepts that have waited for too long, and yields each
// before it goes. One that cannot be read goes too: it would keep all the others
// from their end.
func (w *waiting) expire(now time.Time, patience time.Duration) iter.Seq2[*accept, []byte] {
	return func(yield func(*accept, []byte) bool) {
		w.rewind(now.UnixNano())
		for {
			number, a := w.oldest()
			if a == nil || now.UnixNano()-a.at <= int64(patience) {
				return
			}
			if !w.expel(number, yield) {
				return
			}
		}
	}
}

func (w *waiting) expel(number uint32, yield func(*accept, []byte) bool) bool {
	defer w.remove(number)
	_, a, kept := w.at(number)
	return yield(a, kept)
}

// rewind has Accepts from ahead of now wait from now on: the clock was set back.
func (w *waiting) rewind(now int64) {
	if _, a := w.oldest(); a == nil || a.at <= now+blur {
		return
	}
	for _, s := range w.slabs {
		if s == nil {
			continue
		}
		for i := range s.logins {
			s.logins[i].at = min(s.logins[i].at, now)
		}
	}
}
