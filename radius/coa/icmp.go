package coa

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// hearErrors makes the kernel keep the ICMP errors of a socket together with
// whom they concern: the socket is shared by all routers, and an error of one
// must not be taken for that of another.
func hearErrors(conn *net.UDPConn, v4 bool) error {
	level, option := unix.IPPROTO_IPV6, unix.IPV6_RECVERR
	if v4 {
		level, option = unix.IPPROTO_IP, unix.IP_RECVERR
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var refused error
	if err := raw.Control(func(fd uintptr) { refused = unix.SetsockoptInt(int(fd), level, option, 1) }); err != nil {
		return err
	}
	return refused
}

// The origins of an extended socket error (linux/errqueue.h).
const (
	originICMP  = 2
	originICMP6 = 3
)

// refusal is an ICMP error: to whom nothing can be sent, and why.
type refusal struct {
	to  netip.AddrPort
	why error
}

// unreachable takes the errors off a socket. A datagram that was merely too
// long for the path is none.
func unreachable(conn *net.UDPConn) (refusals []refusal) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	_ = raw.Control(func(fd uintptr) {
		payload, control := make([]byte, 64), make([]byte, 512)
		for {
			_, n, _, to, err := unix.Recvmsg(int(fd), payload, control, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err != nil {
				return
			}
			if why := extendedError(control[:n]); why != 0 && why != unix.EMSGSIZE {
				refusals = append(refusals, refusal{addrPort(to), why})
			}
		}
	})
	return refusals
}

// extendedError reads struct sock_extended_err: an error number of four octets
// in the machine's order, then where it comes from. 0: none of a router's.
func extendedError(control []byte) syscall.Errno {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		ours := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR ||
			m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if !ours || len(m.Data) < 5 {
			continue
		}
		if origin := m.Data[4]; origin == originICMP || origin == originICMP6 {
			return syscall.Errno(binary.NativeEndian.Uint32(m.Data))
		}
	}
	return 0
}

func addrPort(a unix.Sockaddr) netip.AddrPort {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}
