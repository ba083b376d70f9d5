package radius

import (
	"crypto/rand"
	"encoding/binary"

	"sekisho/dict"
)

// keying is what a hidden value is bound to: the secret of one side and the
// Request Authenticator of that side's request.
type keying struct {
	secret        *Secret
	authenticator []byte
}

const blockLen = 16

// rehide turns a value hidden for one side into the same value hidden for the
// other, in place. Every cipher keeps the length, so nothing around it moves.
// False means that the value cannot have been hidden with this secret; it is
// left as it was.
func rehide(cipher dict.Cipher, tagged bool, value []byte, from, to keying, salts *saltSource) bool {
	switch cipher {
	case dict.UserPassword:
		return rehidePassword(value, from, to)
	case dict.Salted:
		if tagged {
			if len(value) == 0 {
				return false
			}
			value = value[1:]
		}
		return rehideSalted(value, from, to, salts)
	case dict.Ascend:
		return rehideAscend(value, from, to)
	}
	return true
}

// rehidePassword re-encrypts a User-Password block by block (RFC 2865 section
// 5.2). Padding and embedded NULs are part of the value and stay.
func rehidePassword(value []byte, from, to keying) bool {
	if len(value) == 0 || len(value)%blockLen != 0 || len(value) > 128 {
		return false
	}
	reblock(value, from.secret.pad(from.secret.octets, from.authenticator), to.secret.pad(to.secret.octets, to.authenticator), from.secret, to.secret)
	return true
}

// reblock walks the blocks of a chained value: each pad after the first is
// made of the ciphertext block before it, the old one on the way in and the
// new one on the way out.
func reblock(value []byte, padIn, padOut [blockLen]byte, from, to *Secret) {
	for at := 0; ; {
		block := value[at : at+blockLen]
		var old [blockLen]byte
		copy(old[:], block)
		for i := range block {
			block[i] ^= padIn[i] ^ padOut[i]
		}
		if at += blockLen; at >= len(value) {
			return
		}
		padIn, padOut = from.pad(from.octets, old[:]), to.pad(to.octets, block)
	}
}

// rehideSalted re-encrypts a salted value under a salt of our own (RFC 2868
// section 3.5). An inner length beyond the value means that the secrets
// differ. A salt without its highest bit is let in, never sent.
func rehideSalted(value []byte, from, to keying, salts *saltSource) bool {
	if len(value) < 2+blockLen || (len(value)-2)%blockLen != 0 {
		return false
	}
	padIn := from.secret.pad(from.secret.octets, from.authenticator, value[:2])
	if int(value[2]^padIn[0]) > len(value)-3 {
		return false
	}
	binary.BigEndian.PutUint16(value, salts.next())
	padOut := to.secret.pad(to.secret.octets, to.authenticator, value[:2])
	reblock(value[2:], padIn, padOut, from.secret, to.secret)
	return true
}

// rehideAscend re-encrypts an Ascend secret: one block whose pad is made of
// the authenticator first and then the secret.
func rehideAscend(value []byte, from, to keying) bool {
	if len(value) > blockLen {
		return false
	}
	padIn := from.secret.pad(from.authenticator, from.secret.octets)
	padOut := to.secret.pad(to.authenticator, to.secret.octets)
	for i := range value {
		value[i] ^= padIn[i] ^ padOut[i]
	}
	return true
}

// saltSource hands out the salts of one packet: unpredictable, each different
// from the others in the packet, highest bit set (RFC 2868 section 3.5).
type saltSource struct {
	last    uint16
	started bool
}

func (s *saltSource) next() uint16 {
	if !s.started {
		var b [2]byte
		rand.Read(b[:]) // never fails (crypto/rand)
		s.last, s.started = binary.BigEndian.Uint16(b[:]), true
	}
	s.last++
	return s.last | 0x8000
}

// hiddenSet knows which attributes are hidden, by number.
type hiddenSet struct {
	plain   [256]hiding
	vendors map[dict.Key]hiding
	inside  map[dict.Key]map[uint32]hiding // of attributes that hold others
	formats map[uint32]dict.VendorFormat   // of the vendors that have hidden attributes
}

type hiding struct {
	cipher dict.Cipher
	tagged bool
}

// newHiddenSet compiles the hidden attributes of a dictionary. Old Ascend
// boxes send their secrets as bare attributes 214 and 215; these numbers are
// nobody else's by the RFCs.
func newHiddenSet(d *dict.Dictionary) *hiddenSet {
	set := &hiddenSet{vendors: map[dict.Key]hiding{}, inside: map[dict.Key]map[uint32]hiding{}, formats: map[uint32]dict.VendorFormat{}}
	set.plain[214], set.plain[215] = hiding{cipher: dict.Ascend}, hiding{cipher: dict.Ascend}
	for _, a := range d.Hidden() {
		h := hiding{a.Cipher, a.Tagged}
		if a.Vendor == 0 {
			set.plain[byte(a.Number)] = h
			continue
		}
		set.vendors[a.Key] = h
		set.formats[a.Vendor] = d.VendorFormat(a.Vendor)
	}
	for _, tlv := range d.HiddenTLVs() {
		if set.inside[tlv.Inside] == nil {
			set.inside[tlv.Inside] = map[uint32]hiding{}
		}
		set.inside[tlv.Inside][uint32(tlv.Number)] = hiding{tlv.Cipher, tlv.Tagged}
		set.formats[tlv.Inside.Vendor] = d.VendorFormat(tlv.Inside.Vendor)
	}
	return set
}

// rehideAll re-hides every hidden attribute among attrs, whole attributes as
// they stand in a packet, in place: each instance, each sub-attribute of a
// vendor. A malformed vendor's content is left as it is, and so is what cannot
// have been hidden with this secret; false if there was any.
func (h *hiddenSet) rehideAll(attrs []byte, from, to keying) bool {
	var salts saltSource
	whole := true
	for at := 0; at < len(attrs); at += int(attrs[at+1]) {
		value := attrs[at+2 : at+int(attrs[at+1])]
		if attrs[at] == typeVendorSpecific {
			whole = h.rehideVendor(value, from, to, &salts) && whole
			continue
		}
		hiding := h.plain[attrs[at]]
		if hiding.cipher == dict.Ascend && len(value) > blockLen {
			continue // somebody's all the same: no secret of Ascend's is that long
		}
		if len(value) > 0 {
			whole = rehide(hiding.cipher, hiding.tagged, value, from, to, &salts) && whole
		}
	}
	return whole
}

func (h *hiddenSet) rehideVendor(value []byte, from, to keying, salts *saltSource) bool {
	id := vendor(value)
	format, ok := h.formats[id]
	if !ok || !wellFormed(value, format) {
		return true
	}
	whole := true
	for number, sub := range vendorValues(value, format) {
		k := dict.Key{Vendor: id, Number: number}
		hiding := h.vendors[k]
		if len(sub) > 0 {
			whole = rehide(hiding.cipher, hiding.tagged, sub, from, to, salts) && whole
		}
		if inside := h.inside[k]; inside != nil {
			whole = rehideInside(inside, sub, from, to, salts) && whole
		}
	}
	return whole
}

// rehideInside re-hides the hidden ones of the values that an attribute holds.
// A piece of something that goes on in the next attribute, like anything
// malformed, is left as it is.
func rehideInside(inside map[uint32]hiding, value []byte, from, to keying, salts *saltSource) bool {
	whole := true
	if !filled(value, 0, tlvFormat) {
		return whole
	}
	for number, sub := range subValues(value, 0, tlvFormat) {
		if hiding, ok := inside[number]; ok && len(sub) > 0 {
			whole = rehide(hiding.cipher, hiding.tagged, sub, from, to, salts) && whole
		}
	}
	return whole
}
