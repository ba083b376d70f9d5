package radius_test

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"slices"

	"sekisho/radius/radiustest"
)

// piece is a hidden value inside an attribute's.
type piece struct {
	cipher   cipher
	from, to int
}

// number names an attribute: vendor 0 is nobody's.
type number struct{ vendor, typ uint32 }

// hiding says how an attribute is hidden.
type hiding struct {
	cipher cipher
	tagged bool // an octet stands before it
}

const (
	vendorLucent = 4846
	vendorWiMAX  = 24757
)

// hiddenNumbers is the list of hidden attributes, written down once more.
var hiddenNumbers = func() map[number]hiding {
	all := map[number]hiding{{0, 2}: {likePassword, false}, {311, 12}: {likePassword, false}, {0, 69}: {likeTunnel, true}}
	for vendor, types := range map[uint32][]uint32{
		311: {16, 17}, 161: {11}, 831: {116, 117, 118, 119}, vendorERX: {58, 59, 60, 61}, 5535: {58},
		6527: {122, 123, 124, 125, 138, 139, 142}, 14823: {44}, 26928: {3},
		vendorWiMAX: {5, 10, 12, 14, 15, 19, 40, 66, 67, 70, 75, 131},
	} {
		for _, typ := range types {
			all[number{vendor, typ}] = hiding{likeTunnel, false}
		}
	}
	for _, typ := range []uint32{19, 20} {
		all[number{2356, typ}] = hiding{likeTunnel, true}
	}
	for _, vendor := range []uint32{0, 529, vendorLucent} {
		all[number{vendor, 214}], all[number{vendor, 215}] = hiding{likeAscend, false}, hiding{likeAscend, false}
	}
	return all
}()

// hiddenIn finds what is hidden in an attribute. An empty value is not.
func hiddenIn(a radiustest.Attribute) (all []piece) {
	if a.Type != radiustest.VendorSpecific {
		h := hiddenNumbers[number{0, uint32(a.Type)}]
		if h.cipher == likeAscend && len(a.Value) > 16 {
			return nil // not Ascend's
		}
		return h.pieces(0, len(a.Value))
	}
	if len(a.Value) < 4 {
		return nil
	}
	vendor := binary.BigEndian.Uint32(a.Value)
	subs, _ := subsOf(a.Value, 4, vendor)
	for _, s := range subs {
		all = append(all, hiddenNumbers[number{vendor, s.typ}].pieces(s.from, s.to)...)
		if vendor != vendorWiMAX || s.typ != 86 && s.typ != 87 {
			continue
		}
		inside, _ := subsOf(a.Value[:s.to], s.from, 0)
		for _, tlv := range inside {
			if tlv.typ == 3 {
				all = append(all, hiding{likeTunnel, false}.pieces(tlv.from, tlv.to)...)
			}
		}
	}
	return all
}

func (h hiding) pieces(from, to int) []piece {
	if h.cipher == 0 || from == to {
		return nil
	}
	if h.tagged {
		from++
	}
	return []piece{{h.cipher, from, to}}
}

// subOf is an attribute inside another one.
type subOf struct {
	typ      uint32
	from, to int // its value
}

// subsOf takes the attributes inside a value apart, from an offset on; none when they
// do not fill it.
func subsOf(value []byte, at int, vendor uint32) (all []subOf, ok bool) {
	for at < len(value) {
		typ, header := uint32(value[at]), 2
		switch vendor {
		case vendorLucent: // two octets of type
			header = 3
		case vendorWiMAX: // a flag octet behind the length
			header = 3
		}
		if at+header > len(value) {
			return nil, false
		}
		length := int(value[at+1])
		if vendor == vendorLucent {
			typ, length = typ<<8|uint32(value[at+1]), int(value[at+2])
		}
		if length < header || at+length > len(value) {
			return nil, false
		}
		all = append(all, subOf{typ, at + header, at + length})
		at += length
	}
	return all, true
}

// hop is what hidden values are bound to on one side.
type hop struct{ secret, authenticator []byte }

// cipher is a way to hide a value.
type cipher int

const (
	likePassword cipher = iota + 1 // RFC 2865 section 5.2
	likeTunnel                     // RFC 2868 section 3.5: salt, then the same with an inner length
	likeAscend                     // XOR with MD5 of authenticator and secret
)

// reveal gives back a value with padding, inner length and salt; false when it
// cannot have been hidden here.
func (h hop) reveal(c cipher, value []byte) ([]byte, bool) {
	switch c {
	case likePassword:
		if len(value)%16 != 0 || len(value) > 128 {
			return nil, false
		}
		return radiustest.RevealPassword(value, h.authenticator, h.secret), true
	case likeTunnel:
		if len(value) < 18 || len(value)%16 != 2 {
			return nil, false
		}
		seed := slices.Concat(h.authenticator, value[:2])
		plain := radiustest.RevealPassword(value[2:], seed, h.secret)
		return slices.Concat(value[:2], plain), int(plain[0]) < len(plain)
	}
	return h.hide(likeAscend, value), len(value) <= 16
}

// hide undoes reveal; what has not the right length stays as it is.
func (h hop) hide(c cipher, plain []byte) []byte {
	switch {
	case c == likePassword && len(plain)%16 == 0 && len(plain) > 0:
		return radiustest.HidePassword(plain, h.authenticator, h.secret)
	case c == likeTunnel && len(plain) >= 18 && len(plain)%16 == 2:
		seed := slices.Concat(h.authenticator, plain[:2])
		return slices.Concat(plain[:2], radiustest.HidePassword(plain[2:], seed, h.secret))
	case c == likeAscend && len(plain) <= 16:
		pad, out := md5.Sum(slices.Concat(h.authenticator, h.secret)), bytes.Clone(plain)
		for i := range out {
			out[i] ^= pad[i]
		}
		return out
	}
	return plain
}
