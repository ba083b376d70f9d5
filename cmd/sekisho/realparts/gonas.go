//go:build realparts

package realparts

import (
	"net/netip"
	"testing"

	"sekisho/radius/radiustest"
)

// loopback is a port on an address of every room.
func loopback(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
}

// GoNAS is a NAS of package radiustest inside a namespace.
func GoNAS(t testing.TB, n *Netns, port int, secret string) *radiustest.NAS {
	t.Helper()
	var nas *radiustest.NAS
	err := n.Do(func() (err error) {
		nas, err = radiustest.NewNAS(loopback(port), secret)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nas.Close)
	return nas
}

// tokyoNAS is what the router of most tests says of itself.
var tokyoNAS = radiustest.Attribute{Type: radiustest.NASIPAddress, Value: []byte{192, 0, 2, 1}}
