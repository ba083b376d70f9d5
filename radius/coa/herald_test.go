package coa

import (
	"slices"
	"sync"
	"testing"
	"time"

	"sekisho/radius/session"
)

// book is a journal whose transactions take as long as the test wants.
type book struct {
	mu      sync.Mutex
	open    map[session.ID]int // announced and not settled
	written [][]session.ID
	begun   chan struct{} // nil: at once
	gate    chan struct{}
}

func newBook() *book { return &book{open: map[session.ID]int{}} }

func (b *book) Announce(ids []session.ID) {
	if b.gate != nil {
		b.begun <- struct{}{}
		<-b.gate
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.written = append(b.written, slices.Clone(ids))
	for _, id := range ids {
		b.open[id]++
	}
}

func (b *book) Settled(id session.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[id]--; b.open[id] == 0 {
		delete(b.open, id)
	}
}

func journaled(t *testing.T, b *book) *sim {
	t.Helper()
	s := newSim(t, nil)
	s.journal = b
	s.open(nil)
	return s
}

// TestNobodyIsToldBeforeThatIsOnDisk also holds that all who come while the
// disk is at work share the next transaction, and that no window is exceeded.
func TestNobodyIsToldBeforeThatIsOnDisk(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.begun, b.gate = make(chan struct{}), make(chan struct{})
	s := journaled(t, b)
	s.Configure([]Router{s.router("bras1", 20, 1000, 8), s.router("bras2", 20, 1000, 8)}, Rules{})
	s.grant(session.ID{NAS: "bras1", AcctSession: "bras1-000000"}, "block")
	s.step()
	<-b.begun
	s.action = "block"
	s.EverythingChanged("stage", s.table.markAll)
	for s.step(); s.sweep != nil; s.step() { // until all have been looked at
		<-s.inbox.wake
	}
	for range 5 {
		s.clock.Advance(20 * time.Millisecond)
		s.step()
	}
	if len(s.routed) != 0 {
		t.Fatalf("%d requests before anything was on disk", len(s.routed))
	}
	b.gate <- struct{}{}
	<-b.begun
	if len(s.routed) != 1 {
		t.Fatalf("%d requests, the second transaction is on its way", len(s.routed))
	}
	close(b.gate)
	s.herald.wait()
	if len(b.written) != 2 || len(b.written[1]) != 7+8 {
		t.Errorf("transactions %v", b.written)
	}
	go func() {
		for range b.begun {
		}
	}()
	s.run(5 * time.Second)
	s.wantCount(map[string]int{"block": 40})
	if len(b.open) != 0 || s.most["bras1"] > 8 || s.most["bras2"] > 8 {
		t.Errorf("%d sessions are never settled; at once at most %v", len(b.open), s.most)
	}
}

// TestWhateverTheAnswerItIsSettled and nothing but the answer settles it.
func TestWhateverTheAnswerItIsSettled(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]Reply{
		"ACK": ack, "refused": nak(504), "gone": nak(503), "silence": {Outcome: Later, Tries: 5}, "nothing was sent": {Outcome: Later, Err: errRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBook()
			s := journaled(t, b)
			s.Configure([]Router{s.router("bras1", 3, 10, 2)}, Rules{})
			s.answer = func(string, Request) (Reply, time.Duration) { return answer, time.Second }
			s.grant(first, "block")
			s.run(500 * time.Millisecond)
			if b.open[first] != 1 {
				t.Errorf("while it is under way: %v", b.open)
			}
			s.run(time.Second)
			if len(b.open) != 0 {
				t.Errorf("after the answer: %v", b.open)
			}
		})
	}
}

// TestAcceptThatARouterAsksForIsAnnounced has a router answer that it sends an
// Access-Request: what the Accept changes is on disk as being changed until the
// table has it, or the router is told again.
func TestAcceptThatARouterAsksForIsAnnounced(t *testing.T) {
	t.Parallel()
	for name, comes := range map[string]func(*sim){
		"the Accept comes": func(s *sim) {
			s.table.Told(first, "block", session.Sent, "")
			s.grant(first, "block")
		},
		"it does not come, and the router is told again": func(s *sim) {
			s.answer = func(string, Request) (Reply, time.Duration) { return ack, time.Second }
			s.run(reauthorizationTime)
		},
		"the session is over": func(s *sim) {
			s.table.Gone(first, "stop")
			s.run(reauthorizationTime)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBook()
			s := journaled(t, b)
			s.Configure([]Router{s.router("bras1", 3, 10, 2)}, Rules{})
			s.answer = func(string, Request) (Reply, time.Duration) { return nak(507), time.Second }
			s.grant(first, "block")
			s.run(reauthorizationTime + 5*time.Second) // it asks twice
			if b.open[first] != 1 || len(s.routed) != 2 {
				t.Errorf("while the Accept is awaited it is announced %d times after %d requests", b.open[first], len(s.routed))
			}
			comes(s)
			s.run(5 * time.Second)
			if len(b.open) != 0 || len(s.lane(Place{NAS: "bras1"}).resting) != 0 {
				t.Errorf("afterwards: %v", b.open)
			}
		})
	}
}

// busy is a sender that has no identifier for the first requests.
type busy struct {
	*sim
	times int
}

func (b *busy) Send(to *NAS, r Request, done func(Reply)) error {
	if b.times--; b.times >= 0 {
		return ErrBusy
	}
	return b.sim.Send(to, r, done)
}

func TestWhoCouldNotBeSentIsSentLater(t *testing.T) {
	t.Parallel()
	b := newBook()
	s := journaled(t, b)
	s.sender = &busy{s, 3}
	s.Configure([]Router{s.router("bras1", 3, 10, 2)}, Rules{})
	s.grant(first, "block")
	s.run(900 * time.Millisecond)
	if len(s.routed) != 0 || len(b.written) != 1 || len(b.open) != 0 {
		t.Errorf("%d requests after %d transactions, %d not settled", len(s.routed), len(b.written), len(b.open))
	}
	s.run(4 * time.Second)
	if l, _ := s.table.Get(first); l.Applied != "block" || len(s.routed) != 1 || len(b.open) != 0 {
		t.Errorf("%d requests, the session is %+v", len(s.routed), l)
	}
}

// stands reports whether a session was announced and is not settled.
func (b *book) stands(id session.ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open[id] > 0
}
