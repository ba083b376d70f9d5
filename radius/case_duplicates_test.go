package radius_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/radius/radiustest"
)

// Authenticators of further requests.
var (
	second = strings.Repeat("22", 16)
	third  = strings.Repeat("33", 16)
)

func TestCase23RetransmissionAfterTheAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, answering(func(r *radiustest.Request) [][]byte { // a salt of its own in each answer
		return [][]byte{r.Reply(radiustest.AccessAccept, radiustest.Vendor(311, 16, string(salted(r, "key", "\x80\x01"))))}
	}))
	request := access(t, 1, user)
	first := s.exchange(s.nas, request)
	s.timer.advance(5*time.Second - 1)
	s.proxy.Sweep()
	if again := s.exchange(s.nas, request); !bytes.Equal(again, first) {
		t.Errorf("another answer:\n got %x\nwant %x", again, first)
	}
	s.seen(1)
	decisions := s.proxy.Stats().Decisions
	for ruling, n := range decisions {
		if n != 1 || len(decisions) != 1 {
			t.Errorf("%d decisions %v", n, ruling)
		}
	}
}

func TestCase23RetransmissionAfterTheCacheForgot(t *testing.T) {
	t.Parallel()
	const delay = 200 * time.Millisecond
	s := start(t, func(s *setup) { s.config.CleanupDelay = delay })
	request := access(t, 1, user)
	s.exchange(s.nas, request)
	s.timer.advance(delay)
	s.proxy.Sweep()
	s.until("the answer is forgotten", func() bool { return s.proxy.Stats().Held == 0 })
	s.exchange(s.nas, request)
	s.seen(2)
}

// repeated sends a request from the beginning until the AAA has got it twice,
// and holds that it gets nothing sooner than a second after the last.
func (s *site) repeated(n *radiustest.NAS, request []byte) []*radiustest.Request {
	s.Helper()
	began, times := s.timer.Now(), 0
	send := func() bool {
		must(s, n.Send(request))
		s.quiet(n)
		times = len(s.aaa.Seen())
		if passed := s.timer.Now().Sub(began); passed < time.Duration(times-1)*time.Second {
			s.Errorf("the AAA has got it %d times after %v", times, passed)
		}
		return times >= 2
	}
	send()
	send()
	s.timer.advance(time.Second - 1)
	send()
	s.timer.advance(1)
	s.until("the AAA gets it again", send)
	send()
	return s.aaa.Seen()
}

func TestCase24RetransmissionBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent))
	request := access(t, 1, user)
	both := s.repeated(s.nas, request)
	first := both[0]
	if !bytes.Equal(both[1].Raw, first.Raw) || both[1].From != first.From {
		t.Errorf("the retransmission differs:\n got %x\nwant %x", both[1].Raw, first.Raw)
	}
	must(t, s.aaa.Send(first.Reply(radiustest.AccessAccept), first.From))
	s.answer(s.nas, request)
	must(t, s.aaa.Send(both[1].Reply(radiustest.AccessAccept), first.From)) // the server's answer to the repetition
	s.refused("unmatched", 1)
	s.quiet(s.nas)
}

func TestCase24AccountingIsRepeatedLikewise(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent))
	request := accounting(t, 1, user)
	both := s.repeated(s.acct, request)
	if !bytes.Equal(both[0].Raw, both[1].Raw) {
		t.Errorf("the retransmission differs:\n got %x\nwant %x", both[1].Raw, both[0].Raw)
	}
}

func TestCase25IdentifierUsedForANewRequest(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent))
	first, next := access(t, 1, user), signedAccess(t, 1, second, user)
	must(t, s.nas.Send(first))
	must(t, s.nas.Send(next))
	requests := s.seen(2)
	if n := s.drops("superseded"); n != 1 {
		t.Errorf("%d requests counted as superseded", n)
	}
	if n := s.proxy.Stats().AAA["tokyo-1"].Outstanding; n != 1 {
		t.Errorf("%d identifiers in use, want that of the second", n)
	}
	must(t, s.aaa.Send(requests[0].Reply(radiustest.AccessReject), requests[0].From))
	s.refused("late", 1)
	s.quiet(s.nas)
	must(t, s.aaa.Send(requests[1].Reply(radiustest.AccessAccept), requests[1].From))
	match(t, "answer", s.answer(s.nas, next)[:2], "02 01")
	stats := s.proxy.Stats()
	if stats.Held != 1 || stats.NAS["bras1"].Outstanding != 0 || stats.AAA["tokyo-1"].Outstanding != 0 {
		t.Errorf("after the answers: %+v", stats)
	}
}

func TestCase25IdentifierUsedAgainAfterTheAnswer(t *testing.T) {
	t.Parallel()
	const delay = 200 * time.Millisecond
	s := start(t, func(s *setup) { s.config.CleanupDelay = delay })
	s.exchange(s.nas, access(t, 1, user))
	next := signedAccess(t, 1, second, user)
	s.exchange(s.nas, next)
	s.timer.advance(delay)
	began, held := s.timer.Now(), 0
	s.exchange(s.nas, signedAccess(t, 1, third, user))
	s.proxy.Sweep() // forgets the first two; the third takes the place of both
	s.until("the first two are forgotten", func() bool { held = s.proxy.Stats().Held; return held <= 1 })
	if held == 0 && s.timer.Now().Sub(began) < delay {
		t.Error("the third is forgotten, too")
	}
	s.exchange(s.nas, next) // superseded: what is the same octet by octet is a new request
	s.seen(4)
}

func TestCase25SameAuthenticatorButLonger(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.exchange(s.nas, access(t, 1, user))
	s.exchange(s.nas, access(t, 1, user+"05 06 00000001"))
	s.seen(2)
}

func TestCase26PortsAndListenersAreIndependent(t *testing.T) {
	t.Parallel()
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	s := start(t, func(s *setup) { s.config.Auth = []netip.AddrPort{loopback, loopback} })
	auths, _ := s.proxy.Addresses()
	request := access(t, 0, user)
	s.exchange(s.nas, request)
	s.exchange(s.router(netip.AddrPort{}, auths[0]), request)
	from := netip.AddrPortFrom(loopback.Addr(), 0)
	s.exchange(s.router(from, auths[1]), request)
	s.seen(3)
	if held := s.proxy.Stats().Held; held != 3 {
		t.Errorf("%d requests held", held)
	}
}

func TestCase26OnePortTowardsTwoListeners(t *testing.T) {
	t.Parallel()
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	s := start(t, func(s *setup) { s.config.Auth = []netip.AddrPort{loopback, loopback} })
	auths, _ := s.proxy.Addresses()
	port := s.nas.Addr()
	request := access(t, 0, user)
	s.exchange(s.nas, request)
	s.nas.Close()
	s.exchange(s.router(port, auths[1]), request)
	s.seen(2)
}

func TestHeldRequestsAreLimited(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent), func(s *setup) {
		s.config.MaxRequests = 2
		s.server.NoStatusCheck = true
	})
	must(t, s.nas.Send(access(t, 1, user)))
	must(t, s.nas.Send(access(t, 2, user)))
	s.seen(2)
	s.dropped("overload", s.nas, access(t, 3, user), access(t, 3, user))
	must(t, s.nas.Send(signedAccess(t, 2, second, user))) // takes the place of its forerunner
	s.seen(3)
	s.timer.advance(time.Minute)
	s.proxy.Sweep()
	must(t, s.nas.Send(access(t, 3, user)))
	s.seen(4)
}

func TestWaitingRequestsOfOneNASAreLimited(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent), func(s *setup) { s.nas.MaxOutstanding = 1 })
	must(t, s.nas.Send(access(t, 1, user)))
	first := s.seen(1)[0]
	s.dropped("overload", s.nas, access(t, 2, user))
	must(t, s.aaa.Send(first.Reply(radiustest.AccessAccept), first.From))
	s.answer(s.nas, access(t, 1, user))
	must(t, s.nas.Send(access(t, 2, user)))
	s.seen(2)
}
