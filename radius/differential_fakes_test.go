package radius_test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"sekisho/radius/radiustest"

	"golang.org/x/sys/unix"
)

// line is one socket of a NAS to one port of the proxy.
type line struct {
	*differential
	*reference // nil where the proxy does not know the NAS
	name       string
	secret     []byte
	conn       *net.UDPConn
	acct       bool
	next       int // identifier

	mu   sync.Mutex
	sent [256][]*parcel // the last ones with each identifier
}

func (l *line) String() string {
	return fmt.Sprintf("%s from %s to %s", l.name, l.conn.LocalAddr(), l.conn.RemoteAddr())
}

// remembered is how many requests with one identifier may still be answered.
const remembered = 16

// code is that of most requests that go this way.
func (l *line) code() byte {
	if l.acct {
		return radiustest.AccountingRequest
	}
	return radiustest.AccessRequest
}

// identifier is the next one. They come round as soon as nothing that is under
// way can have the same.
func (l *line) identifier() byte {
	l.next = (l.next + 1) % l.identifiers
	return byte(l.next)
}

// open opens the socket. It is connected: an answer from another address than
// the request was sent to does not arrive.
func (l *line) open(from netip.Addr, to netip.AddrPort) {
	conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), net.UDPAddrFromAddrPort(to))
	must(l, err)
	l.conn = conn
	l.lines = append(l.lines, l)
	l.takeFrom(conn, l.take)
}

// takeFrom hands what arrives to a goroutine of its own until the test ends.
func (d *differential) takeFrom(conn *net.UDPConn, take func(octets []byte, from netip.AddrPort)) {
	d.budget = min(d.budget, roomOf(d, conn))
	var serving sync.WaitGroup
	serving.Go(func() {
		buffer := make([]byte, 65536)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			take(buffer[:n], from)
		}
	})
	d.Cleanup(func() { conn.Close(); serving.Wait() })
}

// roomOf makes the buffer of a socket large and returns how much of what
// weight counts may wait there, with some to spare.
func roomOf(d *differential, conn *net.UDPConn) (octets int) {
	_ = conn.SetReadBuffer(1 << 20) // less will do
	raw, err := conn.SyscallConn()
	must(d, err)
	must(d, raw.Control(func(fd uintptr) { octets, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) }))
	must(d, err)
	return octets * 2 / 3
}

// weight is what a datagram takes of a socket's buffer, at most: the kernel
// counts the memory that it lies in, which is a power of two.
func weight(octets int) int {
	room := 512
	for room < octets+400 {
		room *= 2
	}
	return room + 256
}

func (l *line) send(c *parcel) {
	l.mu.Lock()
	if c.request != nil && !slices.Contains(l.sent[c.request.ID], c) {
		known := append(l.sent[c.request.ID], c)
		l.sent[c.request.ID] = known[max(0, len(known)-remembered):]
	}
	l.mu.Unlock()
	l.again(c)
}

// last reports whether the NAS has not used the identifier again.
func (l *line) last(c *parcel) bool {
	known := l.sent[c.request.ID] // only this goroutine adds to it
	return known[len(known)-1] == c
}

func (l *line) again(c *parcel) {
	_, err := l.conn.Write(c.datagram)
	must(l, err)
}

// take finds the request that an answer is to: the one that it is signed for.
func (l *line) take(octets []byte, _ netip.AddrPort) {
	if len(octets) < 20 {
		l.Errorf("seed %d, %s got %x", l.seed, l, octets)
		return
	}
	l.mu.Lock()
	known := l.sent[octets[1]]
	l.mu.Unlock()
	for _, c := range known {
		if radiustest.CheckSign(octets, c.request.Authenticator[:], l.secret) {
			c.back(octets)
			return
		}
	}
	l.Errorf("seed %d, %s got what answers none of its requests:\n%x", l.seed, l, octets)
}

// home is the server. What comes in together is answered in another order.
type home struct {
	*differential
	conn  *net.UDPConn
	ready chan letters
}

// letters are datagrams to one port.
type letters struct {
	to  netip.AddrPort
	all [][]byte
}

func (d *differential) startHome(at netip.Addr) *home {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
	must(d, err)
	h := &home{d, conn, make(chan letters, 1024)}
	var answering sync.WaitGroup
	answering.Go(h.answer)
	d.Cleanup(answering.Wait)
	d.Cleanup(func() { close(h.ready) })
	d.takeFrom(conn, h.take)
	return h
}

func (h *home) address() netip.AddrPort { return h.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (h *home) take(octets []byte, from netip.AddrPort) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, err := radiustest.Decode(octets)
	if err != nil {
		h.Errorf("seed %d, the server got %x: %v", h.seed, octets, err)
		return
	}
	c := h.parcels[serialOf(p)]
	if c == nil {
		h.Errorf("seed %d, the server got what no NAS has sent: %x", h.seed, octets)
		return
	}
	h.ready <- letters{from, c.arrive(octets)}
}

// answer sends what is ready, the last first. As many as are to be held wait for
// each other.
func (h *home) answer() {
	for first := range h.ready {
		all := []letters{first}
		for held := int(h.held.Swap(0)); len(all) < held || len(h.ready) > 0; {
			all = append(all, <-h.ready)
		}
		for i := len(all); i > 0; i-- {
			for _, b := range all[i-1].all {
				_, _ = h.conn.WriteToUDPAddrPort(b, all[i-1].to) // the test sees that no answer comes
			}
		}
	}
}
