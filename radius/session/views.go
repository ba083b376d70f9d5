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
	return e.copy(), true
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
	return e.copy(), true
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

// Page lists up to limit sessions that pass a filter and come after an ID, in
// the order of NAS, box and Acct-Session-Id.
func (t *Table) Page(f Filter, after ID, limit int) []Session {
	f.Account = engine.Fold(f.Account)
	var page []Session
	if limit < 1 {
		return page
	}
	for _, e := range t.first(f, after, limit) {
		if s, ok := t.live(e, &f); ok {
			page = append(page, s)
		}
	}
	return page
}

// first finds the first entries after an ID in order. It holds no more than
// twice as many as are wanted.
func (t *Table) first(f Filter, after ID, limit int) []*entry {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var kept []*entry
	var last *entry // of as many as are wanted
	for e := range t.candidates(f) {
		if !f.passes(e) || after != (ID{}) && e.id().compare(after) <= 0 || last != nil && inOrder(e, last) > 0 {
			continue
		}
		if kept = append(kept, e); len(kept) >= 2*limit {
			kept = smallest(kept, limit)
			last = kept[limit-1]
		}
	}
	return smallest(kept, limit)
}

func smallest(entries []*entry, limit int) []*entry {
	slices.SortFunc(entries, inOrder)
	return entries[:min(len(entries), limit)]
}

func inOrder(a, b *entry) int { return a.id().compare(b.id()) }

// candidates are the entries among which a filter may find some: those of the
// account or those that drift, where it asks for them.
func (t *Table) candidates(f Filter) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		if f.Account != "" {
			for e := t.accounts[f.Account]; e != nil && yield(e); e = e.sibling {
			}
			return
		}
		list := t.all
		if f.Drift {
			list = t.drifting
		}
		for _, e := range list {
			if !yield(e) {
				return
			}
		}
	}
}

// compare orders IDs by NAS, box and Acct-Session-Id.
func (id ID) compare(other ID) int {
	return cmp.Or(cmp.Compare(id.NAS, other.NAS), cmp.Compare(id.Box, other.Box), cmp.Compare(id.AcctSession, other.AcctSession))
}
