// Package radius is the wire: a RADIUS proxy between access routers and AAA
// servers that adds what the policy says to an Access-Accept.
//
// It never answers for an AAA server, never retransmits by itself, and never
// turns trouble of its own into an Access-Reject. It does not decide (package
// engine does), does not name attributes (package dict does) and stores
// nothing.
package radius

import (
	"cmp"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"sekisho/engine"
)

// Subscribers is where the proxy learns what is known of an account. It is
// asked once for each Access-Accept that a decision is made for, concurrently.
type Subscribers interface {
	// Subscriber fills in the contract of an account in folded spelling, nil
	// where there is none, and its overrides, all as of one instant.
	Subscriber(account string, f *engine.Facts) error
}

// Options are what a Proxy is given for its whole life.
type Options struct {
	Subscribers Subscribers
	Clock       func() time.Time // what time it is for the policy; nil: time.Now
	Log         *slog.Logger     // nil: discard
	Latches     Latches          // nil: what `auto` learns is forgotten at the end
	Sessions    Sessions         // nil: nobody wants to know

	// Healthy reports whether decisions can be made; false leaves Status-Servers
	// without an answer, so that the NAS turns to another proxy (RFC 5997). It is
	// asked on the packets' way and must not wait. Nil: they are always answered.
	Healthy func() bool

	timer func() time.Time // what time-outs go by, for tests; nil: time.Now
	aside int              // how many decisions may take long at once, for tests; 0: maxAside
}

// Proxy is the running proxy. All its methods may be called concurrently.
type Proxy struct {
	subscribers Subscribers
	clock       func() time.Time
	timer       func() time.Time // for time-outs: never a rehearsal clock
	log         *limitedLog
	counters    *registry
	duplicates  *duplicates
	debug       atomic.Pointer[Debug]
	serial      atomic.Uint64
	loopMark    [8]byte // our Proxy-State

	sessions      Sessions
	conversations conversations
	latches       Latches
	healthy       func() bool
	learned       chan *latch // to keep
	aside         aside

	reload    sync.Mutex // held while a configuration is made ready, which reads the Latches
	current   atomic.Pointer[snapshot]
	retiring  sync.Mutex // guards retired; held for moments, since the watch needs it
	retired   []*peer    // of earlier configurations, until nothing waits for them
	listeners []*listener
	serving   sync.WaitGroup // the listeners' goroutines
	others    sync.WaitGroup // the sockets' goroutines, and the one that sweeps
	answering atomic.Int64   // replies of servers being worked on
	shut      sync.Once
	stopSweep chan struct{}
}

// sweepInterval is how often what has expired is taken away.
const sweepInterval = 100 * time.Millisecond

// Start opens the listeners and serves. The configuration must have been
// checked; what Start reports is what the kernel refuses.
func Start(c *Config, o Options) (*Proxy, error) {
	p := newProxy(o)
	p.current.Store(p.compile(c.withDefaults()))
	if err := p.listen(c); err != nil {
		p.closeAll()
		return nil, err
	}
	for _, l := range p.listeners {
		p.serving.Go(func() { p.take(l) })
	}
	p.others.Go(func() { p.regularly(sweepInterval, p.sweep) })
	p.others.Go(p.watch)
	if p.latches != nil {
		p.others.Go(p.keepLearning)
	}
	return p, nil
}

func newProxy(o Options) *Proxy {
	p := &Proxy{
		subscribers: o.Subscribers,
		clock:       o.Clock,
		timer:       o.timer,
		counters:    newRegistry(),
		stopSweep:   make(chan struct{}),
		latches:     o.Latches,
		healthy:     o.Healthy,
		learned:     make(chan *latch, 64),
		sessions:    o.Sessions,
		aside:       aside{most: int64(cmp.Or(o.aside, maxAside)), yield: runtime.Gosched},
	}
	if p.clock == nil {
		p.clock = time.Now
	}
	if p.timer == nil {
		p.timer = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p.log = newLimitedLog(o.Log, p.timer)
	p.duplicates = newDuplicates(p.timer())
	rand.Read(p.loopMark[:]) // never fails (crypto/rand)
	return p
}

func (p *Proxy) listen(c *Config) error {
	for k, addrs := range map[kind][]netip.AddrPort{auth: c.Auth, acct: c.Acct} {
		for _, addr := range addrs {
			l, err := listen(addr, k)
			if err != nil {
				return err
			}
			if l.buffer < socketBuffer {
				p.log.log.Info("the receive buffer is smaller than asked for: raise net.core.rmem_max for bursts of logins", "listener", l.addr.String(), "octets", l.buffer, "asked", socketBuffer)
			}
			l.number = uint16(len(p.listeners))
			p.listeners = append(p.listeners, l)
		}
	}
	if len(p.listeners) == 0 {
		return errors.New("no address to listen on")
	}
	return nil
}

// Addresses returns where the proxy listens: the addresses of the
// configuration with the ports that the kernel chose for port 0.
func (p *Proxy) Addresses() (authAddrs, acctAddrs []netip.AddrPort) {
	for _, l := range p.listeners {
		if l.kind == auth {
			authAddrs = append(authAddrs, l.addr)
		} else {
			acctAddrs = append(acctAddrs, l.addr)
		}
	}
	return authAddrs, acctAddrs
}

// Reload puts another configuration in place of the running one. Requests
// under way finish by the one they arrived under. Listeners stay as they are.
func (p *Proxy) Reload(c *Config) {
	p.reload.Lock()
	defer p.reload.Unlock()
	old := p.current.Load()
	next := p.compile(c.withDefaults())
	p.retiring.Lock()
	defer p.retiring.Unlock()
	p.current.Store(next)
	for key, peer := range old.peers {
		if next.peers[key] == nil {
			p.retired = append(p.retired, peer)
		}
	}
}

// Stats returns what has been counted since the start.
func (p *Proxy) Stats() Stats {
	stats := p.counters.stats()
	stats.Held = int(p.duplicates.held.Load())
	counted := map[*peer]bool{} // a server stands in several pools, and takes both kinds on one port
	for _, t := range p.current.Load().targets {
		if counted[t.peer] {
			continue
		}
		counted[t.peer] = true
		sockets, busy := t.peer.load()
		server := stats.AAA[t.Name]
		server.Sockets += sockets
		server.Outstanding += busy
		server.Ports = append(server.Ports, PortStats{t.peer.remote, t.peer.health.now().String()})
		stats.AAA[t.Name] = server
	}
	return stats
}

// allPeers are those of the running configuration and the retired ones.
func (p *Proxy) allPeers() []*peer {
	p.retiring.Lock()
	defer p.retiring.Unlock()
	peers := append([]*peer(nil), p.retired...)
	for _, peer := range p.current.Load().peers {
		peers = append(peers, peer)
	}
	return peers
}

// survive ends a panic with the packet that set it off: one packet must not
// take the others' proxy down. The decision has its own net, see decide.
func (p *Proxy) survive(giveUp func()) {
	broken := recover()
	if broken == nil {
		return
	}
	p.log.panicked(broken)
	giveUp()
}

// regularly does something until the proxy ends.
func (p *Proxy) regularly(interval time.Duration, do func(now time.Time)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-p.stopSweep:
			return
		case <-tick.C:
			do(p.timer())
		}
	}
}

// sweep takes away what has expired: requests that no server answered, answers
// that no NAS asked for again, sockets that nothing uses any more.
func (p *Proxy) sweep(now time.Time) {
	for _, peer := range p.allPeers() {
		for _, a := range peer.expire(now) {
			p.timeOut(a)
		}
	}
	p.checkServers(now)
	p.duplicates.expire(now.Add(-p.current.Load().config.CleanupDelay))
	p.conversations.expire(now)
	p.closeRetired()
}

// closeRetired closes the sockets of earlier configurations that nothing waits
// for.
func (p *Proxy) closeRetired() {
	p.retiring.Lock()
	defer p.retiring.Unlock()
	kept := p.retired[:0]
	for _, peer := range p.retired {
		if !peer.closeIfIdle() {
			kept = append(kept, peer)
		}
	}
	p.retired = kept
}

// timeOut gives up an attempt. The NAS is told nothing: it will ask another
// server.
func (p *Proxy) timeOut(a *attempt) {
	a.target.counters.dropped[dropTimeout].Add(1)
	t := a.transaction
	if t == nil {
		return // a Status-Server: the next one notices
	}
	defer p.survive(func() { p.drop(t.nas, dropPanic) })
	if t.attempt.Load() == a && t.leave(abandoned) {
		t.recall(nil)
		p.duplicates.forget(t)
		p.debug.Load().note(t, "Not answered: %s (%s)", explanations[dropTimeout], dropTimeout)
		p.drop(t.nas, dropTimeout)
	}
}
