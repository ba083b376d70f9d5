package radius

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"hash"
	"sync"
)

// Secret is a shared secret together with hash states prepared for it. It is
// octets, not text: NUL is a value like any other. Safe for concurrent use.
type Secret struct {
	octets []byte
	macs   sync.Pool // of *mac
	hashes sync.Pool // of *digest
}

// NewSecret prepares a shared secret.
func NewSecret(octets []byte) *Secret {
	s := &Secret{octets: octets}
	s.macs.New = func() any { return &mac{Hash: hmac.New(md5.New, octets)} }
	s.hashes.New = func() any { return &digest{Hash: md5.New()} }
	return s
}

// mac and digest carry room for their result, so that summing does not allocate.
type mac struct {
	hash.Hash
	sum [md5.Size]byte
}

type digest struct {
	hash.Hash
	sum [md5.Size]byte
}

var zeroAuthenticator [authenticatorLen]byte

// sign computes what the authenticator field of a packet must hold: MD5 over
// code, identifier, length, seed, attributes and secret. The seed is the
// Request Authenticator for a reply, zeros for an Accounting-Request (RFC 2865
// section 3, RFC 2866 section 3).
func (s *Secret) sign(p packet, seed []byte) [authenticatorLen]byte {
	d := s.hashes.Get().(*digest)
	defer s.hashes.Put(d)
	d.Reset()
	d.Write(p[:4])
	d.Write(seed)
	d.Write(p[headerLen:])
	d.Write(s.octets)
	d.Sum(d.sum[:0])
	return d.sum
}

// signed reports whether a packet's authenticator is the one that sign
// computes.
func (s *Secret) signed(p packet, seed []byte) bool {
	want := s.sign(p, seed)
	return subtle.ConstantTimeCompare(want[:], p.authenticator()) == 1
}

// authenticate computes the Message-Authenticator of a packet whose attribute
// begins at the offset: HMAC-MD5 over the packet with the authenticator field
// that RFC 3579 section 3.2 asks for and the attribute's own value as zeros.
func (s *Secret) authenticate(p packet, offset int, authenticator []byte) [md5.Size]byte {
	m := s.macs.Get().(*mac)
	defer s.macs.Put(m)
	m.Reset()
	m.Write(p[:4])
	m.Write(authenticator)
	m.Write(p[headerLen : offset+2])
	m.Write(zeroAuthenticator[:])
	m.Write(p[offset+attrMALen:])
	m.Sum(m.sum[:0])
	return m.sum
}

// appendMA appends a Message-Authenticator that is still to be filled in.
func appendMA(p []byte) []byte {
	p = append(p, typeMessageAuthenticator, attrMALen)
	return append(p, zeroAuthenticator[:]...)
}

// authentic reports whether the Message-Authenticator at the offset is right.
func (s *Secret) authentic(p packet, offset int, authenticator []byte) bool {
	want := s.authenticate(p, offset, authenticator)
	return subtle.ConstantTimeCompare(want[:], p[offset+2:offset+attrMALen]) == 1
}

// pad computes one block of a hiding key stream: MD5 over the parts.
func (s *Secret) pad(parts ...[]byte) [md5.Size]byte {
	d := s.hashes.Get().(*digest)
	defer s.hashes.Put(d)
	d.Reset()
	for _, part := range parts {
		d.Write(part)
	}
	d.Sum(d.sum[:0])
	return d.sum
}
