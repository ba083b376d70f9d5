//go:build realparts

package realparts

import (
	"bytes"
	"crypto/des"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf16"
)

// MS-CHAPv2 as the user's side has it (RFC 2759) and the keys that come of it (RFC
// 3079), to check what FreeRADIUS puts into an Accept.

// ntHash is the MD4 of a password in UTF-16.
func ntHash(password string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(password)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return md4(b)
}

// An msCHAP2 is one login.
type msCHAP2 struct {
	user, password  string
	challenge, peer []byte // 16 octets each
}

// response is the NT-Response.
func (m msCHAP2) response() []byte {
	return desThrice(ntHash(m.password), m.hash())
}

func (m msCHAP2) hash() []byte {
	return sum(m.peer, m.challenge, []byte(m.user))[:8]
}

// success is the text by which the server proves that it knows the password.
func (m msCHAP2) success() string {
	digest := sum(md4(ntHash(m.password)), m.response(), []byte("Magic server to client signing constant"))
	digest = sum(digest, m.hash(), []byte("Pad to make it do more than one iteration"))
	return fmt.Sprintf("S=%X", digest)
}

// keys are the server's MS-MPPE-Send-Key and MS-MPPE-Recv-Key.
func (m msCHAP2) keys() (send, recv []byte) {
	master := sum(md4(ntHash(m.password)), m.response(), []byte("This is the MPPE Master Key"))[:16]
	key := func(who string) []byte {
		magic := "On the client side, this is the " + who + " key; on the server side, it is the "
		if who == "send" {
			magic += "receive key."
		} else {
			magic += "send key."
		}
		return sum(master, make([]byte, 40), []byte(magic), bytes.Repeat([]byte{0xf2}, 40))[:16]
	}
	return key("receive"), key("send")
}

func sum(parts ...[]byte) []byte {
	h := sha1.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// desThrice encrypts a block under the three DES keys of seven octets that a hash,
// filled up with zeros, holds.
func desThrice(hash, block []byte) []byte {
	keys := make([]byte, 21)
	copy(keys, hash)
	out := make([]byte, 24)
	for i := range 3 {
		var spread uint64
		for _, b := range keys[7*i : 7*i+7] {
			spread = spread<<8 | uint64(b)
		}
		key := make([]byte, 8)
		for j := range key {
			key[j] = byte(spread>>(49-7*j)) << 1 // the lowest bit is parity, which nobody looks at
		}
		c, err := des.NewCipher(key)
		if err != nil {
			panic(err) // the key has eight octets
		}
		c.Encrypt(out[8*i:], block)
	}
	return out
}

// md4 is RFC 1320's digest, which Go's own library does not have.
func md4(message []byte) []byte {
	padded := append(bytes.Clone(message), 0x80)
	for len(padded)%64 != 56 {
		padded = append(padded, 0)
	}
	padded = binary.LittleEndian.AppendUint64(padded, uint64(len(message))*8)
	state := [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	for ; len(padded) > 0; padded = padded[64:] {
		md4Block(&state, padded[:64])
	}
	var out []byte
	for _, s := range state {
		out = binary.LittleEndian.AppendUint32(out, s)
	}
	return out
}

func md4Block(state *[4]uint32, block []byte) {
	rounds := [3]struct {
		constant uint32
		order    string // of the words, in hex
		shifts   [4]int
		mix      func(x, y, z uint32) uint32
	}{
		{0, "0123456789abcdef", [4]int{3, 7, 11, 19}, func(x, y, z uint32) uint32 { return x&y | ^x&z }},
		{0x5a827999, "048c159d26ae37bf", [4]int{3, 5, 9, 13}, func(x, y, z uint32) uint32 { return x&y | x&z | y&z }},
		{0x6ed9eba1, "084c2a6e195d3b7f", [4]int{3, 9, 11, 15}, func(x, y, z uint32) uint32 { return x ^ y ^ z }},
	}
	a, b, c, d := state[0], state[1], state[2], state[3]
	for _, r := range rounds {
		for i, digit := range r.order {
			word := binary.LittleEndian.Uint32(block[4*strings.IndexRune("0123456789abcdef", digit):])
			a, b, c, d = d, bits.RotateLeft32(a+r.mix(b, c, d)+word+r.constant, r.shifts[i%4]), b, c
		}
	}
	state[0], state[1], state[2], state[3] = state[0]+a, state[1]+b, state[2]+c, state[3]+d
}
