package session

import (
	"time"

	"sekisho/radius"
)

// LoggedIn takes in an Accept; see radius.Sessions. It waits for the Start of
// its session, unless it is about one that goes on.
func (t *Table) LoggedIn(l *radius.Login) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counters.accepts++
	if e := t.find(idOf(&l.Sighting)); e != nil && l.Again {
		t.readmit(e, l)
		return
	}
	t.waiting.add(l)
}

func (t *Table) readmit(e *entry, l *radius.Login) {
	t.turn(e, l.At.UnixNano(), func() { t.admit(e, l) })
	t.asks.set(e, t.options.Clock().UnixNano())
	t.signal()
}

// giveUp ends the waiting of Accepts whose Start does not come. One that names
// a session which goes on was about that one.
func (t *Table) giveUp(now time.Time) {
	for _, l := range t.waiting.expire(now, t.options.Join) {
		e := t.find(idOf(&l.Sighting))
		if l.Session == "" || e == nil || e.started > l.At.UnixNano() || e.userName != l.UserName && e.name != l.Name {
			t.counters.unstarted++
			continue
		}
		t.readmit(e, l)
	}
}
