package radius

import (
	"errors"
	"net"
	"time"
)

// reader works through what a server sends to one socket: it receives many
// replies together, and the answers to them leave together. One goroutine at a
// time has it. It passes to another one while a decision takes long (see
// handOver), with the replies that are still to be looked at and the answers
// that are still to be sent.
type reader struct {
	socket *socket
	in     *inbox
	out    *outbox
	next   int // of the replies in the inbox
	count  int
	heard  time.Time // when they came
}

func newReader(s *socket) *reader {
	return &reader{socket: s, in: newInbox(s.raw, askNothing), out: newOutbox()}
}

// serve works until the socket is closed or another goroutine has the reader.
func (r *reader) serve(p *Proxy) {
	for r.ready(p) {
		for r.next < r.count {
			octets := r.in.octets(r.next)
			r.next++
			answer, mine := p.reply(r, octets)
			if !mine {
				return
			}
			if answer != nil {
				r.out.post(answer)
			}
		}
	}
}

// ready sends what the last replies led to and waits for the next ones; false
// when the socket is closed. A refused port comes back as an error of a read:
// it ends nothing.
func (r *reader) ready(p *Proxy) bool {
	if r.next < r.count {
		return true
	}
	r.send(p)
	n, err := r.in.read()
	r.next, r.count, r.heard = 0, n, p.timer()
	return !errors.Is(err, net.ErrClosed)
}

// send sends the answers that there are.
func (r *reader) send(p *Proxy) {
	answers := len(r.out.letters)
	r.out.flush(p)
	p.answering.Add(-int64(answers))
}

// leave makes the memory of the reply that is being looked at that goroutine's
// own, so that the reader can go to another one.
func (r *reader) leave() { r.in.lend(r.next-1, make([]byte, datagramLen)) }
