package session

import "sekisho/store"

// announcements are the sessions of which the store knows that their routers
// may have been told something that their rows do not say: somebody is telling
// them now, or what came of it is still to be written. After a crash these are
// the sessions of which nobody knows what their routers do.
type announcements struct {
	latest int64 // stamp
	all    map[ID]announcement
}

type announcement struct {
	stamp int64
	under int  // how many tell it now; 0: the table has what came of it
	again bool // an earlier one of the session stands
	lost  bool // an earlier run made it: nobody will ever say what came of it
}

// announce notes that routers are about to be told something.
func (t *Table) announce(ids []ID) []store.Announcement {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := &t.announced
	a.latest = max(a.latest+1, t.options.Clock().UnixNano())
	all := make([]store.Announcement, len(ids))
	for i, id := range ids {
		before, again := a.all[id]
		a.all[id] = announcement{a.latest, before.under + 1, again, before.lost}
		all[i] = store.Announcement{Key: store.SessionKey(id), Stamp: a.latest}
	}
	return all
}

// Settled says that the table has what came of telling a router something of a
// session, or that nothing was told: the store may forget it with the
// session's next row.
func (t *Table) Settled(id ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settled(id)
}

func (t *Table) settled(id ID) {
	a := t.announced.all[id]
	if a.under == 0 {
		return
	}
	a.under--
	t.announced.all[id] = a
	if a.under > 0 {
		return
	}
	if e := t.find(id); e != nil {
		t.changes.mark(e)
	} else {
		t.changes.gone[id] = true
	}
}

// clear takes out the announcement of a session whose row is about to be
// written or removed, unless its router is still being told.
func (a *announcements) clear(b *store.SessionBatch, id ID) {
	if own, ok := a.all[id]; ok && own.under == 0 {
		delete(a.all, id)
		b.Settled = append(b.Settled, store.Announcement{Key: store.SessionKey(id), Stamp: own.stamp})
	}
}

// Interrupted takes over the announcements that an earlier run has left: it
// ended while these routers were being told something, or before that was
// written. It comes before Restore.
func (t *Table) Interrupted(all []store.Announcement) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range all {
		t.announced.all[ID(a.Key)] = announcement{stamp: a.Stamp, under: 1, lost: true}
		t.announced.latest = max(t.announced.latest, a.Stamp)
	}
}

// doubt forgets what the row of a session says that its router was told, if
// that is not the last that it may have been told.
func (t *Table) doubt(e *entry) {
	id := e.id()
	a := t.announced.all[id]
	if !a.lost {
		return
	}
	t.turn(e, a.stamp, func() { t.apply(e, "", NotTold, a.stamp) })
	t.found(id)
}

// found settles an announcement of an earlier run.
func (t *Table) found(id ID) {
	if a := t.announced.all[id]; a.lost {
		a.lost = false
		t.announced.all[id] = a
		t.settled(id)
	}
}

// Announce returns when it is on disk that the routers of these sessions are
// about to be told something, or when it cannot be: a full disk must not keep
// routers from being told. That is logged once and counted; should the daemon
// be killed before the disk takes writes again, it will believe what it told
// these routers before. A disk that hangs does keep them; see Delay.
func (w *Writer) Announce(ids []ID) {
	end := w.delays.begin(len(ids))
	err := w.shelf.AnnounceSessions(w.table.announce(ids))
	end()
	if err != nil {
		w.table.notAnnounced(ids)
	}
	if failed := w.mute.Swap(err != nil); err != nil && !failed {
		w.log.Error("routers are told things that a crash would forget: the store takes no writes", "error", err)
	}
}

// notAnnounced takes back announcements that are not on disk: of those there is
// nothing to settle.
func (t *Table) notAnnounced(ids []ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counters.unannounced += uint64(len(ids))
	for _, id := range ids {
		if a := t.announced.all[id]; !a.again {
			delete(t.announced.all, id)
		}
	}
}

// Settled is Table.Settled.
func (w *Writer) Settled(id ID) { w.table.Settled(id) }
