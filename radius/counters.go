package radius

import (
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"
)

// nasCounters count what concerns one NAS.
type nasCounters struct {
	received    [256]atomic.Uint64 // by code
	answered    [256]atomic.Uint64 // by code
	dropped     [reasons]atomic.Uint64
	injections  [injections]atomic.Uint64
	outstanding atomic.Int64
	latch       latch
}

// aaaCounters count what concerns one AAA server.
type aaaCounters struct {
	sent     [256]atomic.Uint64 // by code
	received [256]atomic.Uint64 // by code
	dropped  [reasons]atomic.Uint64
	latch    latch
}

// registry keeps counters by name, so that they survive a reload.
type registry struct {
	mu        sync.Mutex
	nases     map[string]*nasCounters
	aaas      map[string]*aaaCounters
	decisions map[Ruling]*atomic.Uint64
	unknown   [reasons]atomic.Uint64 // datagrams of no known NAS
}

// Ruling is an action and the rule that led to it, as decisions are counted.
type Ruling struct{ Action, Rule string }

func newRegistry() *registry {
	return &registry{nases: map[string]*nasCounters{}, aaas: map[string]*aaaCounters{}, decisions: map[Ruling]*atomic.Uint64{}}
}

func (r *registry) nas(name string) *nasCounters {
	return named(&r.mu, r.nases, name, func() *nasCounters { return &nasCounters{latch: latch{name: nasLatch(name)}} })
}

func (r *registry) aaa(name string) *aaaCounters {
	return named(&r.mu, r.aaas, name, func() *aaaCounters { return &aaaCounters{latch: latch{name: aaaLatch(name)}} })
}

// decided counts a decision. Its few possible values all come from the policy.
func (r *registry) decided(action, rule string) {
	named(&r.mu, r.decisions, Ruling{action, rule}, func() *atomic.Uint64 { return new(atomic.Uint64) }).Add(1)
}

func named[K comparable, C any](mu *sync.Mutex, all map[K]*C, name K, create func() *C) *C {
	mu.Lock()
	defer mu.Unlock()
	c, ok := all[name]
	if !ok {
		c = create()
		all[name] = c
	}
	return c
}

// Stats is what the proxy has counted since it started.
type Stats struct {
	NAS       map[string]NASStats // by name
	AAA       map[string]AAAStats // by name
	Decisions map[Ruling]uint64
	Unknown   map[string]uint64 // datagrams of no known NAS, by reason
	Held      int               // requests held now, waiting or answered
}

// NASStats are the counters of one NAS.
type NASStats struct {
	Received, Answered  map[byte]uint64   // by RADIUS code
	Dropped, Injections map[string]uint64 // by reason, by outcome
	Outstanding         int64             // requests waiting for an AAA now
}

// AAAStats are the counters of one AAA server.
type AAAStats struct {
	Sent, Received map[byte]uint64 // by RADIUS code
	Dropped        map[string]uint64
	Sockets        int         // open towards it now
	Outstanding    int         // identifiers in use now
	Ports          []PortStats // of the running configuration
}

// PortStats is how one port of an AAA server is.
type PortStats struct {
	Address netip.AddrPort
	State   string // alive, zombie or dead
}

func (r *registry) stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Stats{NAS: map[string]NASStats{}, AAA: map[string]AAAStats{}, Decisions: map[Ruling]uint64{}}
	for name, c := range maps.All(r.nases) {
		s.NAS[name] = NASStats{
			Received:    byCode(&c.received),
			Answered:    byCode(&c.answered),
			Dropped:     byReason(&c.dropped),
			Injections:  byInjection(&c.injections),
			Outstanding: c.outstanding.Load(),
		}
	}
	for name, c := range maps.All(r.aaas) {
		s.AAA[name] = AAAStats{Sent: byCode(&c.sent), Received: byCode(&c.received), Dropped: byReason(&c.dropped)}
	}
	for ruling, n := range r.decisions {
		s.Decisions[ruling] = n.Load()
	}
	s.Unknown = byReason(&r.unknown)
	return s
}

// waiting counts the requests of all NASes that wait for an AAA.
func (r *registry) waiting() (n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.nases {
		n += c.outstanding.Load()
	}
	return n
}

func byCode(counters *[256]atomic.Uint64) map[byte]uint64 {
	counts := map[byte]uint64{}
	for code := range counters {
		if n := counters[code].Load(); n > 0 {
			counts[byte(code)] = n
		}
	}
	return counts
}

func byReason(counters *[reasons]atomic.Uint64) map[string]uint64 {
	counts := map[string]uint64{}
	for r := range counters {
		if n := counters[r].Load(); n > 0 {
			counts[reason(r).String()] = n
		}
	}
	return counts
}

func byInjection(counters *[injections]atomic.Uint64) map[string]uint64 {
	counts := map[string]uint64{}
	for i := range counters {
		if n := counters[i].Load(); n > 0 {
			counts[injection(i).String()] = n
		}
	}
	return counts
}
