package radius

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

// liveness is how far a server's port is believed to answer.
type liveness uint32

// A zombie left requests unanswered and is used only if nothing is alive; a
// dead one is not used at all.
const (
	alive liveness = iota
	zombie
	dead
)

func (l liveness) String() string { return [...]string{"alive", "zombie", "dead"}[l] }

// health is what is known of whether a server's port answers. Any authentic
// packet from it proves that it does; silence makes it a zombie, longer
// silence dead. Status-Server (RFC 5997) asks zombies and the dead whether
// they are back: one answer makes a dead one a zombie, so that a pool without
// any other uses it at once, enough of them make it alive. A dead one that
// does not answer them, perhaps because it does not know them, is a zombie
// again after the revive interval.
type health struct {
	state atomic.Uint32
	heard moment // when it last sent something authentic
	owed  moment // when the oldest request was sent since then; never where there is none

	mu      sync.Mutex // guards what follows, and changes of state
	since   time.Time  // when it came into this state
	answers int        // to Status-Servers in a row
	asked   time.Time  // when the last Status-Server went out
	waiting bool       // for its answer
}

func (h *health) now() liveness { return liveness(h.state.Load()) }

// heardSince reports whether it has sent anything authentic after an instant.
func (h *health) heardSince(at time.Time) bool { return h.heard.time().After(at) }

// owe notes that a subscriber's request was sent.
func (h *health) owe(at time.Time) {
	if h.owed.time().IsZero() {
		h.owed.set(at)
	}
}

// silent reports whether a request has waited longer than the window and
// nothing authentic has come since. It does not matter whether that request is
// still wanted: a router that reuses its identifiers takes away none of the
// evidence.
func (h *health) silent(window time.Duration, now time.Time) bool {
	owed := h.owed.time()
	return !owed.IsZero() && now.Sub(owed) > window
}

// hear notes an answer to a subscriber's request.
func (h *health) hear(at time.Time) (changed bool) {
	h.heard.set(at)
	h.owed.clear()
	return h.now() != alive && h.turn(alive, at)
}

// hearStatus notes an answer to a Status-Server; enough of them in a row make
// it alive.
func (h *health) hearStatus(at time.Time, enough int) (changed bool) {
	h.heard.set(at)
	h.owed.clear()
	h.mu.Lock()
	h.answers++
	h.waiting = false
	answers := h.answers
	h.mu.Unlock()
	switch {
	case answers >= enough:
		return h.turn(alive, at)
	case h.now() == dead:
		return h.turn(zombie, at)
	}
	return false
}

// turn changes the state; false if it is that already.
func (h *health) turn(to liveness, at time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.become(to, at)
}

// fade is turn for a server that keeps silent: its answers to Status-Servers
// count from here on.
func (h *health) fade(to liveness, at time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.become(to, at) {
		return false
	}
	h.answers, h.waiting = 0, false
	return true
}

func (h *health) become(to liveness, at time.Time) bool {
	if h.now() == to {
		return false
	}
	h.state.Store(uint32(to))
	h.since = at
	return true
}

// age says what silence has made of a server, by the times of its entry.
func (h *health) age(server *AAA, now time.Time) (to liveness, changed bool) {
	h.mu.Lock()
	state, quiet := h.now(), now.Sub(h.since)
	h.mu.Unlock()
	if heard := now.Sub(h.heard.time()); heard < quiet {
		quiet = heard // it answers Status-Servers, not yet often enough
	}
	switch {
	case state == zombie && quiet > server.ZombiePeriod:
		return dead, h.fade(dead, now)
	case state == dead && quiet > server.ReviveInterval:
		return zombie, h.fade(zombie, now)
	}
	return state, false
}

// ask reports whether it is time for another Status-Server, and notes it. If
// the last one was not answered by then, the count begins anew.
func (h *health) ask(server *AAA, now time.Time) bool {
	if server.NoStatusCheck || h.now() == alive {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.asked) < server.CheckInterval {
		return false
	}
	if h.waiting {
		h.answers = 0
	}
	h.asked, h.waiting = now, true
	return true
}

// checkServers looks after every server of the running configuration.
func (p *Proxy) checkServers(now time.Time) {
	for _, to := range p.current.Load().targets {
		h := &to.peer.health
		if h.now() == alive && h.silent(to.ResponseWindow, now) && h.fade(zombie, now) {
			p.log.turned(to, zombie)
		}
		if state, changed := h.age(to.AAA, now); changed {
			p.log.turned(to, state)
		}
		if h.ask(to.AAA, now) {
			p.probe(to, now)
		}
	}
}

// statusName is the NAS-Identifier of our Status-Servers.
const statusName = "sekisho"

// probe sends a Status-Server, the only packet that the proxy sends of itself.
func (p *Proxy) probe(to *target, now time.Time) {
	a := &attempt{target: to, began: now, deadline: now.Add(to.CheckInterval)}
	rand.Read(a.authenticator[:]) // never fails (crypto/rand)
	wire := make([]byte, headerLen, headerLen+attrMALen+2+len(statusName))
	wire[0] = statusServer
	wire = appendMA(wire)
	wire = append(wire, typeNASIdentifier, byte(2+len(statusName)))
	wire = append(wire, statusName...)
	binary.BigEndian.PutUint16(wire[2:], uint16(len(wire)))
	a.wire = wire
	if why, _ := to.peer.acquire(a, to.MaxSockets); why != forwarded {
		to.counters.dropped[why].Add(1)
		return
	}
	to.seal(a)
	a.arm()
	p.transmit(a)
}
