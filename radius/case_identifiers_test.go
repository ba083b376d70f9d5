package radius_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"sekisho/radius/radiustest"
)

// manyRequests sends requests from as many ports as it takes and returns the
// routers' ends, by User-Name.
func (s *site) manyRequests(count int) map[string]*waitingRouter {
	s.Helper()
	waiting := map[string]*waitingRouter{}
	for i := range count {
		n := s.router(netip.AddrPort{}, s.authAddr)
		name := fmt.Sprintf("user%d", i)
		request := n.Request(radiustest.AccessRequest, radiustest.PAP(name, "pw")...)
		must(s, n.Send(request))
		waiting[name] = &waitingRouter{n, request}
		if len(waiting)%32 == 0 { // no more at once than the sockets' buffers hold
			s.until("the proxy has taken them", func() bool {
				return s.proxy.Stats().NAS["bras1"].Received[radiustest.AccessRequest] >= uint64(len(waiting))
			})
			s.until("the AAA has got them", func() bool {
				return len(s.aaa.Seen()) >= int(s.proxy.Stats().AAA["tokyo-1"].Sent[radiustest.AccessRequest])
			})
		}
	}
	return waiting
}

type waitingRouter struct {
	*radiustest.NAS
	request []byte
}

func TestCase27ThreeHundredInFlight(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent))
	waiting := s.manyRequests(300)
	used, ports := map[string]bool{}, map[uint16]bool{}
	requests := s.seen(300)
	for _, r := range requests {
		used[fmt.Sprint(r.From.Port(), r.ID)] = true
		ports[r.From.Port()] = true
	}
	if len(used) != 300 || len(ports) != 2 {
		t.Errorf("%d identifiers on %d ports, want 300 on 2", len(used), len(ports))
	}
	for _, r := range requests {
		must(t, s.aaa.Send(r.Reply(radiustest.AccessAccept), r.From))
	}
	for _, w := range waiting {
		s.answer(w.NAS, w.request)
	}
	if aaa := s.proxy.Stats().AAA["tokyo-1"]; aaa.Outstanding != 0 || aaa.Sockets != 2 {
		t.Errorf("afterwards %d identifiers in use on %d sockets", aaa.Outstanding, aaa.Sockets)
	}
}

func TestCase27EveryIdentifierInUse(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent), func(s *setup) { s.server.MaxSockets = 1 })
	s.manyRequests(256)
	requests := s.seen(256)
	s.dropped("no-identifier", s.nas, access(t, 1, user), access(t, 1, user)) // dropped each time, never a Reject
	if stats := s.proxy.Stats(); stats.Held != 256 || stats.NAS["bras1"].Outstanding != 256 {
		t.Errorf("held %d, outstanding %d", stats.Held, stats.NAS["bras1"].Outstanding)
	}
	free := requests[17]
	must(t, s.aaa.Send(free.Reply(radiustest.AccessAccept), free.From))
	s.until("an identifier is free", func() bool { return s.proxy.Stats().AAA["tokyo-1"].Outstanding == 255 })
	must(t, s.nas.Send(access(t, 1, user)))
	if got := s.seen(257)[256]; got.ID != free.ID {
		t.Errorf("identifier %d, want the only free one, %d", got.ID, free.ID)
	}
}

func TestCase27IdentifiersComeRoundLate(t *testing.T) {
	t.Parallel()
	s := start(t)
	for range 300 {
		s.exchange(s.nas, s.nas.Request(radiustest.AccessRequest, radiustest.PAP("u1@atson.net", "pw")...))
	}
	for i, r := range s.seen(300) {
		if r.ID != byte(i) {
			t.Fatalf("request %d has identifier %d", i, r.ID)
		}
	}
}

func TestCase28RepliesThatAreNot(t *testing.T) {
	t.Parallel()
	stranger, err := radiustest.NewAAA(aaaSecret, silent)
	must(t, err)
	defer stranger.Close()
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		right := r.Reply(radiustest.AccessAccept, radiustest.Attr(18, "the right one"))
		stranger.Send(r.Reply(radiustest.AccessReject), r.From)
		otherID := bytes.Clone(right)
		otherID[1]++
		radiustest.Sign(otherID, r.Authenticator[:], r.Secret)
		forged := bytes.Clone(r.Reply(radiustest.AccessReject))
		forged[19] ^= 1
		otherSecret := *r
		otherSecret.Secret = []byte(nasSecret)
		return [][]byte{
			otherID,
			forged,
			otherSecret.Reply(radiustest.AccessReject),
			r.Reply(radiustest.AccountingResponse),
			r.Reply(radiustest.AccessRequest),
			r.Reply(44),
			right[:19], right[:30], {}, append(bytes.Clone(right[:20]), 1, 0),
			append(bytes.Clone(right), 0, 0, 0), // padding: this is the one
			r.Reply(radiustest.AccessReject, radiustest.Attr(18, "a second answer")),
		}
	}))
	got := s.exchange(s.nas, access(t, 1, user))
	match(t, "answer", attributesOf(got), "50 12 *16 12 0f 'the right one' 0b 07 'op25b'")
	s.refused("unmatched", 2) // another identifier, and the second answer
	s.quiet(s.nas)
	want := map[string]uint64{"unmatched": 2, "bad-authenticator": 2, "code": 3, "short": 2, "length": 2}
	for why, n := range want {
		if got := s.proxy.Stats().AAA["tokyo-1"].Dropped[why]; got != n {
			t.Errorf("%d dropped as %s, want %d", got, why, n)
		}
	}
}

func TestCase29SilentAAA(t *testing.T) {
	t.Parallel()
	const limit = 500 * time.Millisecond
	s := start(t, answering(silent), func(s *setup) { s.server.NoStatusCheck, s.config.RequestTime = true, limit })
	request, began := access(t, 1, user), s.timer.Now()
	must(t, s.nas.Send(request))
	first := s.seen(1)[0]
	s.until("the request is given up", func() bool {
		s.timer.advance(limit / 2)
		s.proxy.Sweep()
		return s.proxy.Stats().AAA["tokyo-1"].Outstanding == 0
	})
	if passed := s.timer.Now().Sub(began); passed <= limit {
		t.Errorf("given up after %v, want more than %v", passed, limit)
	}
	s.until("nothing is held", func() bool { return s.proxy.Stats().Held == 0 })
	stats := s.proxy.Stats()
	if stats.Held != 0 || stats.NAS["bras1"].Outstanding != 0 || stats.AAA["tokyo-1"].Outstanding != 0 {
		t.Errorf("not everything is freed: %+v", stats)
	}
	if stats.NAS["bras1"].Dropped["timeout"] != 1 || stats.AAA["tokyo-1"].Dropped["timeout"] != 1 {
		t.Errorf("the time-out is not counted: %+v", stats)
	}
	s.quiet(s.nas)
	s.seen(1)
	must(t, s.aaa.Send(first.Reply(radiustest.AccessAccept), first.From))
	s.refused("unmatched", 1)
	s.quiet(s.nas)
	must(t, s.nas.Send(request)) // the NAS goes on: an attempt of its own
	again := s.seen(2)[1]
	if again.Authenticator == first.Authenticator || again.ID == first.ID {
		t.Errorf("the old attempt went out again: %x", again.Raw)
	}
}

func TestCase36RepliesLeaveFromTheAddressThatWasAsked(t *testing.T) {
	t.Parallel()
	s := start(t, func(s *setup) {
		s.config.Auth = []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0")}
		s.config.Acct = s.config.Auth
	})
	for _, address := range []string{"127.0.0.2", "127.0.0.3"} {
		asked := netip.MustParseAddr(address)
		// A connected socket takes nothing from another address.
		n := s.router(netip.MustParseAddrPort("127.0.0.1:0"), netip.AddrPortFrom(asked, s.authAddr.Port()))
		s.exchange(n, access(t, 1, user))
		s.exchange(n, access(t, 1, user)) // from the cache
		s.quiet(n)                        // and from the proxy itself
		s.exchange(s.router(netip.MustParseAddrPort("127.0.0.1:0"), netip.AddrPortFrom(asked, s.acctAddr.Port())), accounting(t, 1, user))
	}
}

func TestAServerThatWasDownForAMoment(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.exchange(s.nas, access(t, 1, user))
	addr := s.aaa.Addr
	s.aaa.Close()
	must(t, s.nas.Send(access(t, 2, user))) // comes back as an ICMP message
	s.quiet(s.nas)
	back, err := radiustest.NewAAAAt(addr, aaaSecret, accept())
	must(t, err)
	t.Cleanup(back.Close)
	s.exchange(s.nas, access(t, 3, user))
	s.timer.advance(time.Second)
	s.exchange(s.nas, access(t, 2, user))
}
