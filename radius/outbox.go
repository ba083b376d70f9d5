package radius

import (
	"net/netip"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// letter is a datagram that is ready to be sent: a request to a server, or an
// answer to a NAS.
type letter interface {
	envelope() envelope
	// send sends it by itself, with all that is to be done where that fails;
	// false is when it does.
	send(p *Proxy) bool
}

// envelope says how a letter travels.
type envelope struct {
	via       *outlet
	octets    []byte
	to, local netip.AddrPort // of no account where the socket is connected
}

// outlet is a socket to send by.
type outlet struct {
	raw       syscall.RawConn
	connected bool
	wildcard  bool        // the address to send from has to be named
	singly    atomic.Bool // no message is cut up into datagrams on this way
}

// outbox gathers what a goroutine has to send while it works through the
// datagrams that it received together. What goes by the same socket leaves by
// one system call, and of that what goes to the same port and has the same
// length as one message, which the kernel or the network card cuts up (udp(7)
// UDP_SEGMENT): most of what a datagram costs is its way through the kernel.
// Its methods are for one goroutine at a time.
type outbox struct {
	letters []letter
	rest    []letter // those that go by other sockets than the one at work
	bundles []bundle
	vectors [batch]unix.Iovec

	sending  func(fd uintptr) (done bool)
	pending  []mmsghdr
	sent     int // of these
	errno    syscall.Errno
	singly   bool // no bundles
	headers  [batch]mmsghdr
	names    [batch]unix.RawSockaddrInet6 // room for either family
	controls [batch][controlLen]byte
}

// bundle is one message: letters of one length to one port.
type bundle struct {
	envelope
	letters []letter
}

func newOutbox() *outbox {
	o := &outbox{letters: make([]letter, 0, batch), rest: make([]letter, 0, batch), bundles: make([]bundle, batch)}
	o.sending = o.sendmmsg // made once: a method value is allocated
	return o
}

// post puts a letter in: at most one for each datagram of a batch.
func (o *outbox) post(l letter) { o.letters = append(o.letters, l) }

// flush sends what was put in.
func (o *outbox) flush(p *Proxy) {
	o.singly = p.sendsSingly()
	for len(o.letters) > 0 {
		via := o.sort()
		o.write()
		for o.pending = o.headers[:len(o.bundles)]; len(o.pending) > 0; {
			o.deliver(p, via)
		}
		o.forget()
	}
}

// forget lets go of letters that are sent: the next ones may be long in coming.
func (o *outbox) forget() {
	for i := range o.bundles {
		clear(o.bundles[i].letters)
		o.bundles[i].envelope = envelope{}
	}
}

// sendsSingly reports whether the configuration wants no message cut up.
func (p *Proxy) sendsSingly() bool {
	s := p.current.Load()
	return s != nil && s.config.NoSegmentation
}

// sort bundles the letters that go by the same socket as the first one.
func (o *outbox) sort() (via *outlet) {
	o.rest, o.bundles = o.rest[:0], o.bundles[:0]
	for _, l := range o.letters {
		e := l.envelope()
		if via == nil {
			via = e.via
		}
		if e.via != via {
			o.rest = append(o.rest, l)
			continue
		}
		b := o.bundle(e)
		b.letters = append(b.letters, l)
	}
	o.letters, o.rest = o.rest, o.letters
	clear(o.rest)
	return via
}

// bundle finds the one that a letter belongs to, or begins it.
func (o *outbox) bundle(e envelope) *bundle {
	for i := range o.bundles {
		if b := &o.bundles[i]; !o.singly && b.takes(e) {
			return b
		}
	}
	o.bundles = o.bundles[:len(o.bundles)+1]
	b := &o.bundles[len(o.bundles)-1]
	b.envelope, b.letters = e, b.letters[:0]
	return b
}

// maxSegment is the longest datagram that is sent with others as one message:
// none of them may need fragments, on any usual way.
const maxSegment = 1200

func (b *bundle) takes(e envelope) bool {
	return len(b.octets) == len(e.octets) && len(e.octets) <= maxSegment && !e.via.singly.Load() && b.to == e.to && b.local == e.local
}

// write writes the bundles down for the kernel.
func (o *outbox) write() {
	vectors := o.vectors[:0]
	for i := range o.bundles {
		b := &o.bundles[i]
		first := len(vectors)
		for _, l := range b.letters {
			octets := l.envelope().octets
			vectors = append(vectors, unix.Iovec{Base: &octets[0]})
			vectors[len(vectors)-1].SetLen(len(octets))
		}
		o.address(i, b, vectors[first:])
	}
}

// address fills in the header of a bundle.
func (o *outbox) address(i int, b *bundle, vectors []unix.Iovec) {
	h := &o.headers[i].Msghdr
	*h = unix.Msghdr{Iov: &vectors[0]}
	h.SetIovlen(len(vectors))
	if !b.via.connected {
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&o.names[i])), encodeName(&o.names[i], b.to)
	}
	n := 0
	if b.via.wildcard && !b.local.Addr().IsUnspecified() {
		n = encodeSource(&o.controls[i], b.local.Addr())
	}
	if len(vectors) > 1 {
		n += encodeSegment(o.controls[i][n:], len(b.octets))
	}
	if n > 0 {
		h.Control = &o.controls[i][0]
		h.SetControllen(n)
	}
}

// deliver sends what is pending as far as the kernel takes it. The letters of
// the bundle that it stops at are sent by themselves, which says what is wrong
// and sees to it.
func (o *outbox) deliver(p *Proxy, via *outlet) {
	if err := via.raw.Write(o.sending); err == nil && o.errno == 0 {
		o.pending = o.pending[o.sent:]
		return
	}
	stopped := o.bundles[len(o.bundles)-len(o.pending)]
	o.pending = o.pending[1:]
	went := false
	for _, l := range stopped.letters {
		went = l.send(p) || went
	}
	if went && len(stopped.letters) > 1 && uncut[o.errno] {
		via.singly.Store(true)
	}
}

// uncut are the errors by which the kernel refuses to cut a message up: the
// card computes no checksums, the datagrams are longer than the way allows, or
// it is too old to know how (before 4.18). They have other reasons too, a NAS
// at port 0 or an address of ours that is gone, but then none of the datagrams
// goes by itself either.
var uncut = map[syscall.Errno]bool{unix.EIO: true, unix.EINVAL: true, unix.EMSGSIZE: true, unix.EOPNOTSUPP: true}

func (o *outbox) sendmmsg(fd uintptr) (done bool) {
	o.sent, o.errno = mmsg(unix.SYS_SENDMMSG, fd, o.pending)
	return o.errno != syscall.EAGAIN
}
