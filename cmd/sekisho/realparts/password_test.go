//go:build realparts

package realparts

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"sekisho/radius/radiustest"
)

// A passwordCase is a password that a NAS sends, and whether FreeRADIUS takes it.
type passwordCase struct {
	user, password string
	accepted       bool
}

// octets128 is a password of 128 octets that are no text.
func octets128() string {
	b := make([]byte, longPassword)
	for i := range b {
		b[i] = byte(255 - i)
	}
	return string(b)
}

// passwordUsers are the entries of the users file.
var passwordUsers = map[string]string{
	"empty-pad": strings.Repeat("p", 16),
	"one-more":  strings.Repeat("q", 17),
	"long":      strings.Repeat("0123456789abcdef", longPassword/16),
	"octets":    octets128(),
	"nul":       "before\x00after",
	"nuls":      "before\x00\x00after the first block of sixteen\x00\x00and more",
	"sjis":      "\x83p\x83X\x83\x8f\x81[\x83h",
}

// passwordCases are right and wrong passwords for them.
func passwordCases() []passwordCase {
	var cases []passwordCase
	for user, password := range passwordUsers {
		last := len(password) - 1
		cases = append(cases,
			passwordCase{user, password, true},
			passwordCase{user, password[:last], false},
			passwordCase{user, password[:last] + "\x7f", false},
		)
		if len(password) < longPassword {
			cases = append(cases, passwordCase{user, password + "\x01", false})
		}
	}
	return append(cases,
		passwordCase{"nul", "before", false},
		passwordCase{"nul", "before\x00another", false},
		passwordCase{"nul", "\x00before\x00after", false},
	)
}

// TestPasswordOctets: passwords of 128 octets, with NULs and in other people's
// alphabets reach the AAA server octet for octet, and it decides as it does when the
// NAS asks it without sekisho between.
func TestPasswordOctets(t *testing.T) {
	Need(t, wireParts()...)
	var users []AAAUser
	for user, password := range passwordUsers {
		users = append(users, AAAUser{Name: user + "@atson.net", Password: password})
	}
	room := NewRoom(t, "asahi-net", tokyo, users)
	room.Sekisho.Serve(t, afterStage2)
	through := GoNAS(t, room.Netns, sekishoAuthPort, nasSecret)
	direct := GoNAS(t, room.Netns, aaaAuthPort, aaaSecret)
	for _, c := range passwordCases() {
		want := byte(codeAccessReject)
		if c.accepted {
			want = codeAccessAccept
		}
		if got := exchange(t, direct, c.request(direct)); got.Code != want {
			t.Errorf("%s with %q straight at FreeRADIUS: want code %d, got %d", c.user, c.password, want, got.Code)
		}
		if got := exchange(t, through, c.request(through)); got.Code != want {
			t.Errorf("%s with %q through sekisho: want code %d, got %d", c.user, c.password, want, got.Code)
		}
		expectPasswordAtAAA(t, room, c)
		if !c.accepted {
			expectLastReject(t, room)
		}
	}
	keepSeeds(t, "password", room.Wire)
}

func (c passwordCase) request(nas *radiustest.NAS) []byte {
	return nas.Request(codeAccessRequest,
		append(radiustest.PAP(c.user+"@atson.net", c.password), tokyoNAS, radiustest.MA())...)
}

// expectPasswordAtAAA wants the octets of the last password at the AAA server, filled
// up with zeros as the NAS did, and not the NAS's ciphertext.
func expectPasswordAtAAA(t *testing.T, room *Room, c passwordCase) {
	t.Helper()
	room.Wire.Settle(t)
	in, out := lastTo(t, room.Wire, sekishoAuthPort), lastTo(t, room.Wire, aaaAuthPort)
	hidden := out.Values(radiustest.UserPassword)
	if len(hidden) != 1 || bytes.Equal(hidden[0], in.Values(radiustest.UserPassword)[0]) {
		t.Fatalf("want one User-Password hidden anew, got %x", hidden)
	}
	got := keying{aaaSecret, out.Raw[4:20]}.reveal(likePassword, hidden[0])
	want := make([]byte, (len(c.password)+15)/16*16)
	copy(want, c.password)
	if !bytes.Equal(got, want) {
		t.Errorf("%s: password %s reached the AAA server as %s", c.user, hexText(want), hexText(got))
	}
	expectMA(t, out, out.Raw[4:20], aaaSecret)
}

func hexText(b []byte) string { return fmt.Sprintf("%x", b) }

// lastTo is the last Access-Request that went to a port.
func lastTo(t *testing.T, wire *Wire, port uint16) WirePacket {
	t.Helper()
	packets := wire.To(port, codeAccessRequest)
	if len(packets) == 0 {
		t.Fatalf("nothing went to port %d", port)
	}
	return packets[len(packets)-1]
}
