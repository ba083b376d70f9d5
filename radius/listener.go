package radius

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
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

// listener is one UDP port towards the NASes.
type listener struct {
	conn     *net.UDPConn
	kind     kind
	number   uint16 // tells listeners apart in the duplicate cache
	addr     netip.AddrPort
	wildcard bool // bound to no single address: replies must name the one that was hit
	buffer   int  // for receiving, in octets
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
	l := &listener{conn: conn, kind: k, buffer: enlarge(conn), addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(), wildcard: addr.Addr().IsUnspecified()}
	if l.wildcard {
		err = l.askForDestination()
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
func (l *listener) askForDestination() error {
	if l.addr.Addr().Is4() {
		return ipv4.NewPacketConn(l.conn).SetControlMessage(ipv4.FlagDst, true)
	}
	return ipv6.NewPacketConn(l.conn).SetControlMessage(ipv6.FlagDst, true)
}

// datagram is one received datagram; octets are the reader's and are
// overwritten by its next read.
type datagram struct {
	octets []byte
	from   netip.AddrPort
	local  netip.AddrPort // where it was sent to
}

// serve hands every datagram to handle until the listener stops reading.
func (l *listener) serve(handle func(*listener, datagram)) {
	buffer := make([]byte, maxPacketLen+1) // one more, so that a longer datagram does not look whole
	var control []byte
	if l.wildcard {
		control = make([]byte, 64)
	}
	for {
		n, c, _, from, err := l.conn.ReadMsgUDPAddrPort(buffer, control)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an error of one datagram (an ICMP message that came back): the next one may be whole
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		handle(l, datagram{buffer[:n], from, l.destination(control[:c])})
	}
}

func (l *listener) destination(control []byte) netip.AddrPort {
	if !l.wildcard {
		return l.addr
	}
	var dst net.IP
	if l.addr.Addr().Is4() {
		var cm ipv4.ControlMessage
		if cm.Parse(control) == nil {
			dst = cm.Dst
		}
	} else {
		var cm ipv6.ControlMessage
		if cm.Parse(control) == nil {
			dst = cm.Dst
		}
	}
	addr, ok := netip.AddrFromSlice(dst)
	if !ok {
		return l.addr
	}
	return netip.AddrPortFrom(addr.Unmap(), l.addr.Port())
}

// reply sends octets from the address that the request was sent to.
func (l *listener) reply(octets []byte, to, local netip.AddrPort) error {
	if !l.wildcard || local.Addr().IsUnspecified() {
		_, err := l.conn.WriteToUDPAddrPort(octets, to)
		return err
	}
	var control []byte
	if local.Addr().Is4() {
		control = (&ipv4.ControlMessage{Src: local.Addr().AsSlice()}).Marshal()
	} else {
		control = (&ipv6.ControlMessage{Src: local.Addr().AsSlice()}).Marshal()
	}
	_, _, err := l.conn.WriteMsgUDPAddrPort(octets, control, to)
	return err
}

// stop ends serve; replies can still be sent.
func (l *listener) stop() { l.conn.SetReadDeadline(time.Unix(1, 0)) }

func (l *listener) close() { l.conn.Close() }
