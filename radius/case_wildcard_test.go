package radius_test

import (
	"bytes"
	"net/netip"
	"testing"

	"sekisho/radius/radiustest"
)

// TestCase26TwoAddressesOfAWildcardListener sends the same octets from one
// port to two addresses of one socket: two requests, each answered from the
// address that it was sent to, which the router's connected socket holds.
func TestCase26TwoAddressesOfAWildcardListener(t *testing.T) {
	t.Parallel()
	s := start(t, func(s *setup) { s.config.Auth = []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0")} })
	from := netip.MustParseAddrPort("127.0.0.1:0")
	request := access(t, 7, user)
	answers := map[string][]byte{}
	for _, local := range []string{"127.0.0.1", "127.0.0.2"} {
		nas := s.router(from, netip.AddrPortFrom(netip.MustParseAddr(local), s.authAddr.Port()))
		answers[local] = s.exchange(nas, request)
		if again := s.exchange(nas, request); !bytes.Equal(again, answers[local]) {
			t.Errorf("%s: the retransmission is answered by %x, want %x", local, again, answers[local])
		}
		from = nas.Addr()
		nas.Close()
	}
	s.seen(2)
	if held := s.proxy.Stats().Held; held != 2 {
		t.Errorf("%d requests held, want one for each address", held)
	}
}

func TestCase36AnswerInProgressLeavesFromTheAddressThatWasAsked(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent), func(s *setup) { s.config.Auth = []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0")} })
	request := access(t, 7, user)
	var routers []*radiustest.NAS
	for _, local := range []string{"127.0.0.1", "127.0.0.2"} {
		nas := s.router(netip.MustParseAddrPort("127.0.0.1:0"), netip.AddrPortFrom(netip.MustParseAddr(local), s.authAddr.Port()))
		routers = append(routers, nas)
		must(t, nas.Send(request))
		s.seen(len(routers))
	}
	for i, r := range s.seen(2) {
		must(t, s.aaa.Send(r.Reply(radiustest.AccessAccept), r.From))
		match(t, "answer", attributesOf(s.answer(routers[i], request)), accepted)
	}
}
