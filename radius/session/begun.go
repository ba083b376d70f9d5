package session

import (
	"math"

	"sekisho/radius"
)

// begun tells for a router that none of its sessions began before an instant:
// routers repeat their Accounting-On every few seconds until it is answered,
// and a walk over all sessions that finds none to end is one too many. What is
// noted stays when sessions end: then a walk finds that out.
type begun struct {
	started int64 // the least of all, by our clock; ns
	plain   int64 // likewise, of those that do not tell their beginning by the clock of the NAS
	event   int64 // the least by that clock; s
}

// nobody is before any session is noted.
var nobody = begun{math.MaxInt64, math.MaxInt64, math.MaxInt64}

func (b *begun) note(e *entry) {
	b.started = min(b.started, e.started)
	if e.startEvent == 0 {
		b.plain = min(b.plain, e.started)
	} else {
		b.event = min(b.event, e.startEvent)
	}
}

// after reports whether surely no session precedes a router's restart; see
// entry.precedes.
func (b *begun) after(r *radius.Record, at int64) bool {
	if *b == nobody {
		return true
	}
	if ahead(b.started, r) {
		return false // the clock was set back
	}
	if restart := event(r); restart != 0 {
		return restart <= b.event && at < b.plain
	}
	return at < b.started
}
