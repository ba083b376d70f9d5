package session

import (
	"net/netip"

	"sekisho/store"
)

// changes are what has to be written: the sessions that changed, those that
// are over, and who had which address until now.
type changes struct {
	dirty []*entry
	gone  map[ID]bool
	past  []store.Stretch
	lost  uint64 // stretches that there was no room for
}

// maxPast bounds the history that waits while the store does not take it.
const maxPast = 1 << 20

func (c *changes) mark(e *entry) {
	if !e.dirty {
		e.dirty = true
		c.dirty = append(c.dirty, e)
	}
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
	t.changes.gone[id] = true
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
