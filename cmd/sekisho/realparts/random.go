//go:build realparts

package realparts

import (
	"fmt"
	"math/rand/v2"

	"sekisho/radius/radiustest"
)

// A generator makes the same valid packets for the same seed.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64, serial int, part uint64) generator {
	return generator{rand.New(rand.NewPCG(seed, uint64(serial)<<8|part))}
}

// chance is true so many times in a hundred.
func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

// octets are any octets, so many to so many.
func (g generator) octets(least, most int) []byte {
	b := make([]byte, least+g.IntN(most-least+1))
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

// text is what people type, sometimes in an encoding of their own.
func (g generator) text(least, most int) []byte {
	b := g.octets(least, most)
	if g.chance(20) {
		return b
	}
	for i := range b {
		b[i] = ' ' + b[i]%95
	}
	return b
}

// length is one that matters: short, a whole attribute, or between.
func (g generator) length(most int) int {
	switch g.IntN(4) {
	case 0:
		return most
	case 1:
		return 1 + g.IntN(most)
	}
	return 1 + g.IntN(min(most, 24))
}

func (g generator) bytesOf(length int) []byte { return g.octets(length, length) }

// pick answers one of the values.
func pick[T any](g generator, values ...T) T { return values[g.IntN(len(values))] }

// What an attribute holds at most, and a User-Password.
const (
	maxValue     = 253
	longPassword = 128
)

// plain is an attribute that nobody between NAS and AAA server has to understand.
func (g generator) plain() radiustest.Attribute {
	kinds := []func() radiustest.Attribute{
		func() radiustest.Attribute { // text
			return radiustest.Attribute{Type: pick[byte](g, 22, 30, 31, 34, 35, 77, 87), Value: g.text(1, g.length(maxValue))}
		},
		func() radiustest.Attribute { // integers and addresses
			return radiustest.Attribute{Type: pick[byte](g, 5, 7, 8, 9, 12, 13, 27, 28, 61, 62), Value: g.bytesOf(4)}
		},
		func() radiustest.Attribute { // opaque to all but who issued them
			return radiustest.Attribute{Type: pick[byte](g, radiustest.State, radiustest.Class), Value: g.bytesOf(g.length(maxValue))}
		},
		func() radiustest.Attribute { // numbers that no document gives a meaning to
			return radiustest.Attribute{Type: byte(192 + g.IntN(22)), Value: g.bytesOf(g.length(maxValue))}
		},
		func() radiustest.Attribute { // tunnels with and without a tag
			return radiustest.Attribute{Type: pick[byte](g, 67, 81, 82, 83), Value: append([]byte{byte(g.IntN(34))}, g.text(1, 3)...)}
		},
		func() radiustest.Attribute { // IPv6
			return radiustest.Attribute{Type: pick[byte](g, 95, 98), Value: g.bytesOf(16)}
		},
		func() radiustest.Attribute { // an interface of 8 octets
			return radiustest.Attribute{Type: 96, Value: g.bytesOf(8)}
		},
		func() radiustest.Attribute { // a prefix, written as the RFC wants it or in full
			bits := g.IntN(129)
			return radiustest.Attribute{Type: 97, Value: append([]byte{0, byte(bits)}, g.bytesOf(pick(g, 16, (bits+7)/8))...)}
		},
		func() radiustest.Attribute { // well framed, nothing in it
			return radiustest.Attribute{Type: pick[byte](g, 5, 22, 25, 31, 89, 200)}
		},
		func() radiustest.Attribute { // numbers and addresses of a wrong length
			return radiustest.Attribute{Type: pick[byte](g, 5, 8, 12), Value: g.octets(1, 7)}
		},
		g.vendor, g.vendor,
		g.extended,
	}
	return kinds[g.IntN(len(kinds))]()
}

// vendor is an attribute 26.
func (g generator) vendor() radiustest.Attribute {
	value := func(vendor uint32, rest []byte) radiustest.Attribute {
		return radiustest.Attribute{Type: radiustest.VendorSpecific, Value: append(radiustest.Number(0, vendor).Value, rest...)}
	}
	switch g.IntN(8) {
	case 0: // of a vendor whose format nobody knows
		return value(100000+g.Uint32N(1000), g.bytesOf(g.length(maxValue-4)))
	case 1: // a vendor's with a format of its own: USR, Starent, Lucent
		return value(pick[uint32](g, 429, 8164, 4846), g.bytesOf(g.length(maxValue-4)))
	case 2: // malformed inside
		return value(vendorCisco, append([]byte{1, byte(9 + g.IntN(9))}, g.bytesOf(g.IntN(6))...))
	case 3: // no vendor at all
		return radiustest.Attribute{Type: radiustest.VendorSpecific, Value: g.octets(1, 5)}
	case 4: // one text
		return value(vendorCisco, sub(1, g.text(1, g.length(maxValue-6))))
	}
	var rest []byte
	vendor := pick[uint32](g, vendorCisco, vendorERX, 14988, 100000+g.Uint32N(1000))
	for range 1 + g.IntN(4) { // several of one vendor
		rest = append(rest, sub(byte(200+g.IntN(50)), g.octets(g.IntN(2), 30))...)
	}
	return value(vendor, rest)
}

// sub is an attribute of one octet of type and one of length.
func sub(typ byte, value []byte) []byte { return append([]byte{typ, byte(2 + len(value))}, value...) }

// extended is one of RFC 6929 with a number that no document gives a meaning to.
func (g generator) extended() radiustest.Attribute {
	head := []byte{byte(100 + g.IntN(140))}
	return radiustest.Attribute{Type: byte(241 + g.IntN(4)), Value: append(head, g.octets(1, g.length(maxValue-1))...)}
}

// extendedVendor is a vendor's inside one of those: 26, vendor, number.
func (g generator) extendedVendor() radiustest.Attribute {
	head := []byte{26, 0, 0, 0, vendorCisco, byte(1 + g.IntN(255))}
	return radiustest.Attribute{Type: byte(241 + g.IntN(4)), Value: append(head, g.octets(1, g.length(maxValue-6))...)}
}

// long is one with flags behind its number, in as many parts as it takes.
func (g generator) long() []radiustest.Attribute {
	const more = 0x80
	typ, kind, value := byte(245+g.IntN(2)), byte(100+g.IntN(140)), g.octets(1, 600)
	var list []radiustest.Attribute
	for ; len(value) > maxValue-2; value = value[maxValue-2:] {
		list = append(list, radiustest.Attribute{Type: typ, Value: append([]byte{kind, more}, value[:maxValue-2]...)})
	}
	return append(list, radiustest.Attribute{Type: typ, Value: append([]byte{kind, 0}, value...)})
}

// some is a list of attributes of any kinds.
func (g generator) some(most int) []radiustest.Attribute {
	var list []radiustest.Attribute
	for range g.IntN(most + 1) {
		list = append(list, g.plain())
	}
	if g.chance(5) {
		list = append(list, g.extendedVendor())
	}
	if g.chance(5) {
		list = append(list, g.long()...)
	}
	return list
}

// proxyStates are those of other proxies in front.
func (g generator) proxyStates() []radiustest.Attribute {
	var list []radiustest.Attribute
	if g.chance(50) {
		for range 1 + g.IntN(6) {
			list = append(list, radiustest.Attribute{Type: radiustest.ProxyState, Value: g.bytesOf(g.length(maxValue))})
		}
	}
	return list
}

// eapMessages is an EAP message of any length in as many attributes as it takes.
func (g generator) eapMessages() []radiustest.Attribute {
	message := g.bytesOf(5 + g.IntN(900))
	message[0], message[1] = byte(1+g.IntN(4)), byte(g.IntN(256))
	message[2], message[3] = byte(len(message)>>8), byte(len(message))
	var list []radiustest.Attribute
	for ; len(message) > maxValue; message = message[maxValue:] {
		list = append(list, radiustest.Attribute{Type: radiustest.EAPMessage, Value: message[:maxValue]})
	}
	return append(list, radiustest.Attribute{Type: radiustest.EAPMessage, Value: message})
}

// userName carries the serial, by which the AAA server knows what to answer.
func userName(serial int) string { return fmt.Sprintf("u%d@atson.net", serial) }

// request makes the attributes of a request; a User-Password is in clear.
func (g generator) request(serial int) (code byte, list []radiustest.Attribute) {
	list = []radiustest.Attribute{radiustest.Attr(radiustest.UserName, userName(serial)), tokyoNAS}
	if g.chance(20) {
		list = append(list, radiustest.Number(radiustest.AcctStatusType, uint32(1+g.IntN(3))),
			radiustest.Attr(radiustest.AcctSessionID, fmt.Sprintf("%08X", serial)))
		return codeAcctRequest, append(append(list, g.some(14)...), g.proxyStates()...)
	}
	signed := g.chance(50)
	switch g.IntN(7) {
	case 0, 1:
		list = append(list, radiustest.Attribute{Type: radiustest.UserPassword, Value: g.password()})
	case 2:
		list = append(list, radiustest.Attribute{Type: radiustest.CHAPPassword, Value: g.bytesOf(17)})
	case 3:
		list = append(list, radiustest.Attribute{Type: radiustest.CHAPPassword, Value: g.bytesOf(17)},
			radiustest.Attribute{Type: radiustest.CHAPChallenge, Value: g.octets(5, 40)})
	case 4:
		list = append(list, radiustest.Attribute{Type: radiustest.State, Value: g.bytesOf(g.length(maxValue))})
	case 5:
		list, signed = append(list, g.eapMessages()...), true
	case 6:
		list = append(list, radiustest.Vendor(vendorMicrosoft, 11, string(g.bytesOf(16))),
			radiustest.Vendor(vendorMicrosoft, 25, string(g.bytesOf(50))))
	}
	list = append(list, g.some(12)...)
	if signed {
		list = append(list, radiustest.MA())
	}
	return codeAccessRequest, append(list, g.proxyStates()...)
}

// password has any octets, NULs and ends of NUL too.
func (g generator) password() []byte {
	p := g.bytesOf(g.IntN(longPassword + 1))
	if len(p) > 0 && g.chance(30) {
		p[g.IntN(len(p))] = 0
	}
	if g.chance(50) {
		for i := range p {
			p[i] = '!' + p[i]%90
		}
	}
	if g.chance(10) && len(p) <= longPassword-16 {
		p = append(p, make([]byte, 16)...)
	}
	return p
}

// answer makes the attributes of an answer, hidden for the request.
func (g generator) answer(request *radiustest.Request) (code byte, list []radiustest.Attribute) {
	if request.Code == codeAcctRequest {
		return codeAcctResponse, g.some(4)
	}
	code = pick[byte](g, codeAccessAccept, codeAccessAccept, codeAccessAccept, codeAccessReject, codeAccessChallenge)
	list = g.some(12)
	if g.chance(40) {
		list = append(list, radiustest.Attr(18, "Good day"), radiustest.Attribute{Type: 18, Value: g.text(1, maxValue)})
	}
	if code != codeAccessAccept {
		if g.chance(30) {
			list = append(list, g.eapMessages()...)
		}
		return code, list
	}
	if g.chance(20) {
		list = append(list, radiustest.Attr(radiustest.FilterID, "filter-of-the-home-server"))
	}
	k := keying{aaaSecret, request.Authenticator[:]}
	if g.chance(30) {
		for tag := range 1 + g.IntN(3) {
			plain := g.salted(pick(g, g.text(1, 16), g.bytesOf(1+g.IntN(200))))
			list = append(list, radiustest.Attribute{Type: attrTunnelPassword, Value: k.hide(saltedTagged, append([]byte{byte(tag)}, plain...))})
		}
	}
	if g.chance(40) {
		list = append(list, microsoft(16, k.hide(salted, g.salted(g.bytesOf(pick(g, 16, 32))))),
			microsoft(17, k.hide(salted, g.salted(g.bytesOf(pick(g, 16, 32))))))
	}
	if g.chance(20) {
		list = append(list, microsoft(12, k.hide(likePassword, append(g.bytesOf(24), make([]byte, 8)...))))
	}
	return code, list
}

func microsoft(typ byte, value []byte) radiustest.Attribute {
	return radiustest.Vendor(vendorMicrosoft, typ, string(value))
}

// salted is a value with its salt, length and padding, before it is hidden.
func (g generator) salted(value []byte) []byte {
	plain := append([]byte{0x80 | byte(g.IntN(128)), byte(g.IntN(256)), byte(len(value))}, value...)
	for (len(plain)-2)%16 != 0 {
		plain = append(plain, 0)
	}
	return plain
}
