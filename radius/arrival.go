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
