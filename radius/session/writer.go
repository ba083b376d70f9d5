package session

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sekisho/engine"
	"sekisho/store"
)

// Shelf is where sessions and their history are kept; see store.Store.
type Shelf interface {
	SaveSessions(store.SessionBatch) error
	AnnounceSessions([]store.Announcement) error
	ForgetHistory(before time.Time, limit int) (int, error)
	WhoHad(netip.Addr, time.Time) ([]store.Stretch, error)
}

// Contracts tells what an account has bought; see store.Store.
type Contracts interface {
	Contract(account string) (engine.Contract, bool, error)
}

// Writer writes the changes of a table behind it, in batches: no packet waits
// for the disk, and what a crash loses is what the last second brought. The
// next Interims tell it again. What routers were told they do not tell: that is
// announced before; see Announce.
type Writer struct {
	table     *Table
	shelf     Shelf
	contracts Contracts
	history   time.Duration
	log       *slog.Logger

	mu   sync.Mutex         // of whoever writes
	held store.SessionBatch // that the store has not taken yet

	refusal atomic.Pointer[string] // why the store does not take them; nil: it does
	mute    atomic.Bool            // the store took the last announcement not
	delays  delays                 // announcements that the store has not taken yet
}

const (
	// writeInterval is how long a change may wait.
	writeInterval = time.Second
	// batchRows is how many rows of each kind one transaction holds, so that
	// the writers of overrides wait for milliseconds.
	batchRows = 2000
	// forgetRows is how many lines of history one transaction removes, one
	// transaction a second.
	forgetRows = 1000
)

// NewWriter makes a writer that keeps history for so long; 0 is for ever.
func NewWriter(t *Table, shelf Shelf, contracts Contracts, history time.Duration, log *slog.Logger) *Writer {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Writer{table: t, shelf: shelf, contracts: contracts, history: history, log: log, delays: delays{log: log}}
}

// Run writes every second until the context ends, and then once more.
func (w *Writer) Run(ctx context.Context) {
	tick := time.NewTicker(writeInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.Flush()
			w.forget()
		case <-ctx.Done():
			w.Flush()
			return
		}
	}
}

// Flush writes all that has changed, or as much as the store takes; the rest
// is tried again later.
func (w *Writer) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for more := true; more; {
		if w.held.Len() == 0 {
			w.held, more = w.table.take(batchRows, w.course)
		}
		if w.held.Len() > 0 && !w.save() {
			return
		}
	}
}

// save writes the batch; one that fails is kept, and complained of once.
func (w *Writer) save() bool {
	if err := w.shelf.SaveSessions(w.held); err != nil {
		if why := err.Error(); w.refusal.Swap(&why) == nil {
			w.log.Error("cannot save sessions: trying again every second", "error", err)
		}
		return false
	}
	if w.refusal.Swap(nil) != nil {
		w.log.Info("sessions are saved again")
	}
	w.held = store.SessionBatch{}
	w.table.wrote()
	return true
}

// Refusal is why the store takes no changes of sessions; empty: it does.
func (w *Writer) Refusal() string {
	if why := w.refusal.Load(); why != nil {
		return *why
	}
	return ""
}

// course looks up what an account has bought; nothing when that fails.
func (w *Writer) course(account string) string {
	c, _, err := w.contracts.Contract(account)
	if err != nil {
		return ""
	}
	return c.Course
}

// forget removes a little of the history that is too old.
func (w *Writer) forget() {
	if w.history == 0 {
		return
	}
	before := w.table.options.Clock().Add(-w.history)
	if _, err := w.shelf.ForgetHistory(before, forgetRows); err != nil && w.Refusal() == "" {
		w.log.Error("cannot forget old history", "error", err)
	}
}

// take takes out what has to be written, at most so many rows of each kind,
// and tells whether there is more.
func (t *Table) take(limit int, course func(account string) string) (b store.SessionBatch, more bool) {
	b, fresh, more := t.taken(limit)
	for i, e := range fresh {
		if e == nil {
			continue
		}
		if found := course(b.Put[i].Account); found != "" {
			b.Put[i].Course = found
			t.bought(e, b.Put[i].Account, found)
		}
	}
	for i := range b.Past {
		if p := &b.Past[i]; p.Course == "" && p.Account != "" {
			p.Course = course(p.Account)
		}
	}
	return b, more
}

// taken is take without the courses; fresh are the entries whose course has to
// be looked up, beside their rows.
func (t *Table) taken(limit int) (b store.SessionBatch, fresh []*entry, more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &t.changes
	n := min(limit, len(c.dirty))
	b.Put = make([]store.Session, 0, n) // rows are large: a list that grows would copy them over and over
	for _, e := range c.dirty[:n] {
		e.dirty = false
		if e.router == nil {
			c.over--
			continue
		}
		e.saved = true
		b.Put = append(b.Put, e.row())
		t.announced.clear(&b, e.id())
		if e.courseKnown || e.account == "" {
			e = nil
		}
		fresh = append(fresh, e)
	}
	c.dirty = rest(c.dirty, n)
	for id := range c.gone {
		if len(b.Delete) == limit {
			break
		}
		delete(c.gone, id)
		if e := t.find(id); e != nil {
			e.saved = true // another session has the name by now, and is written over it
			continue
		}
		b.Delete = append(b.Delete, store.SessionKey(id))
		t.announced.clear(&b, id)
	}
	n = min(limit, len(c.past))
	b.Past = append(b.Past, c.past[:n]...)
	c.past = rest(c.past, n)
	c.taken = b.Len()
	return b, fresh, len(c.dirty)+len(c.gone)+len(c.past) > 0
}

// rest is what is left of a list without its first elements, nothing of it in
// the memory of a burst.
func rest[T any](list []T, n int) []T {
	if n == len(list) {
		return nil
	}
	clear(list[:n])
	return list[n:]
}

// bought notes the course of an account. Where it is not what it was, what
// history tells of the session ends, and the next begins.
func (t *Table) bought(e *entry, account, course string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.router == nil || e.account != account {
		return
	}
	found := wordOf(course)
	if e.course == (word{}) {
		e.course = found
	}
	if e.course != found {
		t.turn(e, t.options.Clock().UnixNano(), func() { e.course = found })
	}
	e.courseKnown = true
}
