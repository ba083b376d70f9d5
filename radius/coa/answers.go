package coa

import (
	"crypto/rand"
	"net/netip"
	"sync"
	"time"
)

// answerKey tells a retransmission: the same header from the same port.
type answerKey struct {
	from, local netip.AddrPort
	header      [headerLen]byte
}

// answer is what became of a relayed request so far.
type answer struct {
	mu      sync.Mutex
	octets  []byte    // nil: not answered yet
	under   *exchange // with the router
	expires time.Time
}

func (a *answer) state() (octets []byte, x *exchange) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.octets, a.under
}

func (a *answer) sent(x *exchange) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.under = x
}

func (a *answer) done(octets []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.octets = octets
}

// answers remembers relayed requests as long as their senders may repeat them
// (RFC 5080 section 2.2.2).
type answers struct {
	now   func() time.Time
	mu    sync.Mutex
	all   map[answerKey]*answer
	order []answerKey // the oldest first
}

// Relayed requests are remembered for the time that a sender repeats them, and
// no more than so many.
const (
	answerTime = patience + 5*time.Second
	maxAnswers = 1 << 14
)

// open returns the entry of a request, and whether it is a new one.
func (c *answers) open(key answerKey) (a *answer, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for len(c.order) > 0 && (len(c.order) >= maxAnswers || now.After(c.all[c.order[0]].expires)) {
		delete(c.all, c.order[0])
		c.order = c.order[1:]
	}
	if a := c.all[key]; a != nil {
		return a, false
	}
	if c.all == nil {
		c.all = map[answerKey]*answer{}
	}
	a = &answer{expires: now.Add(answerTime)}
	c.all[key] = a
	c.order = append(c.order, key)
	return a, true
}

// newMark makes a Proxy-State by which a request that comes round again is
// known.
func newMark() (mark [8]byte) {
	rand.Read(mark[:]) // never fails (crypto/rand)
	return mark
}
