package session

import (
	"net/netip"
	"slices"
	"time"

	"sekisho/store"
)

// WhoHad finds who had an address, or a prefix that contains it, at an instant;
// the latest first. It looks at the sessions that are live, at what is still
// to be written, and into the store, in the order in which a stretch moves from
// one to the other: none is missed on its way. The error is the store's; what
// is in memory is told all the same.
func (w *Writer) WhoHad(a netip.Addr, at time.Time) ([]store.Stretch, error) {
	had := slices.DeleteFunc(w.table.Now(a), func(h store.Stretch) bool { return h.From.After(at) })

	had = append(had, w.unwritten(a, at)...)
	kept, err := w.shelf.WhoHad(a, at)
	had = latest(append(had, kept...))
	slices.SortStableFunc(had, func(x, y store.Stretch) int { return y.From.Compare(x.From) })
	return had, err
}

// unwritten finds stretches that are on their way to the store, or that it does
// not take.
func (w *Writer) unwritten(a netip.Addr, at time.Time) []store.Stretch {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := append(holding(w.held.Past, a, at), w.table.unwritten(a, at)...)
	for i := range found {
		if h := &found[i]; h.Course == "" && h.Account != "" {
			h.Course = w.course(h.Account)
		}
	}
	return found
}

func (t *Table) unwritten(a netip.Addr, at time.Time) []store.Stretch {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return holding(t.changes.past, a, at)
}

// holding picks the stretches of an address and an instant.
func holding(past []store.Stretch, a netip.Addr, at time.Time) (found []store.Stretch) {
	for _, h := range past {
		if h.Address.Contains(a) && !h.From.After(at) && at.Before(h.Until) {
			found = append(found, h)
		}
	}
	return found
}

// latest leaves the last of those that are about the same time of the same
// session: it has moved on meanwhile.
func latest(had []store.Stretch) (left []store.Stretch) {
	for i, h := range had {
		same := func(o store.Stretch) bool {
			return o.Address == h.Address && o.From.Equal(h.From) && o.NAS == h.NAS && o.Box == h.Box && o.AcctSession == h.AcctSession
		}
		if !slices.ContainsFunc(had[i+1:], same) {
			left = append(left, h)
		}
	}
	return left
}
