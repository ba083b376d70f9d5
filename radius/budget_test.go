package radius_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/radiustest"
)

// hanging are Subscribers that answer when they are released.
type hanging struct {
	asked   chan string
	release chan struct{}
}

func (h *hanging) Subscriber(account string, f *engine.Facts) error {
	h.asked <- account
	<-h.release
	return errors.New("released")
}

func TestCase50DecisionSlowerThanItsBudget(t *testing.T) {
	t.Parallel()
	h := &hanging{asked: make(chan string, 100), release: make(chan struct{})}
	defer close(h.release)
	s := start(t, func(s *setup) {
		s.subscribers = h
		s.profile.Fail = "limit"
		s.config.DecisionBudget = 20 * time.Millisecond
	})
	must(t, s.nas.Send(access(t, 1, user)))
	<-h.asked
	s.timer.advance(time.Second)
	request := access(t, 1, user)
	got := s.answer(s.nas, request)
	match(t, "the fail mode's answer", attributesOf(got), "50 12 *16 0b 0d 'op25b-limit'")
	if n := s.proxy.Stats().NAS["bras1"].Injections["fail-mode"]; n != 1 {
		t.Errorf("fail mode counted %d times", n)
	}
	s.quiet(s.nas)
}

func TestHangingStoreDoesNotStopTheLogins(t *testing.T) {
	t.Parallel()
	h := &hanging{asked: make(chan string, 100), release: make(chan struct{})}
	s := start(t, func(s *setup) {
		s.subscribers = h
		s.config.DecisionBudget = 20 * time.Millisecond
	})
	for id := range byte(20) {
		request := access(t, id, user)
		must(t, s.nas.Send(request))
		if id < 4 {
			<-h.asked
			s.timer.advance(time.Second)
		}
		s.answer(s.nas, request)
	}
	if n := len(h.asked); n != 0 {
		t.Errorf("the store was asked %d times more while four hung in it", n)
	}
	close(h.release)
	id := byte(20)
	s.until("the store is asked again", func() bool {
		id++
		s.exchange(s.nas, access(t, id, user))
		return len(h.asked) > 0
	})
}

// slowly is a store whose look-ups wait until they are let go.
func slowly(s *setup) slow {
	store := slow{subscribers, make(chan struct{}, 1000), make(chan struct{})}
	s.subscribers, s.profile.Fail = store, "limit"
	return store
}

// logIn sends that many logins, and returns once the store was asked about the
// first and its socket has another reader.
func (s *site) logIn(store slow, count int) map[byte][]byte {
	s.Helper()
	sent := map[byte][]byte{}
	for id := range byte(count) {
		sent[id] = access(s, id, user)
		must(s, s.nas.Send(sent[id]))
	}
	s.asked(store, 1)
	s.timer.advance(10 * time.Millisecond)
	return sent
}

func (s *site) asked(store slow, count int) {
	s.Helper()
	s.until("the store is asked", func() bool { return len(store.asked) >= count })
}

// answers takes one answer to each request, in any order.
func (s *site) answers(n *radiustest.NAS, sent map[byte][]byte, want string) {
	s.Helper()
	for range len(sent) {
		b, err := n.Receive(patience)
		must(s, err)
		_, err = n.Verify(sent[b[1]], b)
		must(s, err)
		match(s, "answer", attributesOf(b), want)
		delete(sent, b[1])
	}
}

const limited = "50 12 *16 0b 0d 'op25b-limit'"

func TestCase50StoreSlowForEverybodyWithinTheBudget(t *testing.T) {
	t.Parallel()
	var store slow
	s := start(t, func(s *setup) { store = slowly(s) })
	sent := s.logIn(store, 20)
	s.asked(store, 20) // at once, though all came by one socket
	s.timer.advance(radius.DefaultDecisionBudget - 10*time.Millisecond)
	close(store.goOn)
	s.answers(s.nas, sent, accepted)
	s.injections(map[string]uint64{"injected": 20})
}

// TestRepliesThatAreDecidedAboutAreNotOverwritten lets as many replies come
// after the ones that take long as there is room for.
func TestRepliesThatAreDecidedAboutAreNotOverwritten(t *testing.T) {
	t.Parallel()
	var store slow
	s := start(t, patient, func(s *setup) {
		store = slowly(s)
		s.answer = func(r *radiustest.Request) [][]byte {
			name := r.Values(radiustest.UserName)[0]
			if string(name) == "u1@atson.net" {
				return [][]byte{r.Reply(radiustest.AccessAccept, radiustest.Attribute{Type: 25, Value: name})}
			}
			return [][]byte{r.Reply(radiustest.AccessReject, radiustest.Attribute{Type: 18, Value: []byte("longer than any Accept")})}
		}
	})
	sent := s.logIn(store, 20)
	s.asked(store, 20)
	for id := range byte(100) { // Rejects need no decision
		s.exchange(s.nas, access(t, 100+id, " 01 0e 'u2@atson.net' "))
	}
	close(store.goOn)
	s.answers(s.nas, sent, "50 12 *16 19 0e 'u1@atson.net' 0b 07 'op25b'")
}

func TestCase50StoreSlowForEverybodyOverTheBudgetThatComesBack(t *testing.T) {
	t.Parallel()
	var store slow
	s := start(t, func(s *setup) { store = slowly(s) })
	sent := s.logIn(store, 20)
	s.asked(store, 20)
	s.timer.advance(radius.DefaultDecisionBudget + 1)
	s.answers(s.nas, sent, limited)
	s.injections(map[string]uint64{"fail-mode": 20})
	match(t, "while they hang", attributesOf(s.exchange(s.nas, access(t, 20, user))), limited)
	if n := len(store.asked); n != 20 {
		t.Errorf("the store was asked %d times while it hung, want 20", n)
	}
	close(store.goOn)
	id := byte(20)
	s.until("decisions are made again", func() bool {
		id++
		return s.exchange(s.nas, access(t, id, user))[20+18+1] == 7 // Filter-Id op25b
	})
	s.quiet(s.nas) // every Accept went out once
	for ruling, n := range s.proxy.Stats().Decisions {
		if n != 1 || ruling.Action != "block" {
			t.Errorf("%d decisions counted %v, want the one that was carried out", n, ruling)
		}
	}
}

// crowd sends logins of two routers while every decision takes long, and
// returns the requests and how many decisions were begun. The others were
// answered at once.
func (s *site) crowd(store slow, other *radiustest.NAS, each int) (first, second map[byte][]byte, begun int) {
	s.Helper()
	first = s.logIn(store, each)
	s.asked(store, each) // not more at once than the kernel keeps for the fake AAA
	second = map[byte][]byte{}
	for id := range byte(each) {
		second[id] = access(s, id, user)
		must(s, other.Send(second[id]))
	}
	failed := func() int { return int(s.proxy.Stats().NAS["bras1"].Injections["fail-mode"]) }
	s.until("all are decided about or answered at once", func() bool {
		s.timer.advance(10 * time.Millisecond) // both sockets are relieved
		return len(store.asked)+failed() == 2*each
	})
	return first, second, len(store.asked)
}

// patient lets decisions take longer than a test.
func patient(s *setup) {
	s.config.DecisionBudget, s.config.RequestTime = time.Hour, 2*time.Hour
}

func TestSlowDecisionsAreBounded(t *testing.T) {
	t.Parallel()
	const bound = 200
	var store slow
	s := start(t, patient, func(s *setup) { store, s.aside = slowly(s), bound })
	other := s.router(netip.AddrPort{}, s.authAddr)
	first, second, begun := s.crowd(store, other, 150)
	if begun < bound || begun > bound+2 { // and one for each of two sockets
		t.Errorf("%d decisions at once, want %d", begun, bound)
	}
	s.timer.advance(time.Hour)
	s.answers(s.nas, first, limited)
	s.answers(other, second, limited)
	close(store.goOn)
}

// TestABurstBehindAStallIsDecidedAbout holds that what piles up while the
// machine is busy elsewhere for a moment is no reason for the fail mode.
func TestABurstBehindAStallIsDecidedAbout(t *testing.T) {
	t.Parallel()
	var store slow
	s := start(t, patient, func(s *setup) { store = slowly(s) })
	other := s.router(netip.AddrPort{}, s.authAddr)
	first, second, begun := s.crowd(store, other, 150)
	if begun != 300 {
		t.Errorf("%d of 300 are decided about", begun)
	}
	close(store.goOn)
	s.answers(s.nas, first, accepted)
	s.answers(other, second, accepted)
}

func TestShutdownTellsOfADecisionThatHangs(t *testing.T) {
	t.Parallel()
	var store slow
	s := start(t, func(s *setup) { store = slowly(s) })
	sent := s.logIn(store, 1)
	s.timer.advance(time.Second)
	s.answers(s.nas, sent, limited)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.inside().Shutdown(over); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "1 decisions do not come to an end:") {
		t.Errorf("got %v", err)
	}
	close(store.goOn)
}
