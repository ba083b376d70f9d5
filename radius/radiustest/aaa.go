package radiustest

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// Request is a packet as the AAA server received it.
type Request struct {
	*Packet
	Raw    []byte
	From   netip.AddrPort
	Secret []byte
}

// AAA is a fake home server on one loopback port.
type AAA struct {
	Addr   netip.AddrPort
	Secret []byte

	conn   *net.UDPConn
	answer func(*Request) [][]byte

	mu   sync.Mutex
	seen []*Request
}

// NewAAA starts a server whose every answer comes from a function: the
// datagrams to send back, none for silence.
func NewAAA(secret string, answer func(*Request) [][]byte) (*AAA, error) {
	return NewAAAAt(netip.MustParseAddrPort("127.0.0.1:0"), secret, answer)
}

// NewAAAAt is NewAAA on a given address.
func NewAAAAt(addr netip.AddrPort, secret string, answer func(*Request) [][]byte) (*AAA, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	a := &AAA{
		Addr:   conn.LocalAddr().(*net.UDPAddr).AddrPort(),
		Secret: []byte(secret),
		conn:   conn,
		answer: answer,
	}
	go a.serve()
	return a, nil
}

// Close stops the server.
func (a *AAA) Close() { a.conn.Close() }

// Seen returns every packet received so far.
func (a *AAA) Seen() []*Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]*Request(nil), a.seen...)
}

func (a *AAA) serve() {
	buffer := make([]byte, 65536)
	for {
		n, from, err := a.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		raw := bytes.Clone(buffer[:n])
		p, err := Decode(raw)
		if err != nil {
			continue
		}
		r := &Request{p, raw, from, a.Secret}
		a.mu.Lock()
		a.seen = append(a.seen, r)
		a.mu.Unlock()
		for _, reply := range a.answer(r) {
			_, _ = a.conn.WriteToUDPAddrPort(reply, from) // a NAS that is gone has no use for it
		}
	}
}

// Send sends a datagram from the server's port, answer or not.
func (a *AAA) Send(octets []byte, to netip.AddrPort) error {
	_, err := a.conn.WriteToUDPAddrPort(octets, to)
	return err
}

// Reply makes a signed reply: Message-Authenticator first on replies to an
// Access-Request, the attributes, and the request's Proxy-States.
func (r *Request) Reply(code byte, attributes ...Attribute) []byte {
	p := &Packet{Code: code, ID: r.ID}
	if r.Code == AccessRequest {
		p.Attributes = append(p.Attributes, Attribute{MessageAuthenticator, make([]byte, 16)})
	}
	p.Attributes = append(p.Attributes, attributes...)
	for _, state := range r.Values(ProxyState) {
		p.Attributes = append(p.Attributes, Attribute{ProxyState, state})
	}
	return r.Sign(p)
}

// Sign signs a reply packet as it is.
func (r *Request) Sign(p *Packet) []byte {
	octets := p.Encode()
	SignMA(octets, r.Authenticator[:], r.Secret)
	Sign(octets, r.Authenticator[:], r.Secret)
	return octets
}

// Check finds what is wrong with a request as a home server would, or a router
// with one for dynamic authorization: its authenticators.
func (r *Request) Check() error {
	if r.Code == CoARequest || r.Code == DisconnectRequest {
		return r.checkDynamic()
	}
	if r.Code == AccountingRequest {
		if !CheckSign(r.Raw, make([]byte, 16), r.Secret) {
			return fmt.Errorf("wrong Request Authenticator")
		}
		return nil
	}
	if !CheckMA(r.Raw, r.Authenticator[:], r.Secret) {
		return fmt.Errorf("wrong or missing Message-Authenticator")
	}
	return nil
}

// Password reveals the User-Password, padding removed.
func (r *Request) Password() []byte {
	return bytes.TrimRight(RevealPassword([]byte(r.Value(UserPassword)), r.Authenticator[:], r.Secret), "\x00")
}

// KnowsPassword reports whether the request proves a password, by PAP or CHAP.
func (r *Request) KnowsPassword(password string) bool {
	if chap := r.Value(CHAPPassword); len(chap) == 17 {
		challenge := r.Value(CHAPChallenge)
		if challenge == "" {
			challenge = string(r.Authenticator[:])
		}
		want := md5.Sum([]byte(chap[:1] + password + challenge))
		return string(want[:]) == chap[1:]
	}
	return bytes.Equal(r.Password(), []byte(password))
}

// User is a subscriber of a fake AAA server.
type User struct {
	Password   string
	Attributes []Attribute // of the Accept
}

// Users answers like a home server with these users by User-Name, and
// acknowledges all accounting.
func Users(users map[string]User) func(*Request) [][]byte {
	return func(r *Request) [][]byte {
		if r.Check() != nil {
			return nil
		}
		if r.Code == AccountingRequest {
			return [][]byte{r.Reply(AccountingResponse)}
		}
		user, ok := users[r.Value(UserName)]
		if !ok || !r.KnowsPassword(user.Password) {
			return [][]byte{r.Reply(AccessReject, Attr(18, "no such user or wrong password"))}
		}
		return [][]byte{r.Reply(AccessAccept, user.Attributes...)}
	}
}
