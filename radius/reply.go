package radius

import (
	"encoding/binary"
	"net/netip"
)

// broke abandons the transaction of an attempt whose reply set off a panic,
// unless it is answered by another.
func (p *Proxy) broke(a *attempt) {
	t := a.transaction
	if t == nil || !a.answers && !t.leave(answering) {
		return
	}
	if a.stage.CompareAndSwap(deciding, decided) || a.stage.Load() != overruled {
		p.abandon(t, dropPanic)
	}
}

// heard learns from an authentic reply: the server lives, it can sign, and
// which State is its own.
func (p *Proxy) heard(a *attempt, reply packet) {
	now, h := a.heard, &a.target.peer.health
	changed := false
	if a.transaction == nil {
		changed = h.hearStatus(now, a.target.AnswersToAlive)
	} else {
		changed = h.hear(now)
	}
	if changed {
		p.log.turned(a.target, h.now())
	}
	if a.code() == accessRequest && reply.has(typeMessageAuthenticator) && !reply.has(typeEAPMessage) {
		p.learn(&a.target.counters.latch, a.target.RequireMA)
	}
	if reply.code() == accessChallenge {
		p.conversations.remember(reply.find(typeState), a.target, now)
	}
}

// verify checks that a packet is the server's answer to this attempt: a code
// that fits, the Response Authenticator, and what there is or must be of
// Message-Authenticators. Position does not matter (CVE-2024-3596).
func (a *attempt) verify(reply packet) reason {
	request := a.code()
	secret := a.target.Secret
	if !fits(request, reply.code()) {
		return dropCode
	}
	if !secret.signed(reply, a.authenticator[:]) {
		return dropBadAuthenticator
	}
	at := reply.offset(typeMessageAuthenticator)
	if at > 0 && !secret.authentic(reply, at, a.authenticator[:]) {
		return dropBadMessageAuthenticator
	}
	if at == 0 && request == accessRequest && (a.target.counters.latch.requires(a.target.RequireMA) || reply.has(typeEAPMessage)) {
		return dropMissingMessageAuthenticator
	}
	return forwarded
}

// fits reports whether a reply of this code may answer a request of that.
func fits(request, reply byte) bool {
	switch request {
	case accessRequest:
		return reply == accessAccept || reply == accessReject || reply == accessChallenge || reply == protocolError
	case accountingRequest:
		return reply == accountingResponse || reply == protocolError
	case statusServer: // either will do (RFC 5997 section 4)
		return reply == accessAccept || reply == accountingResponse
	}
	return false
}

// refuseReply drops what came from the server's side. Whatever waits goes on
// waiting: the right reply may still come.
func (p *Proxy) refuseReply(s *socket, a *attempt, why reason) {
	target := p.owner(s, a)
	if target == nil {
		return
	}
	target.counters.dropped[why].Add(1)
	p.log.warn(target.Name, why, func() []any { return []any{"aaa", target.Name, "address", s.peer.remote.String()} })
	if a != nil && a.transaction != nil {
		p.debug.Load().note(a.transaction, "Dropped a reply from %s: %s", target.Name, explanations[why])
	}
}

// owner returns the server that a socket belongs to.
func (p *Proxy) owner(s *socket, a *attempt) *target {
	if a != nil {
		return a.target
	}
	for _, t := range p.current.Load().targets {
		if t.peer == s.peer {
			return t
		}
	}
	return nil
}

func (t *transaction) envelope() envelope {
	return envelope{&t.listener.outlet, t.reply, t.client, t.local}
}

// send sends the answer by itself.
func (t *transaction) send(p *Proxy) bool {
	return p.deliver(t.nas, t.listener, t.reply, t.client, t.local)
}

// deliver sends an answer to a NAS. What the kernel refuses, which is false, is
// lost like any datagram: the NAS asks again.
func (p *Proxy) deliver(to *nasEntry, via *listener, octets []byte, client, local netip.AddrPort) bool {
	err := via.reply(octets, client, local)
	if err != nil {
		p.drop(to, dropSend)
	}
	return err == nil
}

// abandon leaves a transaction without an answer.
func (p *Proxy) abandon(t *transaction, why reason) {
	t.state.Store(abandoned)
	t.recall(nil)
	p.duplicates.forget(t)
	p.debug.Load().note(t, "Not answered: %s (%s)", explanations[why], why)
	p.drop(t.nas, why)
}

// composeReply writes the reply as the NAS is to see it: Message-Authenticator
// first, the server's attributes in their order and re-hidden, what the policy
// inserts, and at the end exactly the Proxy-States that the NAS sent. Those in
// the reply are not used: servers reorder and lose them (RFC 2865 section 2.3).
func composeReply(t *transaction, a *attempt, reply packet, insert insertion) ([]byte, reason) {
	out := make(packet, headerLen, len(reply)+attrMALen+len(insert.add)+proxyStateLen(t.request))
	out[0], out[1] = reply.code(), t.request.id()
	if out[0] == protocolError {
		out[0] = accessReject // RFC 7930 goes only to who is known to understand it
	}
	if t.wantsMA() {
		out = appendMA(out)
	}
	body := len(out)
	out = insert.copyAttributes(out, reply)
	if !t.snapshot.hidden.rehideAll(out[body:], a.keying(), t.keying()) && t.loses() {
		return nil, dropHidden
	}
	out = append(out, insert.add...)
	for _, attr := range t.request.attributes() {
		if attr[0] == typeProxyState {
			out = append(out, attr...)
		}
	}
	if len(out) > maxPacketLen {
		return nil, dropTooBig
	}
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
	t.nas.Secret.sealReply(out, t.request.authenticator())
	return out, forwarded
}

// wantsMA reports whether the reply to this request begins with a
// Message-Authenticator.
func (t *transaction) wantsMA() bool {
	if t.request.code() != accessRequest {
		return false
	}
	switch t.nas.ReplyMA {
	case ReplyMANever:
		// An EAP conversation without it is void (RFC 3579 section 3.1).
		return t.request.has(typeEAPMessage)
	case ReplyMAEcho:
		return t.request.has(typeMessageAuthenticator)
	}
	return true
}

func proxyStateLen(request packet) int {
	n := 0
	for _, attr := range request.attributes() {
		if attr[0] == typeProxyState {
			n += len(attr)
		}
	}
	return n
}
