package coa

import (
	"errors"
	"net"
	"net/netip"
)

// identifiers is how many requests may be under way between one local and one
// remote port (RFC 2865 section 2.5).
const identifiers = 256

// local is where a socket sends from.
type local struct {
	addr netip.Addr // zero: the kernel's choice
	v4   bool
}

// socket is one UDP socket towards all routers. The client's lock guards it.
type socket struct {
	conn    *net.UDPConn
	routers map[netip.AddrPort]*identifierTable
}

// identifierTable holds the 256 identifiers from one socket to one router.
type identifierTable struct {
	pending [identifiers]*exchange
	free    [identifiers]byte // ring, the longest unused first: one comes round again late
	head    int
	unused  int
}

// open opens a socket; with the lock.
func (c *Client) open(from local) (*socket, error) {
	network := "udp6"
	if from.v4 {
		network = "udp4"
	}
	var bind *net.UDPAddr
	if from.addr.IsValid() {
		bind = net.UDPAddrFromAddrPort(netip.AddrPortFrom(from.addr, 0))
	}
	conn, err := net.ListenUDP(network, bind)
	if err != nil {
		return nil, err
	}
	if err := hearErrors(conn, from.v4); err != nil {
		c.options.Log.Warn("routers that refuse CoA will look silent", "error", err)
	}
	s := &socket{conn: conn, routers: map[netip.AddrPort]*identifierTable{}}
	c.serving.Go(func() { s.serve(c) })
	return s, nil
}

// serve reads until the socket is closed. An error of a read is an ICMP message
// that came back.
func (s *socket) serve(c *Client) {
	buffer := make([]byte, maxPacketLen+1)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			for _, r := range unreachable(s.conn) {
				c.refused(s, unmapped(r.to), r.why)
			}
		default:
			c.receive(s, append([]byte(nil), buffer[:n]...), unmapped(from))
		}
	}
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// take gives an exchange the identifier that was unused longest; false if there
// is none.
func (s *socket) take(x *exchange) bool {
	t := s.routers[x.to.Address]
	if t == nil {
		t = newIdentifierTable()
		s.routers[x.to.Address] = t
	}
	if t.unused == 0 {
		return false
	}
	x.socket, x.id = s, t.free[t.head]
	t.pending[x.id] = x
	t.head = (t.head + 1) % identifiers
	t.unused--
	return true
}

func newIdentifierTable() *identifierTable {
	t := &identifierTable{unused: identifiers}
	for i := range t.free {
		t.free[i] = byte(i)
	}
	return t
}

// waiting is the exchange that a reply may belong to, nil for none.
func (s *socket) waiting(from netip.AddrPort, id byte) *exchange {
	if t := s.routers[from]; t != nil {
		return t.pending[id]
	}
	return nil
}

// holds reports whether an exchange is still under way.
func (s *socket) holds(x *exchange) bool { return s.waiting(x.to.Address, x.id) == x }

func (s *socket) release(x *exchange) {
	t := s.routers[x.to.Address]
	t.pending[x.id] = nil
	t.free[(t.head+t.unused)%identifiers] = x.id
	t.unused++
}

// releaseAll takes out everything under way to a router.
func (s *socket) releaseAll(to netip.AddrPort) []*exchange {
	var over []*exchange
	if t := s.routers[to]; t != nil {
		for _, x := range t.pending {
			if x != nil {
				s.release(x)
				over = append(over, x)
			}
		}
	}
	return over
}

// forget drops what is under way; with the lock.
func (s *socket) forget() {
	for to := range s.routers {
		for _, x := range s.releaseAll(to) {
			x.stop()
		}
	}
}
