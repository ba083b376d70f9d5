//go:build realparts

package realparts

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// A Mailhost greets whoever connects to one of its ports, as a mail server would,
// and remembers who came.
type Mailhost struct {
	Address netip.Addr
	mu      sync.Mutex
	guests  map[uint16][]netip.Addr
}

// StartMailhost listens on an address of the namespace until the test ends.
func StartMailhost(t testing.TB, n *Netns, address string, ports ...uint16) *Mailhost {
	t.Helper()
	m := &Mailhost{Address: netip.MustParseAddr(address), guests: map[uint16][]netip.Addr{}}
	for _, port := range ports {
		l, err := n.Listen("tcp", netip.AddrPortFrom(m.Address, port).String())
		if err != nil {
			t.Fatalf("mail host: %v", err)
		}
		t.Cleanup(func() { l.Close() })
		go m.serve(l, port)
	}
	return m
}

// serve greets until the listener is closed.
func (m *Mailhost) serve(l net.Listener, port uint16) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		from := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
		m.mu.Lock()
		m.guests[port] = append(m.guests[port], from)
		m.mu.Unlock()
		fmt.Fprintf(c, "%s\r\n", m.greeting(port, from))
		c.Close()
	}
}

// greeting is what a guest hears.
func (m *Mailhost) greeting(port uint16, from netip.Addr) string {
	return fmt.Sprintf("220 %v port %d to %v", m.Address, port, from)
}

// Guests lists who connected to a port.
func (m *Mailhost) Guests(port uint16) []netip.Addr {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]netip.Addr(nil), m.guests[port]...)
}
