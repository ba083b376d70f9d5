package radius

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// letter is a datagram that is ready to be sent: a request to a server, or an
// answer to a NAS.
type letter interface {
	envelope() envelope
	// send sends it by itself, with all that is to be done where that fails.
	send(p *Proxy)
}

// envelope says how a letter travels.
type envelope struct {
	via       *outlet
	octets    []byte
	to, local netip.AddrPort // of no account where the socket is connected
}

// outlet is a socket to send by.
type outlet struct {
	conn      syscall.RawConn
	connected bool
	wildcard  bool // the address to send from has to be named
}

// outbox gathers what a goroutine has to send while it works through the
// datagrams that it received together; what goes by the same socket leaves by
// one system call. Its methods are for one goroutine at a time.
type outbox struct {
	letters []letter
	run     []letter // those of one socket
	rest    []letter // those of the others, while that one's are sent

	send     func(fd uintptr) (done bool)
	sent     int
	errno    syscall.Errno
	pending  []mmsghdr
	headers  [batch]mmsghdr
	vectors  [batch]unix.Iovec
	names    [batch]unix.RawSockaddrInet6 // room for either family
	controls [batch][controlLen]byte
}

func newOutbox() *outbox {
	o := &outbox{
		letters: make([]letter, 0, batch),
		run:     make([]letter, 0, batch),
		rest:    make([]letter, 0, batch),
	}
	o.send = o.sendmmsg // made once: a method value is allocated
	return o
}

// post puts a letter in: at most one for each datagram of a batch.
func (o *outbox) post(l letter) { o.letters = append(o.letters, l) }

// flush sends what was put in.
func (o *outbox) flush(p *Proxy) {
	for len(o.letters) > 0 {
		via := o.sort()
		o.pending = o.headers[:len(o.run)]
		for len(o.pending) > 0 {
			o.deliver(p, via)
		}
	}
}

// sort takes out the letters that go by the same socket as the first one, and
// writes them down for the kernel.
func (o *outbox) sort() (via *outlet) {
	o.run, o.rest = o.run[:0], o.rest[:0]
	for _, l := range o.letters {
		e := l.envelope()
		if via == nil {
			via = e.via
		}
		if e.via != via {
			o.rest = append(o.rest, l)
			continue
		}
		o.address(len(o.run), e)
		o.run = append(o.run, l)
	}
	o.letters, o.rest = o.rest, o.letters
	return via
}

// address fills in the header of a letter.
func (o *outbox) address(i int, e envelope) {
	h := &o.headers[i].Msghdr
	*h = unix.Msghdr{Iov: &o.vectors[i]}
	h.SetIovlen(1)
	o.vectors[i].Base = &e.octets[0]
	o.vectors[i].SetLen(len(e.octets))
	if !e.via.connected {
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&o.names[i])), encodeName(&o.names[i], e.to)
	}
	if e.via.wildcard && !e.local.Addr().IsUnspecified() {
		h.Control = &o.controls[i][0]
		h.SetControllen(encodeSource(&o.controls[i], e.local.Addr()))
	}
}

// deliver sends what is pending as far as the kernel takes it. The letter that
// it stops at is sent again by itself, which says what is wrong and sees to it.
func (o *outbox) deliver(p *Proxy, via *outlet) {
	err := via.conn.Write(o.send)
	if err != nil || o.errno != 0 {
		o.run[len(o.run)-len(o.pending)].send(p)
		o.sent = 1
	}
	o.pending = o.pending[o.sent:]
}

func (o *outbox) sendmmsg(fd uintptr) (done bool) {
	o.sent, o.errno = mmsg(unix.SYS_SENDMMSG, fd, o.pending)
	return o.errno != syscall.EAGAIN
}
