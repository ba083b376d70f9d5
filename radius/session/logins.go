package session

import (
	"time"

	"sekisho/radius"
)

// LoggedIn takes in what was kept of an Accept, and copies it. It waits for the
// Start of its session, unless it is about one that goes on.
func (t *Table) LoggedIn(lens Lens, kept []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counters.accepts++
	names := lens.Names(kept)
	if names.Again {
		if e := t.known(ID{names.NAS, string(names.Box), string(names.Session)}); e != nil {
			lens.Login(kept, t.waiting.read)
			t.readmit(e, t.waiting.read)
			return
		}
	}
	t.waiting.add(lens, names, kept)
}

func (t *Table) readmit(e *entry, l *radius.Login) {
	t.turn(e, l.At.UnixNano(), func() { t.admit(e, l) })
	t.asks.set(e, t.options.Clock().UnixNano())
	t.signal()
}

// giveUp ends the waiting of Accepts whose Start does not come. One that names
// a session which goes on was about that one.
func (t *Table) giveUp(now time.Time) {
	for a, kept := range t.waiting.expire(now, t.options.Join) {
		if !a.named {
			t.counters.unstarted++
			continue
		}
		l := t.waiting.read
		a.lens.Login(kept, l)
		e := t.find(idOf(&l.Sighting))
		if e == nil || e.started > a.at || e.userName != l.UserName && e.name != l.Name {
			t.counters.unstarted++
			continue
		}
		t.readmit(e, l)
	}
}
