package radius

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func unhex(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Packets computed by other implementations, under the secret "testing123".
const (
	goldenRequest = "01070039000102030405060708090a0b0c0d0e0f50124fa893c73aa78a04acb565363b73633e0113662e75736572406578616d706c652e6a70"
	goldenAccept  = "020700340af025e5d62589e30f6b4b2d5bf9bff7501293b017ce112be1388b7f29b62bd2e9bc0b0a6f703235622e696e21040102"
	goldenCoA     = "2b09003e56c36921bc8a22832ffee41f1c75af515012f8eb3ece3fb2bf7686bbd445ff41bd822c0a30303030303031410b0e6f703235622d6f66662e696e"
)

func TestGoldenPackets(t *testing.T) {
	t.Parallel()
	secret := NewSecret([]byte("testing123"))
	random := unhex(t, "000102030405060708090a0b0c0d0e0f")
	tests := []struct {
		name, packet string
		seed         []byte // of the Response Authenticator; nil: it is random
		macSeed      []byte
	}{
		{"Access-Request", goldenRequest, nil, random},
		{"Access-Accept", goldenAccept, random, random},
		{"CoA-Request", goldenCoA, zeroAuthenticator[:], zeroAuthenticator[:]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, why := parse(unhex(t, tt.packet))
			if why != forwarded {
				t.Fatal(why)
			}
			if got := secret.authenticate(p, headerLen, tt.macSeed); !bytes.Equal(got[:], p.find(typeMessageAuthenticator)) {
				t.Errorf("authenticate: %x", got)
			}
			if !secret.authentic(p, headerLen, tt.macSeed) {
				t.Error("not authentic")
			}
			if tt.seed == nil {
				return
			}
			if got := secret.sign(p, tt.seed); !bytes.Equal(got[:], p.authenticator()) {
				t.Errorf("sign: %x", got)
			}
			if !secret.signed(p, tt.seed) {
				t.Error("not signed")
			}
		})
	}
}

func TestEveryBitOfAPacketIsSigned(t *testing.T) {
	t.Parallel()
	secret := NewSecret([]byte("testing123"))
	random := unhex(t, goldenRequest)[4:headerLen]
	for i := range 8 * len(unhex(t, goldenAccept)) {
		p := packet(unhex(t, goldenAccept))
		p[i/8] ^= 1 << (i % 8)
		if secret.signed(p, random) {
			t.Errorf("bit %d of octet %d changes nothing", i%8, i/8)
		}
	}
}

func TestGoldenSealedReply(t *testing.T) {
	t.Parallel()
	p := packet(unhex(t, goldenAccept))
	want := bytes.Clone(p)
	clear(p[4:headerLen])
	clear(p[headerLen+2 : headerLen+attrMALen])
	NewSecret([]byte("testing123")).sealReply(p, unhex(t, goldenRequest)[4:headerLen])
	if !bytes.Equal(p, want) {
		t.Errorf("got %x", []byte(p))
	}
}

func TestGoldenHiddenValues(t *testing.T) {
	t.Parallel()
	rfc2865 := keying{NewSecret([]byte("xyzzy5461")), unhex(t, "0f403f9473978057bd83d5cb98f4227a")}
	ours := keying{NewSecret([]byte("testing123")), unhex(t, "000102030405060708090a0b0c0d0e0f")}
	password := unhex(t, "0dbe708d93d413ce3196e43f782a0aee") // "arctangent"
	if !rehidePassword(password, rfc2865, ours) || !rehidePassword(password, ours, rfc2865) {
		t.Error("a right password cannot be hidden")
	}
	if hex.EncodeToString(password) != "0dbe708d93d413ce3196e43f782a0aee" {
		t.Errorf("there and back again: %x", password)
	}
	pad := rfc2865.secret.pad(rfc2865.secret.octets, rfc2865.authenticator)
	if got := xor(password, pad[:]); string(got) != "arctangent\x00\x00\x00\x00\x00\x00" {
		t.Errorf("reads %q", got)
	}
	salted := unhex(t, "800134d7612e787f5138cf27b06bb2ba15f3") // "secret"
	salts := saltSource{last: 0x8000, started: true}           // the next one is 8001
	if !rehideSalted(salted, ours, ours, &salts) || hex.EncodeToString(salted) != "800134d7612e787f5138cf27b06bb2ba15f3" {
		t.Errorf("salted: %x", salted)
	}
}

func xor(a, b []byte) []byte {
	c := make([]byte, len(a))
	for i := range a {
		c[i] = a[i] ^ b[i]
	}
	return c
}

func TestSaltsOfOnePacketDiffer(t *testing.T) {
	t.Parallel()
	for _, first := range []uint16{0, 0x7ffe, 0x8000, 0xfffe} {
		salts := saltSource{last: first, started: true}
		seen := map[uint16]bool{}
		for range 2000 { // more than fit into a packet
			salt := salts.next()
			if salt&0x8000 == 0 || seen[salt] {
				t.Fatalf("salt %04x after %d others from %04x", salt, len(seen), first)
			}
			seen[salt] = true
		}
	}
}
