// Package radiustest is a fake NAS and a fake AAA server for tests and for the
// demo. It speaks RADIUS by the RFCs with code of its own, written without
// regard to speed, so that what it accepts is a second opinion on package
// radius.
package radiustest

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"fmt"
)

// Attribute types that the fakes set and read by themselves.
const (
	UserName             = 1
	UserPassword         = 2
	CHAPPassword         = 3
	NASIPAddress         = 4
	FilterID             = 11
	State                = 24
	Class                = 25
	VendorSpecific       = 26
	NASIdentifier        = 32
	ProxyState           = 33
	AcctStatusType       = 40
	AcctSessionID        = 44
	CHAPChallenge        = 60
	EAPMessage           = 79
	MessageAuthenticator = 80
)

// Codes of packets.
const (
	AccessRequest      = 1
	AccessAccept       = 2
	AccessReject       = 3
	AccountingRequest  = 4
	AccountingResponse = 5
	AccessChallenge    = 11
	StatusServer       = 12
)

// Attribute is a type and its value octets.
type Attribute struct {
	Type  byte
	Value []byte
}

// Attr makes an attribute from text.
func Attr(typ byte, value string) Attribute { return Attribute{typ, []byte(value)} }

// Number makes an attribute from an integer.
func Number(typ byte, value uint32) Attribute {
	return Attribute{typ, binary.BigEndian.AppendUint32(nil, value)}
}

// Vendor makes an attribute 26 with one attribute of the vendor's.
func Vendor(vendor uint32, typ byte, value string) Attribute {
	v := binary.BigEndian.AppendUint32(nil, vendor)
	v = append(v, typ, byte(2+len(value)))
	return Attribute{VendorSpecific, append(v, value...)}
}

// Packet is a packet taken apart.
type Packet struct {
	Code, ID      byte
	Authenticator [16]byte
	Attributes    []Attribute
}

// Encode puts a packet together as it stands: nothing is signed.
func (p *Packet) Encode() []byte {
	b := append([]byte{p.Code, p.ID, 0, 0}, p.Authenticator[:]...)
	for _, a := range p.Attributes {
		b = append(b, a.Type, byte(2+len(a.Value)))
		b = append(b, a.Value...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// Decode takes a datagram apart.
func Decode(b []byte) (*Packet, error) {
	if len(b) < 20 || int(binary.BigEndian.Uint16(b[2:])) != len(b) {
		return nil, fmt.Errorf("%d octets do not match the length field", len(b))
	}
	p := &Packet{Code: b[0], ID: b[1]}
	copy(p.Authenticator[:], b[4:20])
	for rest := b[20:]; len(rest) > 0; {
		if len(rest) < 2 || rest[1] < 2 || int(rest[1]) > len(rest) {
			return nil, fmt.Errorf("attribute %x overruns the packet", rest)
		}
		p.Attributes = append(p.Attributes, Attribute{rest[0], bytes.Clone(rest[2:rest[1]])})
		rest = rest[rest[1]:]
	}
	return p, nil
}

// Values returns the values of every attribute of a type.
func (p *Packet) Values(typ byte) [][]byte {
	var values [][]byte
	for _, a := range p.Attributes {
		if a.Type == typ {
			values = append(values, a.Value)
		}
	}
	return values
}

// Value returns the first value of a type as text, "" when there is none.
func (p *Packet) Value(typ byte) string {
	for _, a := range p.Attributes {
		if a.Type == typ {
			return string(a.Value)
		}
	}
	return ""
}

// SignMA fills in the Message-Authenticator, wherever it stands, for an
// authenticator field (RFC 3579 section 3.2).
func SignMA(b []byte, authenticator, secret []byte) {
	if at := offsetMA(b); at > 0 {
		copy(b[at+2:at+18], macOf(b, at, authenticator, secret))
	}
}

// CheckMA reports whether the Message-Authenticator of a packet is right;
// false when there is none.
func CheckMA(b []byte, authenticator, secret []byte) bool {
	at := offsetMA(b)
	return at > 0 && hmac.Equal(b[at+2:at+18], macOf(b, at, authenticator, secret))
}

func offsetMA(b []byte) int {
	for at := 20; at+2 <= len(b) && b[at+1] >= 2; at += int(b[at+1]) { // tests sign malformed packets too
		if b[at] == MessageAuthenticator {
			return at
		}
	}
	return 0
}

func macOf(b []byte, at int, authenticator, secret []byte) []byte {
	zeroed := bytes.Clone(b)
	copy(zeroed[4:20], authenticator)
	copy(zeroed[at+2:at+18], make([]byte, 16))
	m := hmac.New(md5.New, secret)
	m.Write(zeroed)
	return m.Sum(nil)
}

// Sign fills in the authenticator field from a seed: the Request Authenticator
// for a reply, zeros for an Accounting-Request.
func Sign(b, seed, secret []byte) {
	copy(b[4:20], authenticatorOf(b, seed, secret))
}

// CheckSign reports whether Sign would fill in what stands there.
func CheckSign(b, seed, secret []byte) bool {
	return bytes.Equal(b[4:20], authenticatorOf(b, seed, secret))
}

func authenticatorOf(b, seed, secret []byte) []byte {
	h := md5.New()
	h.Write(b[:4])
	h.Write(seed)
	h.Write(b[20:])
	h.Write(secret)
	return h.Sum(nil)
}

// HidePassword hides a password as RFC 2865 section 5.2 says.
func HidePassword(password, authenticator, secret []byte) []byte {
	hidden := make([]byte, max(16, (len(password)+15)/16*16))
	copy(hidden, password)
	last := authenticator
	for at := 0; at < len(hidden); at += 16 {
		pad := md5.Sum(append(bytes.Clone(secret), last...))
		for i := range pad {
			hidden[at+i] ^= pad[i]
		}
		last = hidden[at : at+16]
	}
	return hidden
}

// RevealPassword undoes HidePassword, padding included.
func RevealPassword(hidden, authenticator, secret []byte) []byte {
	password := bytes.Clone(hidden)
	last := authenticator
	for at := 0; at+16 <= len(hidden); at += 16 {
		pad := md5.Sum(append(bytes.Clone(secret), last...))
		for i := range pad {
			password[at+i] ^= pad[i]
		}
		last = hidden[at : at+16]
	}
	return password
}

// HideSalted hides a value as RFC 2868 section 3.5 says, under a given salt.
func HideSalted(value []byte, salt [2]byte, authenticator, secret []byte) []byte {
	plain := append([]byte{byte(len(value))}, value...)
	for len(plain)%16 != 0 {
		plain = append(plain, 0)
	}
	seed := append(bytes.Clone(authenticator), salt[:]...)
	return append(salt[:], HidePassword(plain, seed, secret)...)
}

// RevealSalted undoes HideSalted.
func RevealSalted(hidden, authenticator, secret []byte) ([]byte, error) {
	if len(hidden) < 18 {
		return nil, fmt.Errorf("%d octets are too few for a salted value", len(hidden))
	}
	seed := append(bytes.Clone(authenticator), hidden[:2]...)
	plain := RevealPassword(hidden[2:], seed, secret)
	if int(plain[0]) > len(plain)-1 {
		return nil, fmt.Errorf("inner length %d of %d octets", plain[0], len(plain))
	}
	return plain[1 : 1+plain[0]], nil
}
