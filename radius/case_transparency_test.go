package radius_test

import (
	"strings"
	"testing"

	"sekisho/radius/radiustest"
)

func TestCase19ProxyStatesAreTheRouters(t *testing.T) {
	t.Parallel()
	const states = " 21 06 'ntt1' 21 02 21 06 'ntt2' "
	tests := []struct {
		name string
		echo func(states []radiustest.Attribute) []radiustest.Attribute
	}{
		{"reversed", func(s []radiustest.Attribute) []radiustest.Attribute {
			return []radiustest.Attribute{s[3], s[2], s[1], s[0]}
		}},
		{"dropped", func([]radiustest.Attribute) []radiustest.Attribute { return nil }},
		{"duplicated", func(s []radiustest.Attribute) []radiustest.Attribute { return append(s, s...) }},
		{"only ours", func(s []radiustest.Attribute) []radiustest.Attribute { return s[3:] }},
		{"somebody else's", func([]radiustest.Attribute) []radiustest.Attribute {
			return []radiustest.Attribute{radiustest.Attr(33, "who")}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, answering(func(r *radiustest.Request) [][]byte {
				var states []radiustest.Attribute
				for _, state := range r.Values(33) {
					states = append(states, radiustest.Attribute{Type: 33, Value: state})
				}
				reply := &radiustest.Packet{Code: radiustest.AccessAccept, ID: r.ID, Attributes: append(tt.echo(states), radiustest.Attr(18, "hi"))}
				return [][]byte{r.Sign(reply)}
			}))
			got := s.exchange(s.nas, access(t, 1, user+states))
			match(t, "upstream", attributesOf(s.seen(1)[0].Raw), "50 12 *16"+user+states+"21 0a *8")
			match(t, "answer", attributesOf(got), "50 12 *16 12 04 'hi' 0b 07 'op25b'"+states)
		})
	}
}

func TestCase19ServerThatGetsNoProxyStateOfOurs(t *testing.T) {
	t.Parallel()
	s := start(t, func(s *setup) { s.server.NoProxyState = true })
	s.exchange(s.nas, access(t, 1, user+"21 03 'n'"))
	match(t, "upstream", attributesOf(s.seen(1)[0].Raw), "50 12 *16"+user+"21 03 'n'")
}

func TestCase19MoreProxyStatesThanAnyChainOfProxiesAdds(t *testing.T) {
	t.Parallel()
	s := start(t)
	const one = " 21 03 'p' "
	most := user + strings.Repeat(one, 16)
	s.exchange(s.nas, access(t, 1, most))
	s.dropped("loop", s.nas, access(t, 2, most+one), access(t, 3, user+strings.Repeat(" 21 02", 2020)))
	s.dropped("loop", s.acct, accounting(t, 4, most+one))
}

func TestCase19ALoopIsEnded(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.exchange(s.nas, access(t, 1, user))
	mark := s.seen(1)[0].Values(33)[0]
	s.dropped("loop", s.nas, access(t, 2, user+attribute(33, mark)+"21 03 'n'"))
	s.exchange(s.nas, access(t, 3, user+attribute(24, mark))) // no Proxy-State, no loop
}

func TestCase20AccountingAnswerCarriesTheProxyStates(t *testing.T) {
	t.Parallel()
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		return [][]byte{r.Sign(&radiustest.Packet{Code: radiustest.AccountingResponse, ID: r.ID})}
	}))
	got := s.exchange(s.acct, accounting(t, 1, user+"21 03 'a' 21 03 'b'"))
	match(t, "answer", attributesOf(got), "21 03 'a' 21 03 'b'")
}

func TestCase20RejectCarriesTheProxyStates(t *testing.T) {
	t.Parallel()
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		return [][]byte{r.Sign(&radiustest.Packet{Code: radiustest.AccessReject, ID: r.ID})}
	}))
	got := s.exchange(s.nas, access(t, 1, user+"21 03 'a' 21 03 'b'"))
	match(t, "answer", got, "03 01 002c *16 50 12 *16 21 03 'a' 21 03 'b'")
}

// What nobody on the way understands, in both directions.
const opaque = " 18 05 'one' 19 05 'two' 19 07 00ff'tri' 19 02" + // State, three Classes
	" 1a 0c 00ffffff 01 06 'some'" + // an unknown vendor's
	" 1a 11 00000009 01 03 'a' 02 03 'b' 01 05 'ccc'" + // three in one
	" f1 06 1a000001 f5 05 01 80 'a' f5 05 01 00 'b'" + // extended, and fragments of a long one
	" 1a 06 00000009 1a 03 'x' c8 04 0000 12 02 "

func TestCase21And22OpaqueAttributes(t *testing.T) {
	t.Parallel()
	var attributes []radiustest.Attribute
	for rest := octets(t, opaque); len(rest) > 0; rest = rest[rest[1]:] {
		attributes = append(attributes, radiustest.Attribute{Type: rest[0], Value: rest[2:rest[1]]})
	}
	for _, code := range []byte{radiustest.AccessAccept, radiustest.AccessReject, radiustest.AccessChallenge} {
		s := start(t, answering(func(r *radiustest.Request) [][]byte { return [][]byte{r.Reply(code, attributes...)} }))
		got := s.exchange(s.nas, access(t, 1, user+opaque))
		match(t, "upstream", attributesOf(s.seen(1)[0].Raw), "50 12 *16"+user+opaque+"21 0a *8")
		want := "50 12 *16" + opaque
		if code == radiustest.AccessAccept {
			want += "0b 07 'op25b'"
		}
		match(t, "answer", attributesOf(got), want)
	}
}

func TestCase22AccountingIsForwardedAsItIs(t *testing.T) {
	t.Parallel()
	const session = " 28 06 00000003 2c 0a '0000001A' 29 06 00000005 37 06 466d1800 "
	s := start(t)
	s.exchange(s.acct, accounting(t, 1, user+session+opaque))
	match(t, "upstream", attributesOf(s.seen(1)[0].Raw), user+session+opaque+"21 0a *8")
}

func TestCase22APacketOf4096OctetsComesBack(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		room     int // octets that the reply leaves for what is added to it
		fail     string
		answered bool
		want     string
		outcome  string
	}{
		{"with room for all", 18 + 7, "drop", true, "0b 07 'op25b'", "injected"},
		{"without room for the filter", 18 + 6, "open", true, "", "too-big"},
		{"without room for the filter, and none is worse", 18 + 6, "drop", false, "", ""},
		{"just room for the Message-Authenticator", 18, "open", true, "", "too-big"},
		{"without room for that", 17, "open", false, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var filling []radiustest.Attribute
			for left := 4096 - 20 - tt.room; left > 0; {
				n := min(left, 255)
				if left-n == 1 {
					n--
				}
				filling = append(filling, radiustest.Attr(18, strings.Repeat("m", n-2)))
				left -= n
			}
			s := start(t, answering(func(r *radiustest.Request) [][]byte {
				return [][]byte{r.Sign(&radiustest.Packet{Code: radiustest.AccessAccept, ID: r.ID, Attributes: filling})}
			}), func(s *setup) { s.profile.Fail = tt.fail })
			request := access(t, 1, user)
			if !tt.answered {
				must(t, s.nas.Send(request))
				s.until("the reply is dropped", func() bool { return s.drops("too-big") == 1 })
				s.quiet(s.nas)
				return
			}
			got := s.exchange(s.nas, request)
			want := "50 12 *16 "
			for _, a := range filling {
				want += attribute(a.Type, a.Value)
			}
			match(t, "answer", attributesOf(got), want+tt.want)
			if got := s.proxy.Stats().NAS["bras1"].Injections; got[tt.outcome] != 1 || len(got) != 1 {
				t.Errorf("counted %v, want one %s", got, tt.outcome)
			}
		})
	}
}
