package load

import (
	"sync"
	"time"
)

// errand is what a request is about.
type errand struct {
	user    *User
	session uint64 // its number; 0: the only one of the subscriber
	status  uint32 // Acct-Status-Type, for accounting
}

// Acct-Status-Type (RFC 2866 section 5.1).
const (
	acctStart     = 1
	acctStop      = 2
	interimUpdate = 3
)

// diary is what is to be said of the sessions that the logins of a line have
// begun. That line writes it, one for accounting reads it.
type diary struct {
	mu    sync.Mutex
	pages [3][]entry // Starts, Interim-Updates and Stops; each has what is due first in front
}

// entry is an errand that is due at some time.
type entry struct {
	errand
	due time.Time
}

// begin notes what accounting has to say of a session that lives so long: its
// Start at once, an Interim-Update after half of it, its Stop.
func (d *diary) begin(e errand, now time.Time, life time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, status := range [...]uint32{acctStart, interimUpdate, acctStop} {
		e.status = status
		d.pages[i] = append(d.pages[i], entry{e, now.Add(life * time.Duration(i) / 2)})
	}
}

// take returns an errand that is due, and forgets it; false if none is.
func (d *diary) take(now time.Time) (errand, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, page := range d.pages {
		if len(page) > 0 && !now.Before(page[0].due) {
			d.pages[i] = page[1:]
			return page[0].errand, true
		}
	}
	return errand{}, false
}
