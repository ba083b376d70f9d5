package radius_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"sekisho/radius/radiustest"
)

// dice makes random packets. Hidden values are in clear in what it makes until
// they are hidden for a hop; some could not be.
type dice struct{ noise }

func newDice(seed, serial uint64) dice { return dice{noise{rand.New(rand.NewPCG(seed, serial))}} }

// odds is true that many times of a hundred.
func (d dice) odds(percent int) bool { return d.IntN(100) < percent }

func (d dice) one(of ...byte) byte { return of[d.IntN(len(of))] }

// value is one of a length that matters: short, a whole attribute, or between.
func (d dice) value() []byte {
	return d.octets([]int{0, 1 + d.IntN(16), 1 + d.IntN(16), 1 + d.IntN(40), 1 + d.IntN(253), 253}[d.IntN(6)])
}

// plain is an attribute that nobody between NAS and server has to understand.
func (d dice) plain() radiustest.Attribute {
	switch d.IntN(6) {
	case 0:
		return radiustest.Attribute{Type: d.one(5, 8, 12, 27, 28, 30, 31), Value: d.octets(4)}
	case 1:
		return radiustest.Attribute{Type: d.one(18, 22, 25, 34, 77, 87, 89), Value: d.value()}
	case 2:
		return radiustest.Attribute{Type: byte(241 + d.IntN(6)), Value: d.value()}
	case 3:
		return radiustest.Attribute{Type: byte(192 + d.IntN(22)), Value: d.value()}
	case 4:
		return radiustest.Attribute{Type: radiustest.VendorSpecific, Value: d.octets(d.IntN(12))}
	}
	return d.vendor(9, uint32(2+d.IntN(200)), d.octets(d.IntN(30)))
}

// vendor is an attribute 26 with one of the vendor's own, framed its way, and
// at times with others around it, or not well framed at all.
func (d dice) vendor(vendor, typ uint32, value []byte) radiustest.Attribute {
	sub := func(typ uint32, value []byte) []byte {
		switch vendor {
		case vendorLucent:
			return append([]byte{byte(typ >> 8), byte(typ), byte(3 + len(value))}, value...)
		case vendorWiMAX:
			return append([]byte{byte(typ), byte(3 + len(value)), 0}, value...)
		}
		return append([]byte{byte(typ), byte(2 + len(value))}, value...)
	}
	all := binary.BigEndian.AppendUint32(nil, vendor)
	if d.odds(20) {
		all = append(all, sub(222, d.octets(d.IntN(20)))...)
	}
	all = append(all, sub(typ, value)...)
	if d.odds(20) && len(all)+10+len(value) < 253 {
		all = append(all, sub(typ, value)...)
	}
	if d.odds(3) {
		all = append(all, 1)
	}
	return radiustest.Attribute{Type: radiustest.VendorSpecific, Value: all[:min(len(all), 253)]}
}

// keys are the numbers of the hidden attributes, in an order that does not
// change.
var keys = func() (all []number) {
	for n := range hiddenNumbers {
		if n.typ != radiustest.UserPassword || n.vendor != 0 {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b number) int { return int(a.vendor)<<8 + int(a.typ) - int(b.vendor)<<8 - int(b.typ) })
	return all
}()

// hidden is a hidden attribute, in clear: wrong is one that could not have been
// hidden.
func (d dice) hidden(wrong bool) radiustest.Attribute {
	n := keys[d.IntN(len(keys))]
	if d.odds(30) {
		n = []number{{0, 69}, {0, 69}, {311, 16}, {311, 17}}[d.IntN(4)]
	}
	h := hiddenNumbers[n]
	value := d.secretOf(h.cipher, wrong)
	if h.tagged {
		value = append([]byte{byte(d.IntN(32))}, value...)
	}
	switch {
	case n.vendor == 0:
		return radiustest.Attribute{Type: byte(n.typ), Value: value}
	case n.vendor == vendorWiMAX && d.odds(30): // inside another
		tlvs := slices.Concat([]byte{1, 4, 7, 7, 3, byte(2 + len(value))}, value)
		return d.vendor(vendorWiMAX, uint32(86+d.IntN(2)), tlvs)
	}
	return d.vendor(n.vendor, n.typ, value)
}

func (d dice) secretOf(c cipher, wrong bool) []byte {
	switch {
	case c == likePassword && wrong:
		return d.octets(17 + d.IntN(15))
	case c == likePassword:
		return d.octets(16 * (1 + d.IntN(8)))
	case c == likeAscend && wrong:
		return d.octets(17 + d.IntN(9)) // outside a vendor's it is not Ascend's
	case c == likeAscend:
		return d.octets(1 + d.IntN(16))
	}
	value := d.octets(2 + 16*(1+d.IntN(8)))
	value[2] = byte(d.IntN(len(value) - 2))
	if d.odds(90) {
		value[0] |= 0x80
	}
	switch {
	case wrong && d.odds(50):
		return value[:len(value)-1-d.IntN(15)]
	case wrong:
		value[2] = byte(len(value) - 2 + d.IntN(40))
	}
	return value
}

// password is a User-Password in clear, padded.
func (d dice) password() radiustest.Attribute {
	p := d.octets(1 + d.IntN(128))
	return radiustest.Attribute{Type: radiustest.UserPassword, Value: append(p, make([]byte, (16-len(p)%16)%16)...)}
}

// eap is an EAP message in as many attributes as it takes.
func (d dice) eap() (all []radiustest.Attribute) {
	message := d.octets(5 + d.IntN(600))
	for piece := range slices.Chunk(message, 253) {
		all = append(all, radiustest.Attribute{Type: radiustest.EAPMessage, Value: piece})
	}
	return all
}

// states are Proxy-States of others.
func (d dice) states() (all []radiustest.Attribute) {
	if d.odds(60) {
		return nil
	}
	for range []int{1, 1, 2, 3, 16, 17}[d.IntN(6)] {
		all = append(all, radiustest.Attribute{Type: radiustest.ProxyState, Value: d.octets(d.IntN(20))})
	}
	return all
}

// many is a list of attributes, now and then a packet full of them.
func (d dice) many() (all []radiustest.Attribute) {
	for range d.IntN(7) {
		all = append(all, d.plain())
	}
	if d.odds(5) {
		for range 14 + d.IntN(3) {
			all = append(all, radiustest.Attribute{Type: radiustest.Class, Value: d.octets(253)})
		}
	}
	return all
}

// login is a name that says in its first letter what is known of it, and tells
// packets apart.
func (d dice) login(serial uint32) radiustest.Attribute {
	fixed := []string{"", "", "f."}[d.IntN(3)]
	return radiustest.Attr(radiustest.UserName, fmt.Sprintf("%s%c%d@atson.net", fixed, d.one('a', 'a', 'm', 'x'), serial))
}

// request makes a request with an identifier, signed as it should be, most
// times. mark is the proxy's own Proxy-State, if it is known.
func (d dice) request(code byte, id byte, serial uint32, secret, mark []byte) []byte {
	p := &radiustest.Packet{Code: code, ID: id}
	copy(p.Authenticator[:], d.octets(16))
	all := []radiustest.Attribute{d.login(serial), radiustest.Attr(radiustest.AcctSessionID, fmt.Sprintf("%08x", serial))}
	all = append(all, d.many()...)
	signed := d.odds(50)
	if code == radiustest.AccountingRequest {
		all = append(all, radiustest.Number(radiustest.AcctStatusType, uint32(1+d.IntN(3))))
		signed = d.odds(20)
	} else {
		credentials, eap := d.credentials()
		all = append(all, credentials...)
		signed = signed || eap && !d.odds(3)
	}
	for d.odds(15) {
		all = append(all, d.hidden(d.odds(10)))
	}
	if d.odds(20) {
		all = append(all, radiustest.Number(61, uint32(d.IntN(4))), radiustest.Number(6, uint32(d.IntN(12))))
	}
	all = append(all, d.states()...)
	if mark != nil && d.odds(1) {
		all = append(all, radiustest.Attribute{Type: radiustest.ProxyState, Value: mark})
	}
	d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if signed {
		all = slices.Insert(all, []int{0, 0, len(all), d.IntN(len(all) + 1)}[d.IntN(4)], radiustest.MA())
	}
	h := hop{secret, p.Authenticator[:]}
	if code == radiustest.AccountingRequest {
		h.authenticator = zeros
	}
	p.Attributes = d.fitted(hiddenAll(all, h))
	octets := p.Encode()
	radiustest.SignMA(octets, h.authenticator, secret)
	if code == radiustest.AccountingRequest {
		radiustest.Sign(octets, zeros, secret)
	}
	return octets
}

// credentials are what an Access-Request proves a password by, or is about.
func (d dice) credentials() (all []radiustest.Attribute, eap bool) {
	switch d.IntN(6) {
	case 0, 1:
		all = append(all, d.password())
	case 2:
		all = append(all, radiustest.Attribute{Type: radiustest.CHAPPassword, Value: d.octets(17)})
	case 3:
		all = append(all, radiustest.Attribute{Type: radiustest.CHAPPassword, Value: d.octets(17)},
			radiustest.Attribute{Type: radiustest.CHAPChallenge, Value: d.octets(d.IntN(30))})
	case 4:
		all, eap = append(all, d.eap()...), true
		if d.odds(10) {
			all = append(all, radiustest.Attribute{Type: d.one(2, 3, 70), Value: d.octets(16)})
		}
	case 5:
		all = append(all, d.vendor(311, 11, d.octets(16)), d.vendor(311, 25, d.octets(50)))
	}
	if d.odds(20) {
		all = append(all, radiustest.Attribute{Type: radiustest.State, Value: d.value()})
	}
	return all, eap
}

func hiddenAll(all []radiustest.Attribute, h hop) []radiustest.Attribute {
	for i, a := range all {
		value := slices.Clone(a.Value)
		for _, p := range hiddenIn(a) {
			copy(value[p.from:p.to], h.hide(p.cipher, a.Value[p.from:p.to]))
		}
		all[i].Value = value
	}
	return all
}

// fitted leaves out what is too much for a packet, and fills many up to one of
// few lengths: datagrams of one length leave together. Long ones are filled up
// until there is hardly room for what the proxy adds.
func (d dice) fitted(all []radiustest.Attribute) []radiustest.Attribute {
	length := 20 + 18
	for _, a := range all {
		length += 2 + len(a.Value)
	}
	all = slices.DeleteFunc(all, func(a radiustest.Attribute) bool {
		tooMuch := length > 4096 && a.Type == radiustest.Class
		if tooMuch {
			length -= 2 + len(a.Value)
		}
		return tooMuch
	})
	room := 0
	switch {
	case length > 3600:
		room = 4096 - length - d.IntN(20)
	case length < 1000 && d.odds(70):
		room = 256 - length%128
	}
	for ; room >= 2; room -= 2 + min(room-2, 253) {
		all = append(all, radiustest.Attribute{Type: 87, Value: d.octets(min(room-2, 253))})
	}
	return all
}

// spoilt breaks a datagram in some way, at times in one that does no harm.
func (d dice) spoilt(datagram []byte) []byte {
	b := slices.Clone(datagram)
	switch d.IntN(9) {
	case 0, 1:
		b[d.IntN(len(b))] ^= 1 << d.IntN(8)
	case 2:
		return b[:d.IntN(len(b)+1)]
	case 3, 4: // octets behind the packet are to be ignored
		return append(b, d.octets([]int{1, 3, 100, 4200}[d.IntN(4)])...)
	case 5:
		binary.BigEndian.PutUint16(b[2:], uint16(d.IntN(5000)))
	case 6: // an attribute of another length
		if len(b) > 22 {
			b[21] = d.one(0, 1, b[21]+1, 255)
		}
	case 7: // one attribute more, of no or another type; the signatures are wrong then
		b = append(b, d.one(0, 80, 79, 33), 2)
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	case 8:
		return d.datagram()
	}
	return b
}
