package radius

import (
	"crypto/rand"
	"time"

	"sekisho/dict"
)

// The way of a packet, to the server and back: what happens to every one, tens
// of thousands of times a second. What it is made of:
//
//   - A goroutine takes what has arrived, as much as there is, works through it
//     to the end, and sends on all that comes of it: a system call costs more
//     than a packet's work, so it is shared. Nothing is handed to another
//     goroutine between (inbox.go, outbox.go, reader.go).
//   - A packet is changed octet by octet into the one that is sent; it is never
//     decoded into a structure (request.go, reply.go, hidden.go, inject.go).
//   - What a packet is kept in comes in lots (room.go); what is kept for long has
//     no pointers in it: answers (kept.go) and logins (glimpse.go).
//   - Locks are held for some instructions and by many: 64 parts of the
//     duplicate cache (duplicates.go), one for each server (peer.go).
//   - Whatever takes long is moved aside for the others to pass (aside.go,
//     budget.go).
//
// differential_test.go compares all this with a plain proxy.

// take works through what arrives at a listener. What goes to the servers
// leaves together.
func (p *Proxy) take(l *listener) {
	out := newOutbox()
	l.serve(func(l *listener, d datagram) {
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

// begin takes a request on: a copy of its own, and a number.
func (p *Proxy) begin(a *arrival) *transaction {
	room := &a.listener.room
	t := room.transactions.next()
	t.snapshot, t.listener, t.nas = a.snapshot, a.listener, a.nas
	t.client, t.local = a.datagram.from, a.datagram.local
	t.request = append(room.octets.next(len(a.packet)), a.packet...)
	t.serial = p.serial.Add(1) - 1
	p.debug.Load().received(t)
	return t
}

// attempt composes the request for one server, ready to be sent; nil where
// it need not be.
func (p *Proxy) attempt(t *transaction, to *target) (*attempt, reason) {
	now := p.timer() // not that of a batch: something may have stalled in it
	a := t.listener.room.attempts.next()
	a.transaction, a.earlier, a.target = t, t.attempt.Load(), to
	a.began, a.sent, a.deadline = now, now, now.Add(t.snapshot.config.RequestTime)
	rand.Read(a.authenticator[:]) // never fails (crypto/rand); not drawn ahead: a virtual machine may be copied
	if why := p.compose(a); why != forwarded {
		return nil, why
	}
	if why, err := to.peer.acquire(a, to.MaxSockets); why != forwarded {
		p.unsent(to, now, why, err)
		return nil, why
	}
	to.peer.health.owe(now)
	to.seal(a)
	a.arm()
	t.attempt.Store(a)
	if t.state.Load() != waiting { // an earlier attempt was answered meanwhile
		to.peer.retire(a)
		return nil, forwarded
	}
	p.debug.Load().sent(t, a)
	a.count()
	return a, forwarded
}

// reply is the way of a reply: find the request it answers, verify it, add
// what the policy says, and make the answer ready; nil where there is none to
// be sent. It runs on the goroutine that has the reader; false means that
// another one has it now.
func (p *Proxy) reply(r *reader, octets []byte) (answer *transaction, mine bool) {
	s := r.socket
	reply, why := parse(octets)
	if why != forwarded {
		p.refuseReply(s, nil, why)
		return nil, true
	}
	a := s.waiting(reply.id())
	if a == nil {
		p.refuseReply(s, nil, dropUnmatched)
		return nil, true
	}
	if why := a.verify(reply); why != forwarded {
		p.refuseReply(s, a, why)
		return nil, true
	}
	return p.accepted(r, a, reply)
}

// accepted goes on with a reply that is what it claims to be. An answer that
// is returned counts among those worked on until it has left.
func (p *Proxy) accepted(r *reader, a *attempt, reply packet) (answer *transaction, mine bool) {
	p.answering.Add(1)
	answer = p.settle(r, a, reply)
	if mine = p.readsOn(a); mine && answer != nil {
		return answer, true
	}
	if answer != nil {
		answer.send(p)
	}
	p.answering.Add(-1)
	return nil, mine
}

// settle ends the attempt that a reply belongs to, and answers its transaction.
func (p *Proxy) settle(r *reader, a *attempt, reply packet) *transaction {
	defer p.survive(func() { p.broke(a) })
	a.heard, a.reader = r.heard, r
	r.socket.working.Store(a) // before the identifier goes: a socket with neither is idle
	r.socket.peer.release(a)
	a.target.counters.received[reply.code()].Add(1)
	p.heard(a, reply)
	t := a.transaction
	if t == nil {
		return nil
	}
	if a.answers = t.leave(answering); !a.answers {
		a.target.counters.dropped[dropLate].Add(1)
		return nil
	}
	p.debug.Load().replied(t, a, reply)
	return p.answer(t, a, reply)
}

// answer makes the answer for the NAS ready, an Accept with what the policy
// says; nil where there is none, or another goroutine answers.
func (p *Proxy) answer(t *transaction, a *attempt, reply packet) *transaction {
	if reply.code() == protocolError && t.request.code() != accessRequest {
		p.abandon(t, dropCode) // no answer is the only refusal that accounting has
		return nil
	}
	if reply.code() != accessAccept {
		return p.finish(t, a, reply, insertion{}, false)
	}
	if insert, drop, mine := p.deliberate(a, reply); mine {
		return p.finish(t, a, reply, insert, drop)
	}
	return nil
}

// finish composes the answer for the NAS and keeps it for retransmissions, and
// now it has to be sent; nil where it cannot be, or the fail mode is to drop.
func (p *Proxy) finish(t *transaction, a *attempt, reply packet, insert insertion, drop bool) *transaction {
	if drop {
		p.inserted(t, insert.outcome)
		p.abandon(t, dropFailMode)
		return nil
	}
	octets, why := composeReply(t, a, reply, insert)
	if why == dropTooBig && len(insert.add) > 0 && t.nas.Profile.Fail != dict.FailDrop {
		// A filter that does not fit is no reason to cut the subscriber off,
		// unless the profile would rather have no session than an open one.
		insert = insertion{outcome: injectionTooBig, decision: insert.decision}
		octets, why = composeReply(t, a, reply, insert)
	}
	if why != forwarded {
		p.abandon(t, why)
		return nil
	}
	if reply.code() == accessAccept {
		p.inserted(t, insert.outcome)
		p.loggedIn(t, reply, insert)
	}
	t.reply = octets
	p.duplicates.remember(t, p.answeredAt(a))
	t.state.Store(answered)
	t.recall(a)
	t.nas.counters.answered[octets[0]].Add(1)
	p.debug.Load().answered(t)
	return t
}

// answeredAt is when an answer is ready: when the reply came, unless the
// decision took long.
func (p *Proxy) answeredAt(a *attempt) time.Time {
	if a.settled.Load() {
		return p.timer()
	}
	return a.heard
}
