package radiustest

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Codes and attribute types of dynamic authorization (RFC 5176).
const (
	DisconnectRequest = 40
	DisconnectACK     = 41
	DisconnectNAK     = 42
	CoARequest        = 43
	CoAACK            = 44
	CoANAK            = 45

	EventTimestamp = 55
	ErrorCause     = 101
)

// Router is a fake access router on one loopback port that takes CoA- and
// Disconnect-Requests. A retransmission gets the octets of the first answer and
// is not handed to the function again.
type Router struct {
	Addr   netip.AddrPort
	Secret []byte

	conn   *net.UDPConn
	answer func(*Request) [][]byte
	delay  time.Duration

	mu          sync.Mutex
	seen        []*Request // retransmissions too
	forgetful   bool
	received    int
	answered    map[string][][]byte
	outstanding int
	most        int
}

// NewRouter starts a router whose every answer comes from a function: the
// datagrams to send back, none for silence. Requests that are not rightly
// signed are not handed to it.
func NewRouter(secret string, answer func(*Request) [][]byte) (*Router, error) {
	return NewSlowRouter(secret, 0, answer)
}

// NewSlowRouter is NewRouter that takes that time for an answer, and keeps
// neither what it has seen nor what it has answered.
func NewSlowRouter(secret string, delay time.Duration, answer func(*Request) [][]byte) (*Router, error) {
	return newRouterAt(netip.MustParseAddrPort("127.0.0.1:0"), secret, delay, answer)
}

// NewRouters starts routers on several addresses of loopback that all have the
// same port, as the routers of one network do. Each is answered for by what the
// function makes of its address.
func NewRouters(secret string, answer func(host string) func(*Request) [][]byte, hosts ...string) (all []*Router, err error) {
	const tries = 20 // the kernel's choice for the first may be taken at another
	for range tries {
		port := uint16(0)
		for _, host := range hosts {
			var r *Router
			if r, err = newRouterAt(netip.AddrPortFrom(netip.MustParseAddr(host), port), secret, 0, answer(host)); err != nil {
				break
			}
			all, port = append(all, r), r.Addr.Port()
		}
		if err == nil {
			return all, nil
		}
		for _, r := range all {
			r.Close()
		}
		all = nil
	}
	return nil, err
}

func newRouterAt(at netip.AddrPort, secret string, delay time.Duration, answer func(*Request) [][]byte) (*Router, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(4 << 20) // a smaller one drops more, as routers do
	r := &Router{
		Addr:      conn.LocalAddr().(*net.UDPAddr).AddrPort(),
		Secret:    []byte(secret),
		conn:      conn,
		answer:    answer,
		delay:     delay,
		forgetful: delay > 0,
		answered:  map[string][][]byte{},
	}
	go r.serve()
	return r, nil
}

// Close stops the router; its port refuses datagrams from then on.
func (r *Router) Close() { r.conn.Close() }

// Seen returns every request received so far that was rightly signed, the
// retransmissions among them.
func (r *Router) Seen() []*Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*Request(nil), r.seen...)
}

// Load returns how many requests came, retransmissions not counted, and how
// many were unanswered at once at most.
func (r *Router) Load() (requests, most int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.received, r.most
}

// Send sends a datagram from the router's port, answer or not.
func (r *Router) Send(octets []byte, to netip.AddrPort) error {
	_, err := r.conn.WriteToUDPAddrPort(octets, to)
	return err
}

func (r *Router) serve() {
	buffer := make([]byte, 65536)
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		raw := bytes.Clone(buffer[:n])
		p, err := Decode(raw)
		if err != nil {
			continue
		}
		request := &Request{p, raw, from, r.Secret}
		if request.Check() == nil {
			r.take(request)
		}
	}
}

// take answers a request, or repeats its answer.
func (r *Router) take(request *Request) {
	key := request.From.String() + string(request.Raw[:20])
	r.mu.Lock()
	if !r.forgetful {
		r.seen = append(r.seen, request)
	}
	before, known := r.answered[key]
	if !known {
		r.answered[key] = nil
		r.received++
		r.outstanding++
		r.most = max(r.most, r.outstanding)
	}
	r.mu.Unlock()
	if known {
		r.send(before, request.From)
		return
	}
	if r.delay == 0 {
		r.finish(key, request)
		return
	}
	time.AfterFunc(r.delay, func() { r.finish(key, request) })
}

func (r *Router) finish(key string, request *Request) {
	answers := r.answer(request)
	r.mu.Lock()
	if r.answered[key] = answers; r.forgetful {
		delete(r.answered, key)
	}
	r.outstanding--
	r.mu.Unlock()
	r.send(answers, request.From)
}

func (r *Router) send(answers [][]byte, to netip.AddrPort) {
	for _, octets := range answers {
		_, _ = r.conn.WriteToUDPAddrPort(octets, to) // a sender that is gone has no use for it
	}
}

// ACK makes the answer that a request was carried out.
func (r *Request) ACK() []byte { return r.Reply(r.Code + 1) }

// NAK makes the answer that it was not; a cause of 0 is left out, as many
// routers do.
func (r *Request) NAK(cause uint32) []byte {
	if cause == 0 {
		return r.Reply(r.Code + 2)
	}
	return r.Reply(r.Code+2, Number(ErrorCause, cause))
}

// checkDynamic finds what is wrong with a CoA- or Disconnect-Request as a
// router would.
func (r *Request) checkDynamic() error {
	zeros := make([]byte, 16)
	if !CheckSign(r.Raw, zeros, r.Secret) {
		return fmt.Errorf("wrong Request Authenticator")
	}
	if len(r.Values(MessageAuthenticator)) > 0 && !CheckMA(r.Raw, zeros, r.Secret) {
		return fmt.Errorf("wrong Message-Authenticator")
	}
	return nil
}

// Lines are the sessions of a fake router, by Acct-Session-Id, each with its
// Filter-Id. They may be used concurrently.
type Lines struct {
	mu      sync.Mutex
	filters map[string]string
	changes map[string]int
}

// NewLines makes sessions that all have the same Filter-Id.
func NewLines(filter string, sessions ...string) *Lines {
	l := &Lines{filters: map[string]string{}, changes: map[string]int{}}
	for _, id := range sessions {
		l.filters[id] = filter
	}
	return l
}

// Filter returns the Filter-Id of a session and how often it was set; false
// when there is no such session.
func (l *Lines) Filter(session string) (filter string, changes int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	filter, ok = l.filters[session]
	return filter, l.changes[session], ok
}

// Count returns how many sessions have each Filter-Id.
func (l *Lines) Count() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := map[string]int{}
	for _, filter := range l.filters {
		counts[filter]++
	}
	return counts
}

// Answer does what a request says, by RFC 5176: all or nothing, 503 for a
// session that is not there, 404 for a Disconnect-Request that says more than
// which session.
func (l *Lines) Answer(r *Request) [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := r.Value(AcctSessionID)
	if _, ok := l.filters[id]; !ok {
		return [][]byte{r.NAK(503)}
	}
	filters := r.Values(FilterID)
	if r.Code == DisconnectRequest {
		if len(filters) > 0 {
			return [][]byte{r.NAK(404)}
		}
		delete(l.filters, id)
		return [][]byte{r.ACK()}
	}
	for _, filter := range filters {
		l.filters[id] = string(filter)
		l.changes[id]++
	}
	return [][]byte{r.ACK()}
}
