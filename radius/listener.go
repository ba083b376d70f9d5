package radius

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// kind is what a listener takes.
type kind uint8

const (
	auth kind = iota
	acct
)

func (k kind) String() string {
	if k == acct {
		return "acct"
	}
	return "auth"
}

// listener is one UDP port towards the NASes. Where it is bound to no single
// address, replies must name the one that was hit.
type listener struct {
	outlet
	conn   *net.UDPConn
	kind   kind
	number uint16 // tells listeners apart in the duplicate cache
	addr   netip.AddrPort
	buffer int // for receiving, in octets
	room   room
}

func listen(addr netip.AddrPort, k kind) (*listener, error) { return listenAs(addr, k, k.String()) }

func listenAs(addr netip.AddrPort, k kind, what string) (*listener, error) {
	network := "udp4"
	if addr.Addr().Is6() {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("listening for %s on %s: %w", what, addr, err)
	}
	raw, err := conn.SyscallConn()
	l := &listener{
		outlet: outlet{raw: raw, wildcard: addr.Addr().IsUnspecified()},
		conn:   conn, kind: k, buffer: enlarge(conn), addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(),
	}
	if err == nil && l.wildcard {
		err = l.askForDestination(raw)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("listening for %s on %s: %w", what, addr, err)
	}
	return l, nil
}

// askForDestination makes the kernel tell which address a datagram was sent
// to, so that the reply can leave from there: a NAS discards one from any
// other (RFC 2865 section 3).
func (l *listener) askForDestination(raw syscall.RawConn) error {
	level, option := unix.IPPROTO_IP, unix.IP_PKTINFO
	if l.addr.Addr().Is6() {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO
	}
	var refused error
	err := raw.Control(func(fd uintptr) { refused = unix.SetsockoptInt(int(fd), level, option, 1) })
	return errors.Join(err, refused)
}

// datagram is one received datagram; octets are the reader's and are
// overwritten by its next read.
type datagram struct {
	octets []byte
	from   netip.AddrPort
	local  netip.AddrPort // where it was sent to
}

// serve hands every datagram to handle until the listener stops reading, and
// calls rest when it has handed over those that there were.
func (l *listener) serve(handle func(*listener, datagram), rest func()) {
	in := newInbox(l.raw, l.asks())
	for {
		n, err := in.read()
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
			return
		}
		// Any other error is one of a datagram that was sent (an ICMP message
		// that came back): the next one may be whole.
		for i := range n {
			handle(l, datagram{in.octets(i), in.from(i), l.destination(in.to(i))})
		}
		rest()
	}
}

func (l *listener) asks() ask {
	if l.wildcard {
		return askBoth
	}
	return askFrom
}

// destination is where a datagram was sent to, by what the kernel says.
func (l *listener) destination(addr netip.Addr, said bool) netip.AddrPort {
	if !l.wildcard || !said {
		return l.addr
	}
	return netip.AddrPortFrom(addr, l.addr.Port())
}

// reply sends octets from the address that the request was sent to.
func (l *listener) reply(octets []byte, to, local netip.AddrPort) error {
	var control [controlLen]byte
	n := 0
	if l.wildcard && !local.Addr().IsUnspecified() {
		n = encodeSource(&control, local.Addr())
	}
	_, _, err := l.conn.WriteMsgUDPAddrPort(octets, control[:n], to)
	return err
}

// stop ends serve; replies can still be sent.
func (l *listener) stop() { l.conn.SetReadDeadline(time.Unix(1, 0)) }

func (l *listener) close() { l.conn.Close() }
