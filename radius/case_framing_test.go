package radius_test

import (
	"net/netip"
	"strings"
	"testing"

	"sekisho/radius/radiustest"
)

func TestCase01PaddingIsIgnored(t *testing.T) {
	t.Parallel()
	s := start(t)
	request := access(t, 7, user)
	must(t, s.nas.Send(append(request, 0xde, 0xad, 0xbe)))
	got := s.answer(s.nas, request)
	match(t, "answer", got, "02 07 00 2d *16 "+accepted)
	match(t, "upstream", s.seen(1)[0].Raw, "01 00 00 3e *16 50 12 *16 "+user+"21 0a *8")
}

func TestCase02WrongLengths(t *testing.T) {
	t.Parallel()
	s := start(t)
	long := access(t, 1, user)
	long[3]++
	header := octets(t, "01 02 00 13"+authenticator)
	big := append(octets(t, "01 03 10 01"+authenticator), make([]byte, 4097-20)...)
	s.dropped("length", s.nas, long, header, big)
	s.dropped("short", s.nas, header[:19], header[:1], nil)
}

func TestCase03MalformedAttributes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, attributes string }{
		{"length 0", user + "0b 00"},
		{"length 1", user + "0b 01"},
		{"overrun", user + "0b 04 61"},
		{"only a type", user + "0b"},
		{"type 0", user + "00 03 61"},
		{"Message-Authenticator of 15 octets", user + "50 11 *15"},
		{"empty Message-Authenticator", user + "50 02"},
		{"two Message-Authenticators", "50 12 *16" + user + "50 12 *16"},
	}
	s := start(t)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.dropped("malformed", s.nas, packetOf(t, 1, byte(i), authenticator, tt.attributes))
		})
	}
}

func TestCase03EmptyAndInvalidValuesAreForwarded(t *testing.T) {
	t.Parallel()
	const odd = " 0b 02 04 05 010203 1a 02 1a 04 0000 03 02 02 02 19 02 05 02 "
	s := start(t)
	s.exchange(s.nas, access(t, 1, user+odd))
	// The empty CHAP-Password is one all the same: its challenge ends here.
	match(t, "upstream", attributesOf(s.seen(1)[0].Raw), "50 12 *16 "+user+odd+" 3c 12"+authenticator+"21 0a *8")
}

func TestCase04RequestThatOutgrowsAPacket(t *testing.T) {
	t.Parallel()
	s := start(t)
	state := " 18 ff" + strings.Repeat("61", 253)
	big := user + strings.Repeat(state, 15) // 3859 octets with the header
	full := big + " 18 ed" + strings.Repeat("62", 235)
	s.dropped("too-big", s.nas, access(t, 1, full)) // 4096
	most := big + " 18 d1" + strings.Repeat("62", 207)
	s.exchange(s.nas, access(t, 2, most)) // 4068, 4096 with what we add
	match(t, "upstream", s.seen(1)[0].Raw, "01 00 10 00 *16 50 12 *16"+most+" 21 0a *8")
	s.dropped("too-big", s.nas, access(t, 3, big+" 18 d2"+strings.Repeat("62", 208))) // 4097
	if held := s.proxy.Stats().Held; held != 1 {
		t.Errorf("%d requests held, want only the answered one", held)
	}
}

func TestCase05UnknownSource(t *testing.T) {
	t.Parallel()
	s := start(t)
	stranger := s.router(netip.MustParseAddrPort("127.0.0.5:0"), s.authAddr)
	request := access(t, 1, user)
	before := s.drops("unknown-nas")
	for range 1000 {
		must(t, stranger.Send(request))
	}
	s.quiet(s.nas)
	if n := s.drops("unknown-nas") - before; n == 0 {
		t.Error("nothing counted") // how many the kernel's buffer takes is its own affair
	}
	if s.sent() != 0 || s.proxy.Stats().Held != 0 {
		t.Error("a stranger's request was taken on")
	}
	lines := func() int { return strings.Count(s.log.String(), "reason=unknown-nas") }
	s.until("it stands in the log", func() bool { return lines() > 0 })
	if lines() != 1 {
		t.Errorf("%d lines in the log, want 1", lines())
	}
}

func TestCase35CodesThatAreNotForThePort(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, code := range []byte{0, 2, 3, 5, 11, 13, 40, 43, 52, 200, 255} {
		s.dropped("code", s.nas, packetOf(t, code, 1, authenticator, user))
		s.dropped("code", s.acct, packetOf(t, code, 1, authenticator, user))
	}
	s.dropped("code", s.nas, accounting(t, 1, user))
	s.dropped("code", s.acct, access(t, 1, user))
}

func TestCase35ProtocolErrorFromTheAAA(t *testing.T) {
	t.Parallel()
	const states = " 21 04 'p1' 21 03 'q'"
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		return [][]byte{r.Reply(52, radiustest.Number(101, 502))}
	}))
	request := access(t, 9, user+states)
	match(t, "to an Access-Request", s.exchange(s.nas, request), "03 09 00 33 *16 50 12 *16 65 06 000001f6"+states)
	must(t, s.acct.Send(accounting(t, 1, user)))
	s.until("the accounting is given up", func() bool { return s.drops("code") == 1 })
	s.quiet(s.acct)
}
