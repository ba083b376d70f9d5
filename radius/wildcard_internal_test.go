package radius

import (
	"net/netip"
	"testing"

	"golang.org/x/net/ipv6"
)

// TestWildcardOfIPv6TellsItsAddressesApart stands for a host with two IPv6
// addresses, which not every host has: the kernel's word about a datagram's
// destination is written by the test.
func TestWildcardOfIPv6TellsItsAddressesApart(t *testing.T) {
	t.Parallel()
	l, err := listen(netip.MustParseAddrPort("[::]:0"), auth)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	b := newBench(t)
	request := assemble(accessRequest, unhex(t, login), zeroAuthenticator[:], b.nas)
	for _, local := range []string{"2001:db8::1", "2001:db8::2", "2001:db8::2"} {
		addr := netip.MustParseAddr(local)
		control := (&ipv6.ControlMessage{Src: addr.AsSlice()}).Marshal() // in6_pktinfo, as it arrives
		at := l.destination(decodeDestination(control))
		if want := netip.AddrPortFrom(addr, l.addr.Port()); at != want {
			t.Errorf("sent to %v, want %v", at, want)
		}
		b.receive(l, datagram{octets: request, from: netip.MustParseAddrPort("127.0.0.1:9"), local: at})
	}
	if held, again := b.duplicates.held.Load(), b.counters.nas("bras1").dropped[dropDuplicate].Load(); held != 2 || again != 1 {
		t.Errorf("%d requests and %d retransmissions, want 2 and 1", held, again)
	}
}
