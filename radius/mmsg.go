package radius

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batch is how many datagrams at most are received or sent by one system call
// (recvmmsg(2), sendmmsg(2)). The first of a batch waits for the last: at some
// ten microseconds each, for less than half a millisecond.
const batch = 32

// mmsghdr is the kernel's struct of that name.
type mmsghdr struct {
	unix.Msghdr
	octets uint32 // received or sent
}

// mmsg calls one of the two, which take the same. It waits for nothing.
func mmsg(call, fd uintptr, headers []mmsghdr) (int, syscall.Errno) {
	for {
		n, _, errno := unix.Syscall6(call, fd, uintptr(unsafe.Pointer(&headers[0])), uintptr(len(headers)), unix.MSG_DONTWAIT, 0, 0)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}

// encodeName writes an address as the kernel wants it, and returns its length.
func encodeName(name *unix.RawSockaddrInet6, to netip.AddrPort) uint32 {
	*name = unix.RawSockaddrInet6{}
	port := (*[2]byte)(unsafe.Pointer(&name.Port)) // at the same place in both families
	binary.BigEndian.PutUint16(port[:], to.Port())
	if to.Addr().Is4() {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		four.Family, four.Addr = unix.AF_INET, to.Addr().As4()
		return unix.SizeofSockaddrInet4
	}
	name.Family, name.Addr = unix.AF_INET6, to.Addr().As16()
	scope, _ := strconv.ParseUint(to.Addr().Zone(), 10, 32) // as decodeName writes it
	name.Scope_id = uint32(scope)
	return unix.SizeofSockaddrInet6
}

// decodeName is the other way round.
func decodeName(name *unix.RawSockaddrInet6) netip.AddrPort {
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&name.Port))[:])
	if name.Family == unix.AF_INET {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), port)
	}
	addr := netip.AddrFrom16(name.Addr).Unmap()
	if name.Scope_id != 0 && addr.Is6() {
		addr = addr.WithZone(strconv.Itoa(int(name.Scope_id)))
	}
	return netip.AddrPortFrom(addr, port)
}

// controlLen is room for the one control message that is used: which address
// of ours a datagram was sent to, or is to be sent from (ip(7) IP_PKTINFO,
// RFC 3542 section 6).
const controlLen = 64

// encodeSource writes the address to send from, and returns the length.
func encodeSource(control *[controlLen]byte, from netip.Addr) int {
	header := (*unix.Cmsghdr)(unsafe.Pointer(control))
	data := unsafe.Pointer(&control[unix.CmsgLen(0)])
	if from.Is4() {
		header.Level, header.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
		header.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
		*(*unix.Inet4Pktinfo)(data) = unix.Inet4Pktinfo{Spec_dst: from.As4()}
		return unix.CmsgSpace(unix.SizeofInet4Pktinfo)
	}
	header.Level, header.Type = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO
	header.SetLen(unix.CmsgLen(unix.SizeofInet6Pktinfo))
	*(*unix.Inet6Pktinfo)(data) = unix.Inet6Pktinfo{Addr: from.As16()}
	return unix.CmsgSpace(unix.SizeofInet6Pktinfo)
}

// encodeSegment writes how long the datagrams are that a message is to be cut
// up into, and returns the length.
func encodeSegment(control []byte, octets int) int {
	header := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	header.Level, header.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	header.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(control[unix.CmsgLen(0):], uint16(octets))
	return unix.CmsgSpace(2)
}

// decodeDestination reads the address that a datagram was sent to; false where
// the kernel did not say.
func decodeDestination(control []byte) (netip.Addr, bool) {
	if len(control) < unix.SizeofCmsghdr {
		return netip.Addr{}, false
	}
	header, data, _, err := unix.ParseOneSocketControlMessage(control)
	switch {
	case err != nil:
	case header.Level == unix.IPPROTO_IP && header.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
		return netip.AddrFrom4([4]byte(data[8:])), true // ipi_addr, the last of three
	case header.Level == unix.IPPROTO_IPV6 && header.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
		return netip.AddrFrom16([16]byte(data)).Unmap(), true // ipi6_addr, the first of two
	}
	return netip.Addr{}, false
}
