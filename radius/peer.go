package radius

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// identifiers is how many requests may be under way between one local and one
// remote port (RFC 2865 section 2.5).
const identifiers = 256

// spareIdentifiers is how many of a socket's identifiers are left unused while
// there is another socket to take or to open, so that one comes round again
// late rather than at once.
const spareIdentifiers = identifiers / 4

// peer is one UDP port of an AAA server and the sockets towards it. The first
// sockets are used first: the fewer of them are busy, the fewer goroutines wake.
type peer struct {
	remote  netip.AddrPort
	source  netip.Addr
	health  health
	proxy   *Proxy
	serving *sync.WaitGroup // of the goroutines that read the sockets

	mu      sync.Mutex // guards what follows and the sockets' tables
	sockets []*socket
	busy    int // identifiers in use
	closed  bool
}

// socket is one connected UDP socket with its 256 identifiers. Connected, so
// that the kernel delivers only what comes from the server.
type socket struct {
	outlet
	peer *peer
	conn *net.UDPConn

	// pending is written when an attempt is ready to be answered, and read by
	// the socket's goroutine without the lock.
	pending [identifiers]atomic.Pointer[attempt]
	working atomic.Pointer[attempt] // whose reply the socket's reader is busy with
	free    [identifiers]byte       // ring of free identifiers, the longest unused first
	head    int
	unused  int
}

// acquire gives the attempt an identifier on one of at most max sockets. The
// attempt gets no reply before it is armed.
func (p *peer) acquire(a *attempt, max int) (reason, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return dropShutdown, nil
	}
	if s := p.roomy(spareIdentifiers); s != nil {
		s.take(a)
		return forwarded, nil
	}
	if len(p.sockets) < max {
		s, err := p.open()
		if err == nil {
			s.take(a)
			return forwarded, nil
		}
		if len(p.sockets) == 0 {
			return dropSend, err
		}
	}
	s := p.roomy(0)
	if s == nil {
		return dropNoIdentifier, nil
	}
	s.take(a)
	return forwarded, nil
}

// roomy returns the first socket with more free identifiers than that.
func (p *peer) roomy(than int) *socket {
	for _, s := range p.sockets {
		if s.unused > than {
			return s
		}
	}
	return nil
}

func (p *peer) open() (*socket, error) {
	var local *net.UDPAddr
	if p.source.IsValid() {
		local = net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.source, 0))
	}
	conn, err := net.DialUDP("udp", local, net.UDPAddrFromAddrPort(p.remote))
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		conn.Close()
		return nil, err
	}
	enlarge(conn)
	s := &socket{outlet: outlet{raw: raw, connected: true}, peer: p, conn: conn, unused: identifiers}
	for i := range s.free {
		s.free[i] = byte(i)
	}
	p.sockets = append(p.sockets, s)
	p.serving.Go(func() { newReader(s).serve(p.proxy) })
	return s, nil
}

func (s *socket) take(a *attempt) {
	id := s.free[s.head]
	s.head = (s.head + 1) % identifiers
	s.unused--
	s.peer.busy++
	a.socket, a.id, a.held = s, id, true
}

// arm makes an attempt, complete now, the one that replies with its identifier
// belong to.
func (a *attempt) arm() { a.socket.pending[a.id].Store(a) }

// release gives an attempt's identifier back; false if that was done before.
// Another answer to it is one to no request.
func (p *peer) release(a *attempt) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.drop(a)
}

// retire gives back the identifier of an attempt that was not answered. Until
// a new one takes its place an answer is still known as one: it comes late, and
// it proves that the server lives.
func (p *peer) retire(a *attempt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.giveBack(a)
}

func (p *peer) drop(a *attempt) bool {
	a.socket.pending[a.id].CompareAndSwap(a, nil)
	return p.giveBack(a)
}

func (p *peer) giveBack(a *attempt) bool {
	if !a.held {
		return false
	}
	a.held = false
	s := a.socket
	s.free[(s.head+s.unused)%identifiers] = a.id
	s.unused++
	p.busy--
	return true
}

// waiting returns the attempt that a reply with this identifier may belong to.
func (s *socket) waiting(id byte) *attempt { return s.pending[id].Load() }

// expire takes out the attempts whose time is over.
func (p *peer) expire(now time.Time) []*attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	var over []*attempt
	for _, s := range p.sockets {
		for i := range s.pending {
			if a := s.pending[i].Load(); a != nil && now.After(a.deadline) && p.drop(a) {
				over = append(over, a)
			}
		}
	}
	return over
}

// load returns how many sockets are open and how many identifiers in use.
func (p *peer) load() (sockets, busy int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sockets), p.busy
}

// closeIfIdle closes a peer that nothing waits for any more.
func (p *peer) closeIfIdle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	working := func(s *socket) bool { return s.working.Load() != nil }
	if p.busy > 0 || slices.ContainsFunc(p.sockets, working) {
		return false
	}
	p.shut()
	return true
}

func (p *peer) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut()
}

func (p *peer) shut() {
	p.closed = true
	for _, s := range p.sockets {
		s.conn.Close()
	}
}

// all returns the sockets that are open.
func (p *peer) all() []*socket {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sockets)
}
