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
}

// NewSecret prepares a shared secret.
func NewSecret(octets []byte) *Secret {
	s := &Secret{octets: octets}
	s.macs.New = func() any { return &mac{Hash: hmac.New(md5.New, octets)} }
	return s
}

// mac carries room for its result, so that summing does not allocate.
type mac struct {
	hash.Hash
	sum [md5.Size]byte
}

// gathered are buffers in which octets are put together to be hashed at once:
// that is faster than a hash.Hash fed piece by piece, and nothing escapes.
var gathered = sync.Pool{New: func() any { return new([]byte) }}

var zeroAuthenticator [authenticatorLen]byte

// sign computes what the authenticator field of a packet must hold: MD5 over
// code, identifier, length, seed, attributes and secret. The seed is the
// Request Authenticator for a reply, zeros for an Accounting-Request (RFC 2865
// section 3, RFC 2866 section 3).
func (s *Secret) sign(p packet, seed []byte) [authenticatorLen]byte {
	all := gathered.Get().(*[]byte)
	defer gathered.Put(all)
	*all = append((*all)[:0], p[:4]...)
	*all = append(*all, seed...)
	*all = append(*all, p[headerLen:]...)
	*all = append(*all, s.octets...)
	return md5.Sum(*all)
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
	var room [128]byte // for every usual secret
	all := room[:0]
	for _, part := range parts {
		all = append(all, part...)
	}
	return md5.Sum(all)
}
