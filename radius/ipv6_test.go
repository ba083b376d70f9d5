package radius_test

import (
	"net/netip"
	"testing"

	"sekisho/radius/radiustest"
)

func TestIPv6OnBothSides(t *testing.T) {
	t.Parallel()
	loopback := netip.MustParseAddr("::1")
	aaa, err := radiustest.NewAAAAt(netip.AddrPortFrom(loopback, 0), aaaSecret, accept())
	must(t, err)
	t.Cleanup(aaa.Close)
	for _, listen := range []string{"[::1]:0", "[::]:0"} {
		t.Run(listen, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(s *setup) {
				s.config.Auth = []netip.AddrPort{netip.MustParseAddrPort(listen)}
				s.config.Acct = s.config.Auth
				s.nas.Source = netip.MustParsePrefix("::1/128")
				s.nas.Address = netip.MustParseAddr("2001:db8::1")
				s.server.Auth, s.server.Acct, s.server.Source = aaa.Addr, aaa.Addr, loopback
			})
			nas := s.router(netip.AddrPort{}, netip.AddrPortFrom(loopback, s.authAddr.Port()))
			const named = user + "5f 12 20010db8000000000000000000000001"
			match(t, "answer", attributesOf(s.exchange(nas, access(t, 1, named))), accepted)
			acct := s.router(netip.AddrPort{}, netip.AddrPortFrom(loopback, s.acctAddr.Port()))
			s.exchange(acct, accounting(t, 1, named))
			must(t, nas.Send(access(t, 2, user))) // does not name itself
			s.until("the nameless one is dropped", func() bool { return s.proxy.Stats().Unknown["unknown-nas"] == 1 })
			if got := s.proxy.Stats().AAA["tokyo-1"].Received[radiustest.AccessAccept]; got != 1 {
				t.Errorf("%d Accepts, want 1", got)
			}
		})
	}
}
