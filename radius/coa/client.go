package coa

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sekisho/radius"
)

// Errors of Send; nothing was sent then.
var (
	ErrBusy   = errors.New("every identifier towards the router is in use")
	ErrClosed = errors.New("the client is closed")
)

// ClientOptions are what a Client is given for its whole life; the zero value
// is right for the daemon.
type ClientOptions struct {
	Clock      Clock          // nil: WallClock
	Rand       func() float64 // of the back-off, from 0 to 1; nil: random
	Log        *slog.Logger   // nil: discard
	MaxSockets int            // for each local address; 0: 16
}

// Client sends requests to routers from a few shared sockets and understands
// the answers. All its methods may be called concurrently.
type Client struct {
	options ClientOptions
	dropped [drops]atomic.Uint64

	mu      sync.Mutex
	sockets map[local][]*socket
	closed  bool
	serving sync.WaitGroup
}

// NewClient makes a client. It opens a socket when it first needs one.
func NewClient(o ClientOptions) *Client {
	if o.Clock == nil {
		o.Clock = WallClock{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.MaxSockets = cmp.Or(o.MaxSockets, 16)
	return &Client{options: o, sockets: map[local][]*socket{}}
}

// exchange is one request under way.
type exchange struct {
	client *Client
	socket *socket
	to     *NAS
	kind   Kind
	id     byte
	wire   []byte // never changed once it is sent: retransmissions are the same octets

	backoff backoff
	tries   atomic.Int32
	stop    func() bool // of the timer
	relayed bool
	done    func(Reply)
}

// Send sends a request and goes on sending it until it is answered or given up
// (RFC 5080 section 2.2.1). Then it calls done, once, from another goroutine;
// done must not block. An error means that nothing was sent and done is not
// called.
func (c *Client) Send(to *NAS, r Request, done func(Reply)) error {
	_, err := c.send(to, r, done)
	return err
}

func (c *Client) send(to *NAS, r Request, done func(Reply)) (*exchange, error) {
	now := c.options.Clock.Now()
	wire, err := r.compose(to, now)
	if err != nil {
		return nil, err
	}
	x := &exchange{client: c, to: to, kind: r.Kind, wire: wire, backoff: newBackoff(now, cmp.Or(r.Patience, patience), c.options.Rand), relayed: r.relayed, done: done}
	x.tries.Store(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.acquire(x); err != nil {
		return nil, err
	}
	wire[1] = x.id
	to.Secret.SealRequest(wire)
	x.wait(now)
	x.transmit()
	return x, nil
}

// acquire gives an exchange an identifier; with the lock. The first sockets are
// used first.
func (c *Client) acquire(x *exchange) error {
	if c.closed {
		return ErrClosed
	}
	from := local{x.to.Source, x.to.Address.Addr().Is4()}
	for _, s := range c.sockets[from] {
		if s.take(x) {
			return nil
		}
	}
	if len(c.sockets[from]) >= c.options.MaxSockets {
		return ErrBusy
	}
	s, err := c.open(from)
	if err != nil {
		return fmt.Errorf("opening a socket for CoA to %s: %w", x.to.Name, err)
	}
	c.sockets[from] = append(c.sockets[from], s)
	s.take(x)
	return nil
}

// wait starts the timer of an exchange; with the lock.
func (x *exchange) wait(now time.Time) {
	after, again := x.backoff.next(now)
	if x.relayed {
		after, again = patience, false
	}
	x.stop = x.client.options.Clock.AfterFunc(after, func() { x.client.timeout(x, again) })
}

// timeout sends an exchange again, or gives it up.
func (c *Client) timeout(x *exchange, again bool) {
	now := c.options.Clock.Now()
	c.mu.Lock()
	if !x.socket.holds(x) {
		c.mu.Unlock()
		return
	}
	if again {
		x.backoff.tries++
		x.tries.Add(1)
		x.wait(now)
		x.transmit()
		c.mu.Unlock()
		return
	}
	x.socket.release(x)
	c.mu.Unlock()
	x.end(Reply{Outcome: Later}, now)
}

// again repeats a relayed request because its sender did.
func (x *exchange) again() {
	x.client.mu.Lock()
	defer x.client.mu.Unlock()
	if x.socket.holds(x) {
		x.tries.Add(1)
		x.transmit()
	}
}

// transmit sends the octets; with the lock. What the kernel refuses is sent
// again when the timer fires.
func (x *exchange) transmit() {
	_, err := x.socket.conn.WriteToUDPAddrPort(x.wire, x.to.Address)
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH) {
		// Often the answer to an earlier datagram, to whatever router: this one was not sent.
		_, err = x.socket.conn.WriteToUDPAddrPort(x.wire, x.to.Address)
	}
	if err != nil {
		x.client.options.Log.Warn("a request could not be sent", "nas", x.to.Name, "error", err)
	}
}

// end tells how an exchange ended; without the lock.
func (x *exchange) end(r Reply, now time.Time) {
	x.stop()
	r.Tries, r.Took = int(x.tries.Load()), now.Sub(x.backoff.began)
	x.done(r)
}

// receive takes a datagram from a router. What is not the authentic answer to a
// request under way is counted and changes nothing.
func (c *Client) receive(s *socket, datagram []byte, from netip.AddrPort) {
	p, err := radius.ReadPacket(datagram)
	if err != nil {
		c.dropped[dropMalformed].Add(1)
		return
	}
	c.mu.Lock()
	x := s.waiting(from, p.ID())
	why := x.refuses(p)
	if why == taken {
		s.release(x)
	}
	c.mu.Unlock()
	if why != taken {
		c.dropped[why].Add(1)
		return
	}
	x.end(read(p), c.options.Clock.Now())
}

// refuses tells why a packet is not the answer to an exchange, taken if it is.
func (x *exchange) refuses(p radius.Packet) drop {
	if x == nil {
		return dropUnmatched
	}
	if !x.kind.answers(p.Code()) {
		return dropCode
	}
	switch x.to.Secret.CheckReply(p, x.wire[4:headerLen]) {
	case nil:
		return taken
	case radius.ErrMessageAuthenticator:
		return dropBadMessageAuthenticator
	}
	return dropBadAuthenticator
}

// refused ends everything under way to a router that ICMP says is not there.
func (c *Client) refused(s *socket, to netip.AddrPort, why error) {
	c.mu.Lock()
	over := s.releaseAll(to)
	c.mu.Unlock()
	now := c.options.Clock.Now()
	for _, x := range over {
		x.end(Reply{Outcome: Unreachable, Err: fmt.Errorf("%s: %w", to, why)}, now)
	}
}

// Close ends everything under way, without telling, and closes the sockets.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	var open []*socket
	for _, sockets := range c.sockets {
		for _, s := range sockets {
			s.forget()
			open = append(open, s)
		}
	}
	c.mu.Unlock()
	for _, s := range open { // without the lock, which their goroutines need to come to an end
		s.conn.Close()
	}
	c.serving.Wait()
}
