package session

import (
	"net/netip"
	"slices"

	"sekisho/store"
)

// changes are what has to be written: the sessions that changed, those that
// are over, and who had which address until now.
type changes struct {
	dirty []*entry
	over  int // of these: sessions that are over by now
	gone  map[ID]bool
	past  []store.Stretch
	lost  uint64 // stretches that there was no room for
	taken int    // out of all these, and not on disk yet
}

// maxPast bounds the history that waits while the store does not take it.
const maxPast = 1 << 20

func (c *changes) mark(e *entry) {
	if !e.dirty {
		e.dirty = true
		c.dirty = append(c.dirty, e)
	}
}

// len counts what waits to be written.
func (c *changes) len() int { return len(c.dirty) + len(c.gone) + len(c.past) + c.taken }

// Unsaved tells how many changes are not in the store yet.
func (t *Table) Unsaved() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.changes.len()
}

// wrote says that what was taken out is on disk.
func (t *Table) wrote() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes.taken = 0
}

// fewOver are not worth looking for.
const fewOver = 1 << 12

// end has the row of a session removed that is over. While the store takes
// nothing very many sessions may come and go: nothing is kept of those that
// have no row, so what waits to be written never outgrows the table and the
// rows.
func (c *changes) end(e *entry, id ID) {
	if e.saved {
		c.gone[id] = true
	}
	if !e.dirty {
		return
	}
	if c.over++; c.over < fewOver || c.over < len(c.dirty)/2 {
		return
	}
	c.dirty = slices.DeleteFunc(c.dirty, func(e *entry) bool { return e.router == nil })
	c.over = 0
}

// turn changes a session at an instant. Where that ends something that history
// tells of, it is noted, and the next begins.
func (t *Table) turn(e *entry, at int64, change func()) {
	before, since := e.held, e.since
	t.unindex(e)
	change()
	t.index(e)
	if e.held != before {
		t.stretch(e, before, since, at, "")
		e.since = max(at, since)
		e.courseKnown = before.course != e.course
	}
	t.settle(e)
}

// stretch notes for each address of a session what held from one instant to
// another.
func (t *Table) stretch(e *entry, h held, since, until int64, ended string) {
	if until <= since {
		return
	}
	for at := range h.bindings() {
		if len(t.changes.past) >= maxPast {
			t.changes.lost++
			return
		}
		t.changes.past = append(t.changes.past, past(e, h, at, since, until, ended))
	}
}

// past makes a line of history; until 0 is for one that has not ended.
func past(e *entry, h held, at netip.Prefix, since, until int64, ended string) store.Stretch {
	return store.Stretch{
		Address: at, From: instant(since), Until: instant(until), Ended: ended,
		NAS: e.router.nas, Box: e.router.box, AcctSession: e.acct,
		Account: h.account, UserName: e.userName,
		Course: h.course.String(), Action: h.applied.String(), Rule: h.rule.String(), Override: h.override.String(),
	}
}

// end ends a session at the instant of its stone. Kind is one of those that
// are counted; history has why.
func (t *Table) end(e *entry, s stone, kind, why string) {
	id := e.id()
	t.stretch(e, e.held, e.since, max(s.stamp, e.since), why)
	t.remove(e)
	t.graves.bury(id, s)
	t.changes.end(e, id)
	if t.restoring != nil {
		t.restoring.over[id] = true
	}
	t.counters.ended[kind]++
}

// Now tells which live sessions have an address, or a prefix that contains it,
// and since when: those of the stretches that have not ended.
func (t *Table) Now(a netip.Addr) []store.Stretch {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var found []store.Stretch
	for at, e := range t.addresses.covering(a) {
		found = append(found, past(e, e.held, at, e.since, 0, ""))
	}
	return found
}
