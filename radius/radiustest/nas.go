package radiustest

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// NAS is a fake access router: one UDP socket of its own.
type NAS struct {
	Secret []byte
	conn   *net.UDPConn
	server netip.AddrPort
	nextID byte
}

// NewNAS opens a socket on loopback towards a server.
func NewNAS(server netip.AddrPort, secret string) (*NAS, error) {
	return NewNASFrom(netip.AddrPort{}, server, secret)
}

// NewNASFrom is NewNAS from a given local address; a zero one leaves the
// choice to the kernel.
func NewNASFrom(local, server netip.AddrPort, secret string) (*NAS, error) {
	var from *net.UDPAddr
	if local.IsValid() {
		from = net.UDPAddrFromAddrPort(local)
	}
	conn, err := net.DialUDP("udp", from, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return nil, err
	}
	return &NAS{Secret: []byte(secret), conn: conn, server: server}, nil
}

// Close closes the socket.
func (n *NAS) Close() { n.conn.Close() }

// Addr is the local address of the socket.
func (n *NAS) Addr() netip.AddrPort { return n.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Send sends a datagram as it is.
func (n *NAS) Send(octets []byte) error {
	_, err := n.conn.Write(octets)
	return err
}

// Receive returns the next datagram; an error when none comes in that time.
func (n *NAS) Receive(within time.Duration) ([]byte, error) {
	buffer := make([]byte, 65536)
	n.conn.SetReadDeadline(time.Now().Add(within))
	size, err := n.conn.Read(buffer)
	return buffer[:max(size, 0)], err
}

// Request makes a signed request with a new authenticator and the next
// identifier. A Message-Authenticator among the attributes is filled in, and a
// User-Password is hidden.
func (n *NAS) Request(code byte, attributes ...Attribute) []byte {
	p := &Packet{Code: code, ID: n.nextID}
	n.nextID++
	if code != AccountingRequest {
		rand.Read(p.Authenticator[:])
	}
	for _, a := range attributes {
		if a.Type == UserPassword {
			a.Value = HidePassword(a.Value, p.Authenticator[:], n.Secret)
		}
		p.Attributes = append(p.Attributes, a)
	}
	octets := p.Encode()
	SignMA(octets, p.Authenticator[:], n.Secret)
	if code == AccountingRequest {
		Sign(octets, make([]byte, 16), n.Secret)
	}
	return octets
}

// PAP makes the attributes of a login with a password.
func PAP(user, password string, more ...Attribute) []Attribute {
	return append([]Attribute{Attr(UserName, user), Attr(UserPassword, password)}, more...)
}

// CHAP makes an Access-Request by CHAP whose challenge is the Request
// Authenticator, as NTT's interface and many BRASes have it.
func (n *NAS) CHAP(user, password string, more ...Attribute) []byte {
	octets := n.Request(AccessRequest, append([]Attribute{Attr(UserName, user), {CHAPPassword, make([]byte, 17)}}, more...)...)
	at := 20 + 2 + len(user)
	response := md5.Sum(append([]byte("\x00"+password), octets[4:20]...))
	copy(octets[at+3:], response[:])
	SignMA(octets, octets[4:20], n.Secret)
	return octets
}

// MA is a Message-Authenticator for Request to fill in.
func MA() Attribute { return Attribute{MessageAuthenticator, make([]byte, 16)} }

// Exchange sends a request and returns its verified answer.
func (n *NAS) Exchange(request []byte, within time.Duration) (*Packet, error) {
	if err := n.Send(request); err != nil {
		return nil, err
	}
	return n.Answer(request, within)
}

// Answer waits for the answer to a request that was sent and verifies it: the
// identifier, the Response Authenticator, a Message-Authenticator if there is
// one.
func (n *NAS) Answer(request []byte, within time.Duration) (*Packet, error) {
	octets, err := n.Receive(within)
	if err != nil {
		return nil, err
	}
	return n.Verify(request, octets)
}

// Verify takes an answer apart if it is one to this request.
func (n *NAS) Verify(request, octets []byte) (*Packet, error) {
	p, err := Decode(octets)
	if err != nil {
		return nil, err
	}
	if p.ID != request[1] {
		return nil, fmt.Errorf("identifier %d, want %d", p.ID, request[1])
	}
	if !CheckSign(octets, request[4:20], n.Secret) {
		return nil, fmt.Errorf("wrong Response Authenticator in %x", octets)
	}
	if len(p.Values(MessageAuthenticator)) > 0 {
		if !CheckMA(octets, request[4:20], n.Secret) {
			return nil, fmt.Errorf("wrong Message-Authenticator in %x", octets)
		}
		if !bytes.Equal(octets[20:22], []byte{MessageAuthenticator, 18}) {
			return nil, fmt.Errorf("Message-Authenticator is not the first attribute of %x", octets)
		}
	}
	return p, nil
}
