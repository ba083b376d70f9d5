package session

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are the settings of a Table. The zero value is right but for the
// clock of a rehearsal.
type Options struct {
	Clock    func() time.Time // what time it is for the policy; nil: time.Now
	Join     time.Duration    // how long an Accept waits for its Start; 0: two minutes
	Interim  time.Duration    // between Interims of a session whose Accept says nothing of it; 0: half an hour
	Missed   int              // so many Interims missed end a session; 0: 4
	MaxQuiet time.Duration    // ends a session that never sent an Interim; 0: 30 days
}

// Defaults of what Options may leave at zero.
const (
	DefaultJoin     = 2 * time.Minute
	DefaultInterim  = 30 * time.Minute
	DefaultMissed   = 4
	DefaultMaxQuiet = 30 * 24 * time.Hour
)

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Join = cmp.Or(o.Join, DefaultJoin)
	o.Interim = cmp.Or(o.Interim, DefaultInterim)
	o.Missed = cmp.Or(o.Missed, DefaultMissed)
	o.MaxQuiet = cmp.Or(o.MaxQuiet, DefaultMaxQuiet)
	return o
}

// Table is all live sessions. Its methods may be called from any goroutine;
// none of them waits for anything but the others, and none holds them up for
// longer than some thousand sessions take.
type Table struct {
	options Options
	changed chan struct{}
	born    int64 // silence counts from then: before, nobody was listening

	mu        sync.RWMutex
	shared    shared
	routers   map[place]*router
	inOrder   []*router         // by place
	accounts  map[string]*entry // one session of the account; the others hang on it
	addresses bindings
	all       []*entry
	drifting  []*entry
	asks      asks
	waiting   waiting
	graves    graves
	changes   changes
	announced announcements
	telling   map[ID]string // actions that routers are being told
	restoring *restoring    // nil: all rows are back
	counters  counters
	aged      int    // how far ageing has come in all
	serial    uint64 // of the last session that was added
}

// place names a router: a NAS of the configuration and the box behind it.
type place struct{ nas, box string }

// router is what is known of one router.
type router struct {
	place
	area      string
	sessions  map[string]*entry // by Acct-Session-Id
	order     order             // of the same
	begun     begun             // before which none of them began
	bootEvent int64             // by its own clock, when that was; s; 0: it does not tell
	booted    int64             // stamp of the last Accounting-On or -Off; what is older belongs to no session
	proofs    [len(proofs)]int  // sessions by proof
	drifting  int
}

// compare orders routers by name and box.
func (r *router) compare(at place) int {
	return cmp.Or(cmp.Compare(r.nas, at.nas), cmp.Compare(r.box, at.box))
}

// NewTable makes an empty table.
func NewTable(o Options) *Table {
	o = o.withDefaults()
	return &Table{
		options:   o,
		changed:   make(chan struct{}, 1),
		born:      o.Clock().UnixNano(),
		shared:    shared{},
		routers:   map[place]*router{},
		accounts:  map[string]*entry{},
		addresses: newBindings(),
		waiting:   newWaiting(),
		graves:    graves{stones: map[ID]stone{}},
		changes:   changes{gone: map[ID]bool{}},
		announced: announcements{all: map[ID]announcement{}},
		telling:   map[ID]string{},
		counters:  counters{ended: map[string]uint64{}},
	}
}

// Changed is where a value waits when there is a reason to look at Due or
// Drift: sessions that are new, or that have come to differ from what is
// wanted. It is made for one reader.
func (t *Table) Changed() <-chan struct{} { return t.changed }

func (t *Table) signal() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// find returns the entry of a live session; nil when there is none.
func (t *Table) find(id ID) *entry {
	r := t.routers[place{id.NAS, id.Box}]
	if r == nil {
		return nil
	}
	return r.sessions[id.AcctSession]
}

// router finds a router, or takes it up.
func (t *Table) router(at place, area string) *router {
	r := t.routers[at]
	if r == nil {
		r = &router{place: place{strings.Clone(at.nas), strings.Clone(at.box)}, sessions: map[string]*entry{}, begun: nobody}
		t.routers[r.place] = r
		i, _ := slices.BinarySearchFunc(t.inOrder, r.place, (*router).compare)
		t.inOrder = slices.Insert(t.inOrder, i, r)
	}
	if r.area != area {
		r.area = strings.Clone(area)
	}
	return r
}

// add enters a session into every index. Its texts must stand.
func (t *Table) add(r *router, e *entry) {
	e.router = r
	t.serial++
	e.serial = t.serial
	r.sessions[e.acct] = e
	r.order.add(e)
	r.begun.note(e)
	r.proofs[e.proof]++
	e.counted = e.proof
	e.inAll = int32(len(t.all))
	t.all = append(t.all, e)
	e.inAsks, e.inDrift = -1, -1
	t.index(e)
	t.settle(e)
}

// remove takes a session out of every index; it is over.
func (t *Table) remove(e *entry) {
	t.unindex(e)
	t.asks.set(e, 0)
	t.driftless(e)
	last := t.all[len(t.all)-1]
	t.all[e.inAll], last.inAll = last, e.inAll
	t.all[len(t.all)-1] = nil
	t.all = t.all[:len(t.all)-1]
	e.router.proofs[e.counted]--
	delete(e.router.sessions, e.acct)
	e.router.order.remove(e)
	e.router = nil
}

// settle brings the lists and the counts into line with an entry that has
// changed, and has it written.
func (t *Table) settle(e *entry) {
	e.router.proofs[e.counted]--
	e.router.proofs[e.proof]++
	e.counted = e.proof
	if !e.drifts() {
		e.why = word{}
		t.driftless(e)
	} else if e.inDrift < 0 {
		e.inDrift = int32(len(t.drifting))
		t.drifting = append(t.drifting, e)
		e.router.drifting++
		t.signal()
	}
	t.changes.mark(e)
}

func (t *Table) driftless(e *entry) {
	if e.inDrift < 0 {
		return
	}
	last := t.drifting[len(t.drifting)-1]
	t.drifting[e.inDrift], last.inDrift = last, e.inDrift
	t.drifting[len(t.drifting)-1] = nil
	t.drifting = t.drifting[:len(t.drifting)-1]
	e.inDrift = -1
	e.router.drifting--
}

// index enters what changes in the life of a session: account and addresses.
func (t *Table) index(e *entry) {
	if e.account != "" {
		if e.sibling = t.accounts[e.account]; e.sibling != nil {
			e.sibling.elder = e
		}
		t.accounts[e.account] = e
	}
	for b := range e.bindings() {
		t.addresses.add(b, e)
	}
}

func (t *Table) unindex(e *entry) {
	for b := range e.bindings() {
		t.addresses.remove(b, e)
	}
	if e.account == "" {
		return
	}
	if e.sibling != nil {
		e.sibling.elder = e.elder
	}
	switch {
	case e.elder != nil:
		e.elder.sibling = e.sibling
	case e.sibling != nil:
		t.accounts[e.sibling.account] = e.sibling
	default:
		delete(t.accounts, e.account)
	}
	e.sibling, e.elder = nil, nil
}

// bindings yields the addresses that a session has.
func (h *held) bindings() func(func(netip.Prefix) bool) {
	return func(yield func(netip.Prefix) bool) {
		for _, a := range [2]netip.Addr{h.address, h.address6} {
			if a.IsValid() && !yield(netip.PrefixFrom(a, a.BitLen())) {
				return
			}
		}
		for _, p := range [2]netip.Prefix{h.prefix, h.delegated} {
			if p.IsValid() && !yield(p) {
				return
			}
		}
	}
}
