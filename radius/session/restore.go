package session

import (
	"maps"
	"slices"

	"sekisho/store"
)

// Rows are the sessions of an earlier run; see store.Store.
type Rows interface {
	Session(store.SessionKey) (row store.Session, found bool, err error)
}

// restoring is what a table knows of the rows that are still to come back.
type restoring struct {
	rows        Rows
	total, back int
	over        map[ID]bool // sessions that have ended meanwhile: their rows come too late
}

// Restoring says that rows are to come back by Restore, while packets come
// already. A packet about a session that is not back yet has its row read at
// once, so that it is what it was before the packet changes it. Nothing is due
// before Restored.
func (t *Table) Restoring(rows Rows) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.restoring = &restoring{rows: rows, over: map[ID]bool{}}
}

// Expect makes room for about so many rows: tables that grow as they come take
// half as long again.
func (t *Table) Expect(total int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.restoring.total = total
	t.all, t.asks.heap = slices.Grow(t.all, total), slices.Grow(t.asks.heap, total)
	t.accounts = roomier(t.accounts, total)
	t.addresses.first = roomier(t.addresses.first, total)
}

// roomier is a map with room for so many more.
func roomier[K comparable, V any](m map[K]V, more int) map[K]V {
	roomy := make(map[K]V, len(m)+more)
	maps.Copy(roomy, m)
	return roomy
}

// Progress tells how many rows have come back, and of about how many; zeros
// when all have.
func (t *Table) Progress() (back, total int) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.restoring == nil {
		return 0, 0
	}
	return t.restoring.back, t.restoring.total
}

// known finds a live session, reading its row if that is not back yet.
func (t *Table) known(id ID) *entry {
	e := t.find(id)
	if e != nil || t.restoring == nil || id.AcctSession == "" || t.restoring.over[id] {
		return e
	}
	row, found, err := t.restoring.rows.Session(store.SessionKey(id))
	if err != nil || !found { // who walks over the rows tells of a damaged one
		return nil
	}
	t.restore(row)
	return t.find(id)
}

// Restore takes over a session as it was kept, and makes it due: time has
// passed. A session that is known already stays as it is, and one that is over
// by now does not come back.
func (t *Table) Restore(s store.Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.restoring != nil {
		t.restoring.back++
	}
	t.restore(s)
}

func (t *Table) restore(s store.Session) {
	id := ID{s.NAS, s.Box, s.AcctSession}
	if t.find(id) != nil || t.restoring != nil && t.restoring.over[id] {
		return
	}
	e := t.entryOf(s)
	e.dirty = true // so that nobody writes what has just been read
	r := t.router(place{s.NAS, s.Box}, s.Area)
	t.add(r, e)
	e.dirty = false
	t.doubt(e)
	t.asks.set(e, atOnce)
	if r.booted != 0 && e.precedes(r.bootEvent, r.booted) {
		t.end(e, stone{stamp: r.booted}, Restarted, Restarted)
	}
}

// Restored says that all rows are back. Announcements that are left by then
// are of sessions that have none.
func (t *Table) Restored() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.restoring = nil
	for id := range t.announced.all {
		t.found(id)
	}
	t.signal()
}
