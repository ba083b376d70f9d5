//go:build realparts

package realparts

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"

	"sekisho/radius/radiustest"
)

// A cipher is a way to hide a value. The list of hidden attributes below is written
// down here once more so that sekisho's own is checked and not believed.
type cipher int

const (
	inClear      cipher = iota
	likePassword        // RFC 2865 section 5.2
	salted              // RFC 2868 section 3.5, without the tag
	saltedTagged        // the same behind a tag
	likeAscend          // XOR with MD5(authenticator, secret)
)

// A number names an attribute: vendor 0 is nobody's.
type number struct {
	vendor uint32
	typ    byte
}

const (
	vendorCisco     = 9
	vendorMicrosoft = 311
	vendorAscend    = 529
	vendorERX       = 4874
	vendorAlcatelSR = 6527

	attrTunnelPassword = 69
)

var hiddenAttributes = map[number]cipher{
	{0, radiustest.UserPassword}: likePassword,
	{0, attrTunnelPassword}:      saltedTagged,
	{vendorMicrosoft, 12}:        likePassword, // MS-CHAP-MPPE-Keys
	{vendorMicrosoft, 16}:        salted,       // MS-MPPE-Send-Key
	{vendorMicrosoft, 17}:        salted,       // MS-MPPE-Recv-Key
	{vendorAscend, 214}:          likeAscend,   // Ascend-Send-Secret
	{vendorAscend, 215}:          likeAscend,   // Ascend-Receive-Secret
	{vendorERX, 58}:              salted,       // ERX-LI-Action
	{vendorAlcatelSR, 122}:       salted,       // Alc-LI-Action
}

// A keying is what hidden values are bound to.
type keying struct {
	secret        string
	authenticator []byte
}

// reveal undoes the cipher: the value with its padding, behind its salt and tag if
// it has some.
func (k keying) reveal(c cipher, value []byte) []byte {
	return k.apply(c, value, radiustest.RevealPassword)
}

// hide undoes reveal.
func (k keying) hide(c cipher, value []byte) []byte {
	return k.apply(c, value, radiustest.HidePassword)
}

func (k keying) apply(c cipher, value []byte, chain func(value, authenticator, secret []byte) []byte) []byte {
	secret := []byte(k.secret)
	switch {
	case c == likePassword:
		return chain(value, k.authenticator, secret)
	case c == salted && len(value) >= 2:
		seed := append(bytes.Clone(k.authenticator), value[:2]...)
		return append(bytes.Clone(value[:2]), chain(value[2:], seed, secret)...)
	case c == saltedTagged && len(value) >= 3:
		return append([]byte{value[0]}, k.apply(salted, value[1:], chain)...)
	case c == likeAscend:
		pad := md5.Sum(append(bytes.Clone(k.authenticator), secret...))
		out := bytes.Clone(value)
		for i := range out {
			out[i] ^= pad[i%len(pad)]
		}
		return out
	}
	return bytes.Clone(value)
}

// eachHidden replaces hidden values among attributes by what change makes of them.
func eachHidden(attributes []radiustest.Attribute, change func(cipher, []byte) []byte) []radiustest.Attribute {
	list := make([]radiustest.Attribute, len(attributes))
	for i, a := range attributes {
		list[i] = radiustest.Attribute{Type: a.Type, Value: changeHidden(a, change)}
	}
	return list
}

func changeHidden(a radiustest.Attribute, change func(cipher, []byte) []byte) []byte {
	if a.Type != radiustest.VendorSpecific {
		return change(hiddenAttributes[number{0, a.Type}], a.Value)
	}
	subs, ok := vendorSubs(a.Value)
	if !ok {
		return bytes.Clone(a.Value)
	}
	vendor := binary.BigEndian.Uint32(a.Value)
	value := bytes.Clone(a.Value[:4])
	for _, sub := range subs {
		changed := change(hiddenAttributes[number{vendor, sub.Type}], sub.Value)
		value = append(append(value, sub.Type, byte(2+len(changed))), changed...)
	}
	return value
}

// vendorSubs takes an attribute 26 apart that holds one octet of type and one of
// length each; false when it does not.
func vendorSubs(value []byte) (subs []radiustest.Attribute, ok bool) {
	if len(value) < 5 {
		return nil, false
	}
	for rest := value[4:]; len(rest) > 0; rest = rest[rest[1]:] {
		if len(rest) < 2 || rest[1] < 2 || int(rest[1]) > len(rest) {
			return nil, false
		}
		subs = append(subs, radiustest.Attribute{Type: rest[0], Value: rest[2:rest[1]]})
	}
	return subs, true
}

// revealed lists attributes with their hidden values in clear, salts taken off: they
// differ from hop to hop.
func (k keying) revealed(attributes []radiustest.Attribute) []radiustest.Attribute {
	return eachHidden(attributes, func(c cipher, value []byte) []byte {
		plain := k.reveal(c, value)
		switch {
		case c == salted && len(plain) > 2:
			return plain[2:]
		case c == saltedTagged && len(plain) > 3:
			return append([]byte{plain[0]}, plain[3:]...)
		}
		return plain
	})
}
