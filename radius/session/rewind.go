package session

import "sekisho/radius"

// Our clock may be set back. What is written down of a later time than it is
// now cannot be compared with what comes: an instant that lies after the
// arrival of a record does not count.

// ahead reports whether an instant lies after the arrival of a record, by more
// than packets overtake each other.
func ahead(at int64, r *radius.Record) bool { return at > r.At.UnixNano()+blur }

// rewind brings what is written down of a session from ahead of a record's
// arrival back to it.
func (t *Table) rewind(e *entry, r *radius.Record) {
	if !ahead(max(e.started, e.since, e.updated, e.last, e.appliedAt), r) {
		return
	}
	if ahead(e.since, r) {
		t.rewindHistory(e, r)
	}
	now := r.At.UnixNano()
	if ahead(e.started, r) {
		e.started = began(r)
		e.router.begun.note(e)
	}
	if ahead(e.updated, r) {
		e.updated = now
	}
	if ahead(e.last, r) {
		e.last = stamp(r)
	}
	if ahead(e.appliedAt, r) {
		e.appliedAt = now
	}
	t.changes.mark(e)
}

// rewindHistory tells the time of a session by the clock as it is now where the
// record says how long it has lasted. Else history keeps what was seen by the
// clock of then.
func (t *Table) rewindHistory(e *entry, r *radius.Record) {
	if e.since == e.started && r.Lasted > 0 {
		e.since = began(r)
		return
	}
	t.stretch(e, e.held, e.since, max(e.updated, e.since+second), "")
	e.since = r.At.UnixNano()
}
