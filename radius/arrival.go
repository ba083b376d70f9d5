package radius

// arrival is a datagram from the NAS side while it is being looked at.
type arrival struct {
	snapshot *snapshot
	listener *listener
	datagram datagram
	packet   packet
	source   *source
	nas      *nasEntry
	begun    *transaction // once it is taken on
}

// take works through what arrives at a listener. What goes to the servers
// leaves together.
func (p *Proxy) take(l *listener) {
	out := newOutbox()
	l.serve(p.timer, func(l *listener, d datagram) {
		if next := p.receive(l, d); next != nil {
			out.post(next)
		}
	}, func() { out.flush(p) })
}

// receive is the way of a request: check it, know it from its repetitions,
// compose what is to be sent on, or find the answer that was given before; nil
// if nothing is to be sent. It runs to its end on the listener's goroutine and
// waits for nothing but the kernel.
func (p *Proxy) receive(l *listener, d datagram) (next letter) {
	a := &arrival{snapshot: p.current.Load(), listener: l, datagram: d}
	defer p.survive(func() { p.giveUp(a, dropPanic) })
	if why := a.check(); why != forwarded {
		p.refuse(a, why)
		return nil
	}
	a.nas.counters.received[a.packet.code()].Add(1)
	if a.packet.code() == accessRequest && a.packet.has(typeMessageAuthenticator) && !a.packet.has(typeEAPMessage) {
		p.learn(&a.nas.counters.latch, a.nas.RequireMA)
	}
	if a.packet.code() == statusServer {
		p.answerStatus(a)
		return nil
	}
	t := p.begin(a)
	same, why := p.duplicates.admit(t, a.snapshot.config.MaxRequests)
	if same != nil {
		return p.repeat(same)
	}
	var on *attempt
	if why == forwarded {
		t.nas.counters.outstanding.Add(1)
		a.begun = t
		p.accounted(t)
		on, why = p.forward(t)
	}
	if why != forwarded {
		p.giveUp(a, why)
	}
	return on.letter()
}

// giveUp drops an arrival that may have been taken on, so that nothing waits
// for it: a retransmission is a new attempt.
func (p *Proxy) giveUp(a *arrival, why reason) {
	if t := a.begun; t != nil && t.leave(abandoned) {
		t.recall(nil)
		p.duplicates.forget(t)
	}
	p.refuse(a, why)
}

// check finds out whether the datagram is a packet for us, from whom it says.
// Nothing is remembered of one that fails (RFC 5080 section 2.2.2).
func (a *arrival) check() reason {
	if a.source = a.snapshot.nases.source(a.datagram.from.Addr()); a.source == nil {
		return dropUnknownNAS
	}
	a.nas = a.source.only()
	var why reason
	if a.packet, why = parse(a.datagram.octets); why != forwarded {
		return why
	}
	a.nas = a.source.identify(a.packet)
	if !a.listener.kind.takes(a.packet.code()) {
		return dropCode
	}
	if why := a.authenticity(); why != forwarded {
		return why
	}
	if a.nas == nil {
		return dropUnknownNAS
	}
	return a.requirements()
}

// takes reports which codes arrive on which port. Status-Server arrives on
// both (RFC 5997 section 4.1).
func (k kind) takes(code byte) bool {
	if k == acct {
		return code == accountingRequest || code == statusServer
	}
	return code == accessRequest || code == statusServer
}

// authenticity verifies what the packet carries of authenticators.
func (a *arrival) authenticity() reason {
	p, secret := a.packet, a.source.secret
	seed := p.authenticator()
	if p.code() == accountingRequest {
		if !secret.signed(p, zeroAuthenticator[:]) {
			return dropBadAuthenticator
		}
		seed = zeroAuthenticator[:]
	}
	if at := p.offset(typeMessageAuthenticator); at > 0 && !secret.authentic(p, at, seed) {
		return dropBadMessageAuthenticator
	}
	return forwarded
}

// requirements are what a packet must have or must not have besides.
func (a *arrival) requirements() reason {
	p := a.packet
	signed := p.has(typeMessageAuthenticator)
	eap := p.has(typeEAPMessage)
	switch {
	case p.code() == accountingRequest:
		return forwarded
	case !signed && (p.code() == statusServer || eap || a.nas.counters.latch.requires(a.nas.RequireMA)):
		return dropMissingMessageAuthenticator
	case !signed && a.nas.LimitProxyState && p.has(typeProxyState):
		return dropLimitProxyState
	case eap && (p.has(typeUserPassword) || p.has(typeCHAPPassword) || p.has(typeARAPPassword)):
		return dropEAPConflict
	}
	return forwarded
}

// refuse drops an arrival, counted and logged. Nothing is sent: only an AAA
// server may reject.
func (p *Proxy) refuse(a *arrival, why reason) {
	p.debug.Load().refused(a, why)
	if a.nas == nil {
		p.counters.unknown[why].Add(1)
		p.log.warn("", why, func() []any {
			return []any{"source", a.datagram.from.String(), "listener", a.listener.addr.String()}
		})
		return
	}
	a.nas.counters.dropped[why].Add(1)
	p.log.warn(a.nas.Name, why, func() []any {
		return []any{"nas", a.nas.Name, "source", a.datagram.from.String()}
	})
}

// drop counts and logs a request that fails after it was taken on.
func (p *Proxy) drop(n *nasEntry, why reason) {
	n.counters.dropped[why].Add(1)
	p.log.warn(n.Name, why, func() []any { return []any{"nas", n.Name} })
}
