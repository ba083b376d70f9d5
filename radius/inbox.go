package radius

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// inbox receives datagrams, many by one system call. All the memory that it
// needs is its own and is used again: package net, and x/net with its batches,
// allocate something for each datagram. Its methods are for one goroutine at a
// time.
type inbox struct {
	conn     syscall.RawConn
	asks     ask
	receive  func(fd uintptr) (done bool)
	count    int // of the datagrams that there are, whose headers the kernel has written into
	errno    syscall.Errno
	headers  [batch]mmsghdr
	vectors  [batch]unix.Iovec
	names    [batch]unix.RawSockaddrInet6 // room for either family
	controls [batch][controlLen]byte
	buffers  [batch][]byte
}

// datagramLen is one octet more than a packet may have, so that a longer
// datagram does not look whole.
const datagramLen = maxPacketLen + 1

// ask is what an inbox asks the kernel about a datagram: each answer costs.
type ask uint8

const (
	askNothing ask = iota
	askFrom        // who sent it
	askBoth        // that, and to which address of ours
)

func newInbox(conn syscall.RawConn, asks ask) *inbox {
	in := &inbox{conn: conn, asks: asks}
	in.receive = in.recvmmsg // made once: a method value is allocated
	room := make([]byte, batch*datagramLen)
	for i := range batch {
		in.lend(i, room[i*datagramLen:][:datagramLen:datagramLen])
		in.clear(i)
	}
	return in
}

// lend gives a place the memory that its datagrams are received in.
func (in *inbox) lend(i int, buffer []byte) {
	in.buffers[i] = buffer
	in.vectors[i].Base = &buffer[0]
	in.vectors[i].SetLen(len(buffer))
}

// read waits for datagrams and returns how many there are. Its errors are those
// of a read from the socket: one that ends all reading, or one that an earlier
// datagram brought back.
func (in *inbox) read() (int, error) {
	for i := range in.count {
		in.clear(i)
	}
	in.count = 0
	if err := in.conn.Read(in.receive); err != nil {
		return 0, err
	}
	if in.errno != 0 {
		return 0, in.errno
	}
	return in.count, nil
}

// clear makes a header ready for the next datagram: the kernel has written the
// last one's lengths into it.
func (in *inbox) clear(i int) {
	h := &in.headers[i].Msghdr
	*h = unix.Msghdr{Iov: &in.vectors[i]}
	h.SetIovlen(1)
	if in.asks >= askFrom {
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&in.names[i])), unix.SizeofSockaddrInet6
	}
	if in.asks == askBoth {
		h.Control = &in.controls[i][0]
		h.SetControllen(controlLen)
	}
}

func (in *inbox) recvmmsg(fd uintptr) (done bool) {
	in.count, in.errno = mmsg(unix.SYS_RECVMMSG, fd, in.headers[:])
	return in.errno != syscall.EAGAIN
}

// octets are those of a datagram. They are overwritten by the next read.
func (in *inbox) octets(i int) []byte { return in.buffers[i][:in.headers[i].octets] }

// from is who sent it, where that is asked.
func (in *inbox) from(i int) netip.AddrPort { return decodeName(&in.names[i]) }

// to is the address that it was sent to; false where the kernel did not say.
func (in *inbox) to(i int) (netip.Addr, bool) {
	return decodeDestination(in.controls[i][:in.headers[i].Controllen])
}
