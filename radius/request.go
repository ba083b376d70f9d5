package radius

import (
	"bytes"
	"encoding/binary"
	"errors"
	"syscall"
	"time"
)

// repeat deals with a retransmission: the same answer if there is one,
// otherwise a new attempt at another server if this one keeps silent, or the
// same octets to the same server, at most once a second; nil if nothing is to
// be sent.
func (p *Proxy) repeat(t *transaction) letter {
	t.nas.counters.dropped[dropDuplicate].Add(1)
	if t.state.Load() == answered {
		p.debug.Load().note(t, "A retransmission: the cached answer goes out again")
		return t
	}
	a, now := t.attempt.Load(), p.timer()
	if a == nil || t.state.Load() != waiting {
		p.debug.Load().note(t, "A retransmission while the request is in progress")
		return nil
	}
	early := now.Sub(a.sent) < time.Second
	if other := p.elsewhere(t, a, early); other != nil {
		p.debug.Load().note(t, "A retransmission: %s keeps silent, %s is asked", a.target.Name, other.Name)
		if next, why := p.attempt(t, other); why == forwarded {
			return next.letter()
		}
	}
	if early || a.target.peer.health.now() == dead {
		p.debug.Load().note(t, "A retransmission while the request is in progress")
		return nil
	}
	a.sent = now
	a.target.peer.health.owe(now)
	p.debug.Load().note(t, "A retransmission goes to %s", a.target.Name)
	a.count()
	return a
}

// letter is the attempt as one; nil if there is none.
func (a *attempt) letter() letter {
	if a == nil {
		return nil
	}
	return a
}

// elsewhere returns another server for a request that its own leaves without
// an answer; nil while that one still answers others, or has had less than a
// second and is believed alive, when no other is alive, and in the middle of a
// conversation that only that one knows. One that is known to keep silent gets
// no second: a router that asks every second would often come just too early.
func (p *Proxy) elsewhere(t *transaction, a *attempt, early bool) *target {
	h := &a.target.peer.health
	if h.now() == alive && (early || h.heardSince(a.began)) || t.request.has(typeState) {
		return nil
	}
	targets, _ := t.targets(p.current.Load()) // those of an earlier configuration may be gone
	for _, to := range targets {
		if to.peer != a.target.peer && to.peer.health.now() == alive {
			return to
		}
	}
	return nil
}

// forward makes a request ready for a server of its realm's pool.
func (p *Proxy) forward(t *transaction) (*attempt, reason) {
	if t.nas.MaxOutstanding > 0 && t.nas.counters.outstanding.Load() > int64(t.nas.MaxOutstanding) {
		return nil, dropOverload
	}
	if p.looped(t.request) {
		return nil, dropLoop
	}
	targets, why := t.targets(t.snapshot)
	if why != forwarded {
		return nil, why
	}
	return p.send(t, targets, current(targets, p.conversations.server(t.request.find(typeState))))
}

// send tries the server that the conversation is with, if there is one, and
// then the pool in its order: every one that is alive, and last the first
// zombie. It goes on to the next only where there is not even a socket for
// one.
func (p *Proxy) send(t *transaction, targets []*target, known *target) (a *attempt, why reason) {
	var last *target
	why = dropServersDead
	if known != nil {
		if a, why = p.attempt(t, known); why != dropSend {
			return a, why
		}
	}
	for _, to := range targets {
		switch state := to.peer.health.now(); {
		case to == known:
		case state == alive:
			if a, why = p.attempt(t, to); why != dropSend {
				return a, why
			}
		case state == zombie && last == nil:
			last = to
		}
	}
	if last != nil {
		return p.attempt(t, last)
	}
	return nil, why
}

// current finds the server of a conversation among those of the running
// configuration. One that is dead, or no longer among them, leaves it to the
// others.
func current(targets []*target, known *target) *target {
	for _, to := range targets {
		if known != nil && to.peer == known.peer && to.peer.health.now() != dead {
			return to
		}
	}
	return nil
}

// targets are the servers of a configuration that a request may go to, in
// their order.
func (t *transaction) targets(s *snapshot) ([]*target, reason) {
	route := s.route(t.request.find(typeUserName))
	if route == nil {
		return nil, dropNoRealm
	}
	targets := route.auth
	if t.request.code() == accountingRequest {
		targets = route.acct
	}
	if len(targets) == 0 {
		return nil, dropNoServer
	}
	return targets, forwarded
}

// maxProxyStates is how many proxies a request may have come through. Where a
// server wants none of our Proxy-States, those that the others of a loop add
// are all that tells of it.
const maxProxyStates = 16

// looped reports whether the request carries our own Proxy-State, or more of
// others than any chain of proxies adds.
func (p *Proxy) looped(request packet) bool {
	states := 0
	for _, attr := range request.attributes() {
		if attr[0] != typeProxyState {
			continue
		}
		if states++; bytes.Equal(attr[2:], p.loopMark[:]) {
			return true
		}
	}
	return states > maxProxyStates
}

// unsent notes that a server got no request, for want of a socket or of an
// identifier.
func (p *Proxy) unsent(to *target, now time.Time, why reason, err error) {
	to.counters.dropped[why].Add(1)
	p.log.warn(to.Name, why, func() []any {
		if err != nil {
			return []any{"aaa", to.Name, "error", err}
		}
		return []any{"aaa", to.Name}
	})
	if why == dropSend && to.peer.health.fade(zombie, now) {
		p.log.turned(to, zombie)
	}
}

// count counts an attempt as sent before it is: the answer may be here before
// the system call returns.
func (a *attempt) count() { a.target.counters.sent[a.wire[0]].Add(1) }

// transmit counts and sends an attempt.
func (p *Proxy) transmit(a *attempt) {
	a.count()
	a.send(p)
}

func (a *attempt) envelope() envelope { return envelope{via: &a.socket.outlet, octets: a.wire} }

// send sends an attempt that is counted; false when the kernel refuses it.
func (a *attempt) send(p *Proxy) bool {
	_, err := a.socket.conn.Write(a.wire)
	if errors.Is(err, syscall.ECONNREFUSED) {
		// The answer to an earlier datagram: this one was not sent at all.
		_, err = a.socket.conn.Write(a.wire)
	}
	if err != nil {
		// The request stays under way and the NAS's retransmission repeats it.
		a.target.counters.sent[a.wire[0]].Add(^uint64(0))
		a.target.counters.dropped[dropSend].Add(1)
		p.log.warn(a.target.Name, dropSend, func() []any { return []any{"aaa", a.target.Name, "error", err} })
	}
	return err == nil
}

// compose writes the request as the server is to see it, all but identifier
// and authenticators: Message-Authenticator first, then every attribute of the
// NAS in its order, then what a new Request Authenticator makes necessary, and
// our Proxy-State last.
func (p *Proxy) compose(a *attempt) reason {
	t := a.transaction
	request := t.request
	wire := t.listener.room.octets.next(len(request) + 2*attrMALen + 2 + len(p.loopMark))[:headerLen]
	wire[0] = request.code()
	if request.code() == accessRequest {
		wire = appendMA(wire)
	}
	for _, attr := range request.attributes() {
		if attr[0] != typeMessageAuthenticator {
			wire = append(wire, attr...)
		}
	}
	from, to := t.keying(), a.keying()
	if !t.snapshot.hidden.rehideAll(wire[headerLen:], from, to) && t.loses() {
		return dropHidden
	}
	if request.code() == accessRequest && request.has(typeCHAPPassword) && !request.has(typeCHAPChallenge) {
		// The challenge was the Request Authenticator, which ends here (RFC 2865 section 2.3).
		wire = append(wire, typeCHAPChallenge, 2+authenticatorLen)
		wire = append(wire, request.authenticator()...)
	}
	if !a.target.NoProxyState {
		wire = append(wire, typeProxyState, byte(2+len(p.loopMark)))
		wire = append(wire, p.loopMark[:]...)
	}
	if len(wire) > maxPacketLen {
		return dropTooBig
	}
	binary.BigEndian.PutUint16(wire[2:], uint16(len(wire)))
	a.wire = wire
	return forwarded
}

// loses reports whether the packet has to go for the sake of an attribute that
// cannot be decrypted, since the other side would read a wrong password or key.
// Accounting goes through with the attribute as it is: the record is worth more.
func (t *transaction) loses() bool { return t.request.code() != accountingRequest }

// keying is what hidden attributes of the NAS's request are bound to. Those of
// an Accounting-Request are bound to zeros: its authenticator is not known
// before they are hidden.
func (t *transaction) keying() keying {
	if t.request.code() == accountingRequest {
		return keying{t.nas.Secret, zeroAuthenticator[:]}
	}
	return keying{t.nas.Secret, t.request.authenticator()}
}

func (a *attempt) keying() keying {
	if a.transaction.request.code() == accountingRequest {
		return keying{a.target.Secret, zeroAuthenticator[:]}
	}
	return keying{a.target.Secret, a.authenticator[:]}
}

// seal writes identifier and authenticators into a composed request. For an
// Accounting-Request the authenticator is the signature over the packet.
func (to *target) seal(a *attempt) {
	p := packet(a.wire)
	p[1] = a.id
	if p.code() == accountingRequest {
		a.authenticator = to.Secret.sign(p, zeroAuthenticator[:])
		copy(p[4:], a.authenticator[:])
		return
	}
	copy(p[4:], a.authenticator[:])
	ma := to.Secret.authenticate(p, headerLen, a.authenticator[:])
	copy(p[headerLen+2:], ma[:])
}
