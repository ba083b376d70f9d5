package radius

import (
	"errors"
	"fmt"
	"iter"

	"sekisho/dict"
)

// Errors of a packet that is not what it should be. What fails them is
// discarded in silence (RFC 5176 section 3.4, RFC 5080 section 2.3.3).
var (
	ErrFraming              = errors.New("no RADIUS packet")
	ErrAuthenticator        = errors.New("wrong authenticator")
	ErrMessageAuthenticator = errors.New("wrong Message-Authenticator")
)

// Packet is one RADIUS packet whose framing was checked, for the packages that
// speak RADIUS beside the proxy. It shares the memory that it was read from.
type Packet struct{ octets packet }

// ReadPacket checks the framing of a datagram; padding behind the packet is
// left out. The error wraps ErrFraming.
func ReadPacket(datagram []byte) (Packet, error) {
	p, why := parse(datagram)
	if why != forwarded {
		return Packet{}, fmt.Errorf("%w: %s", ErrFraming, explanations[why])
	}
	return Packet{p}, nil
}

// Octets is the packet as it stands on the wire.
func (p Packet) Octets() []byte { return p.octets }

// Code is the first octet, for example 43 of a CoA-Request.
func (p Packet) Code() byte { return p.octets.code() }

// ID is the identifier.
func (p Packet) ID() byte { return p.octets.id() }

// Authenticator is the 16 octets of that field.
func (p Packet) Authenticator() []byte { return p.octets.authenticator() }

// Attributes yields the type and the whole of each attribute, header included,
// in their order.
func (p Packet) Attributes() iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for _, attr := range p.octets.attributes() {
			if !yield(attr[0], attr) {
				return
			}
		}
	}
}

// Find returns the value of the first attribute of a type, nil when there is
// none. A present but empty value is not nil.
func (p Packet) Find(typ byte) []byte { return p.octets.find(typ) }

// SealRequest fills in the authenticators of a request that is signed as a
// whole, as Accounting-, CoA- and Disconnect-Requests are: first the
// Message-Authenticator, if one stands in it, over a field of zeros, then the
// Request Authenticator (RFC 5176 sections 2.3 and 3.4). The framing must be
// right; octets are changed in place.
func (s *Secret) SealRequest(octets []byte) { s.seal(octets, zeroAuthenticator[:]) }

// SealReply fills in the authenticators of a reply to the request with that
// authenticator.
func (s *Secret) SealReply(octets, requestAuthenticator []byte) { s.seal(octets, requestAuthenticator) }

func (s *Secret) seal(p packet, seed []byte) {
	if at := p.offset(typeMessageAuthenticator); at > 0 {
		ma := s.authenticate(p, at, seed)
		copy(p[at+2:], ma[:])
	}
	signature := s.sign(p, seed)
	copy(p.authenticator(), signature[:])
}

// CheckRequest verifies what SealRequest fills in. A Message-Authenticator is
// verified where there is one.
func (s *Secret) CheckRequest(p Packet) error { return s.check(p.octets, zeroAuthenticator[:]) }

// CheckReply verifies a reply to the request with that authenticator.
func (s *Secret) CheckReply(p Packet, requestAuthenticator []byte) error {
	return s.check(p.octets, requestAuthenticator)
}

func (s *Secret) check(p packet, seed []byte) error {
	if !s.signed(p, seed) {
		return ErrAuthenticator
	}
	if at := p.offset(typeMessageAuthenticator); at > 0 && !s.authentic(p, at, seed) {
		return ErrMessageAuthenticator
	}
	return nil
}

// Without returns an attribute without what has to go: nothing of it, all of
// it, or an attribute 26 without some of the vendor's own in it. A malformed
// one stays as it is.
func Without(attr []byte, d *dict.Dictionary, goes func(dict.Key, []byte) bool) []byte {
	i := &insertion{formats: d}
	if attr[0] == typeVendorSpecific {
		return i.copyVendor(nil, attr, goes)
	}
	if goes(dict.Key{Number: uint32(attr[0])}, attr[2:]) {
		return nil
	}
	return attr
}

// Hidden knows the hidden attributes of a dictionary.
type Hidden struct{ set *hiddenSet }

// NewHidden compiles them.
func NewHidden(d *dict.Dictionary) *Hidden { return &Hidden{newHiddenSet(d)} }

// Rehide turns what is hidden among attributes for one side into the same for
// the other, in place, in a packet that is signed as a whole: there the ciphers
// are bound to zeros instead of a Request Authenticator. False: a value cannot
// have been hidden with that secret.
func (h *Hidden) Rehide(attributes []byte, from, to *Secret) bool {
	return h.set.rehideAll(attributes, keying{from, zeroAuthenticator[:]}, keying{to, zeroAuthenticator[:]})
}
