package session

import (
	"cmp"
	"iter"
	"slices"

	"sekisho/engine"
)

// Filter says which sessions are meant; what is empty leaves all through.
type Filter struct {
	Account string // in any spelling
	NAS     string // by its name in the configuration
	Area    string
	Action  string // that the router was told; see Drift for the other side
	Drift   bool   // only those that differ from what is wanted
}

func (f *Filter) passes(e *entry) bool {
	return (f.Account == "" || f.Account == e.account) &&
		(f.NAS == "" || f.NAS == e.router.nas) &&
		(f.Area == "" || f.Area == e.router.area) &&
		(f.Action == "" || f.Action == e.applied.String()) &&
		(!f.Drift || e.drifts())
}

// Get returns a session; false when there is none of that name.
func (t *Table) Get(id ID) (Session, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e := t.find(id)
	if e == nil {
		return Session{}, false
	}
	return t.copy(e), true
}

// Account returns the sessions of an account in folded spelling.
func (t *Table) Account(account string) []ID {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var ids []ID
	for e := t.accounts[account]; e != nil; e = e.sibling {
		ids = append(ids, e.id())
	}
	return ids
}

// Named returns the sessions of an Acct-Session-Id, at whatever router: one gives
// names without knowing of the others.
func (t *Table) Named(acct string) []ID {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var ids []ID
	for _, r := range t.inOrder {
		if e := r.sessions[acct]; e != nil {
			ids = append(ids, e.id())
		}
	}
	return ids
}

// Len tells how many sessions there are.
func (t *Table) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.all)
}

// NAS walks the sessions of a NAS, in no order. See All.
func (t *Table) NAS(name string) iter.Seq[Session] { return t.All(Filter{NAS: name}) }

// Drift walks the sessions that differ from what is wanted, in no order. See
// All.
func (t *Table) Drift() iter.Seq[Session] { return t.All(Filter{Drift: true}) }

// All walks the sessions that pass a filter, in no order: those that there are
// when the walk begins, each as it is when it comes to it, without those that
// are over by then.
func (t *Table) All(f Filter) iter.Seq[Session] {
	f.Account = engine.Fold(f.Account)
	return func(yield func(Session) bool) {
		for _, e := range t.snapshot(f.passes) {
			if s, ok := t.live(e, &f); ok && !yield(s) {
				return
			}
		}
	}
}

func (t *Table) live(e *entry, f *Filter) (Session, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if e.router == nil || !f.passes(e) {
		return Session{}, false
	}
	return t.copy(e), true
}

// snapshot collects entries. Of a million it holds the lock for some ten
// milliseconds: readers go on, and packets do not wait for it (see Feed).
func (t *Table) snapshot(wanted func(*entry) bool) []*entry {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var found []*entry
	for _, e := range t.all {
		if wanted(e) {
			found = append(found, e)
		}
	}
	return found
}

// pagePiece is how many sessions a page looks at before it lets others in.
const pagePiece = 4096

// Page lists up to limit sessions that pass a filter and come after an ID, in
// the order of NAS, box and Acct-Session-Id. It looks at no session twice from
// page to page.
func (t *Table) Page(f Filter, after ID, limit int) []Session {
	f.Account = engine.Fold(f.Account)
	if f.Account != "" {
		return t.ofAccount(f, after, limit)
	}
	var page []Session
	for over := false; !over && len(page) < limit; {
		page, after, over = t.look(page, &f, after, limit)
	}
	return page
}

// ofAccount is Page for the few sessions of one account.
func (t *Table) ofAccount(f Filter, after ID, limit int) (page []Session) {
	ids := slices.DeleteFunc(t.Account(f.Account), func(id ID) bool { return id.compare(after) <= 0 })
	slices.SortFunc(ids, ID.compare)
	for _, id := range ids {
		if len(page) >= limit {
			break
		}
		if s, ok := t.passing(id, &f); ok {
			page = append(page, s)
		}
	}
	return page
}

func (t *Table) passing(id ID, f *Filter) (Session, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e := t.find(id)
	if e == nil || !f.passes(e) {
		return Session{}, false
	}
	return t.copy(e), true
}

// look adds what it finds among the next sessions after an ID to a page, and
// tells how far it came, and whether that is all there are.
func (t *Table) look(page []Session, f *Filter, after ID, limit int) (_ []Session, last ID, over bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	looked := 0
	for e := range t.following(f, after) {
		if f.passes(e) {
			page = append(page, t.copy(e))
		}
		if looked++; looked == pagePiece || len(page) == limit {
			return page, e.id(), false
		}
	}
	return page, last, true
}

// following walks the sessions after an ID in order, passing over routers that
// a filter wants nothing of.
func (t *Table) following(f *Filter, after ID) iter.Seq[*entry] {
	if after.NAS < f.NAS {
		after = ID{NAS: f.NAS}
	}
	start := place{after.NAS, after.Box}
	return func(yield func(*entry) bool) {
		i, _ := slices.BinarySearchFunc(t.inOrder, start, (*router).compare)
		for _, r := range t.inOrder[i:] {
			if f.NAS != "" && f.NAS != r.nas {
				return
			}
			if f.Drift && r.drifting == 0 {
				continue
			}
			acct := ""
			if r.place == start {
				acct = after.AcctSession
			}
			for e := range r.order.from(acct) {
				if e.id() != after && !yield(e) {
					return
				}
			}
		}
	}
}

// compare orders IDs by NAS, box and Acct-Session-Id.
func (id ID) compare(other ID) int {
	return cmp.Or(cmp.Compare(id.NAS, other.NAS), cmp.Compare(id.Box, other.Box), cmp.Compare(id.AcctSession, other.AcctSession))
}
