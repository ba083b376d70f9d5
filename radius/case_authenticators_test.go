package radius_test

import (
	"bytes"
	"strings"
	"testing"

	"sekisho/radius"
	"sekisho/radius/radiustest"
)

func TestCase12EAPMessages(t *testing.T) {
	t.Parallel()
	fragments := strings.Repeat(" 4f ff "+strings.Repeat("e1", 253), 3) + " 4f 05 e2e3e4 "
	const identity = " 01 0b 'anonymous' "
	s := start(t)
	s.exchange(s.nas, access(t, 1, identity+fragments+"50 12 *16 18 04 'st'"))
	match(t, "upstream", attributesOf(s.seen(1)[0].Raw), "50 12 *16"+identity+fragments+"18 04 'st' 21 0a *8")
}

func TestCase12EAPChallengeIsNotInjected(t *testing.T) {
	t.Parallel()
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		return [][]byte{r.Reply(radiustest.AccessChallenge,
			radiustest.Attr(79, strings.Repeat("a", 253)), radiustest.Attr(79, "b"), radiustest.Attr(24, "state"))}
	}))
	got := s.exchange(s.nas, access(t, 1, user+"4f 05 e2e3e4 50 12 *16"))
	match(t, "challenge", attributesOf(got), "50 12 *16 4f ff"+strings.Repeat("61", 253)+" 4f 03 'b' 18 07 'state'")
}

func TestCase13EAPWithoutMessageAuthenticator(t *testing.T) {
	t.Parallel()
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		bare := r.Sign(&radiustest.Packet{Code: radiustest.AccessChallenge, ID: r.ID, Attributes: []radiustest.Attribute{radiustest.Attr(79, "x")}})
		return [][]byte{bare, r.Reply(radiustest.AccessReject)}
	}))
	s.dropped("missing-message-authenticator", s.nas, access(t, 1, user+"4f 03 'x'"))
	s.dropped("missing-message-authenticator", s.nas, access(t, 1, user+"4f 02")) // empty, as an EAP start
	got := s.exchange(s.nas, access(t, 2, user+"4f 03 'x' 50 12 *16"))
	match(t, "answer", got[:1], "03")
	s.refused("missing-message-authenticator", 1)
}

func TestCase13EAPBesideAnotherWayToLogIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i, beside := range []string{"02 12 *16", "03 13 *17", "46 12 *16"} {
		s.dropped("eap-conflict", s.nas, access(t, byte(i), user+"4f 03 'x' 50 12 *16 "+beside))
	}
}

func TestCase14WrongMessageAuthenticatorLeavesTheCacheAlone(t *testing.T) {
	t.Parallel()
	s := start(t)
	request := access(t, 7, user+"50 12 *16")
	first := s.exchange(s.nas, request)
	forged := bytes.Clone(request)
	forged[len(forged)-1] ^= 1
	other := signedAccess(t, 7, strings.Repeat("ee", 16), user+"50 12 *16")
	other[len(other)-1] ^= 1
	s.dropped("bad-message-authenticator", s.nas, forged, other)
	if again := s.exchange(s.nas, request); !bytes.Equal(again, first) {
		t.Errorf("the cached answer is gone:\n got %x\nwant %x", again, first)
	}
	s.seen(1)
}

func TestCase15ForwardedRequestsBeginWithOneMessageAuthenticator(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]string{"none": user, "first": "50 12 *16" + user, "last": user + "50 12 *16"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			s.exchange(s.nas, access(t, 1, request))
			match(t, "upstream", attributesOf(s.seen(1)[0].Raw), "50 12 *16"+user+"21 0a *8")
		})
	}
}

// unsigned answers without a Message-Authenticator.
func unsigned(r *radiustest.Request) [][]byte {
	return [][]byte{r.Sign(&radiustest.Packet{Code: radiustest.AccessAccept, ID: r.ID})}
}

func TestCase16AcceptWithoutMessageAuthenticator(t *testing.T) {
	t.Parallel()
	s := start(t, answering(unsigned))
	match(t, "answer", attributesOf(s.exchange(s.nas, access(t, 1, user))), accepted)
}

func TestCase16AcceptWithoutMessageAuthenticatorWhereRequired(t *testing.T) {
	t.Parallel()
	s := start(t, answering(unsigned), func(s *setup) { s.server.RequireMA = radius.Require })
	must(t, s.nas.Send(access(t, 1, user)))
	s.refused("missing-message-authenticator", 1)
	s.quiet(s.nas)
	if n := s.proxy.Stats().NAS["bras1"].Outstanding; n != 1 {
		t.Errorf("%d requests wait, want the one", n)
	}
}

func TestCase16RequestWithoutMessageAuthenticatorWhereRequired(t *testing.T) {
	t.Parallel()
	s := start(t, func(s *setup) { s.nas.RequireMA = radius.Require })
	s.dropped("missing-message-authenticator", s.nas, access(t, 1, user))
	s.exchange(s.nas, access(t, 1, user+"50 12 *16"))
	s.exchange(s.acct, accounting(t, 1, user)) // where none may be
}

func TestCase16RepliesByModeOfTheNAS(t *testing.T) {
	t.Parallel()
	const plain, signed, eap = user, user + "50 12 *16", user + "4f 03 'x' 50 12 *16"
	tests := []struct {
		name    string
		mode    radius.ReplyMA
		request string
		want    bool
	}{
		{"always", radius.ReplyMAAlways, plain, true},
		{"echo of none", radius.ReplyMAEcho, plain, false},
		{"echo of one", radius.ReplyMAEcho, signed, true},
		{"never", radius.ReplyMANever, signed, false},
		{"never, but EAP is void without", radius.ReplyMANever, eap, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(s *setup) { s.nas.ReplyMA = tt.mode })
			want := "0b 07 'op25b'"
			if tt.want {
				want = accepted
			}
			match(t, "answer", attributesOf(s.exchange(s.nas, access(t, 1, tt.request))), want)
		})
	}
}

func TestCase17MessageAuthenticatorLast(t *testing.T) {
	t.Parallel()
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		reply := &radiustest.Packet{Code: radiustest.AccessAccept, ID: r.ID, Attributes: []radiustest.Attribute{radiustest.Attr(18, "hello"), radiustest.MA()}}
		return [][]byte{r.Sign(reply)}
	}), func(s *setup) { s.server.RequireMA = radius.Require })
	got := s.exchange(s.nas, access(t, 1, user))
	match(t, "answer", attributesOf(got), "50 12 *16 12 07 'hello' 0b 07 'op25b'")
}

func TestCase17WrongMessageAuthenticatorOfTheAAA(t *testing.T) {
	t.Parallel()
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		forged := (&radiustest.Packet{Code: radiustest.AccessAccept, ID: r.ID, Attributes: []radiustest.Attribute{radiustest.MA()}}).Encode()
		radiustest.Sign(forged, r.Authenticator[:], r.Secret) // the Message-Authenticator stays zeros
		return [][]byte{forged, r.Reply(radiustest.AccessReject)}
	}))
	match(t, "answer", s.exchange(s.nas, access(t, 1, user))[:1], "03")
	s.refused("bad-message-authenticator", 1)
}

func TestCase18LimitProxyState(t *testing.T) {
	t.Parallel()
	s := start(t, func(s *setup) { s.nas.LimitProxyState = true })
	s.dropped("limit-proxy-state", s.nas, access(t, 1, user+"21 04 'ps'"))
	s.exchange(s.nas, access(t, 2, user+"21 04 'ps' 50 12 *16"))
	s.exchange(s.nas, access(t, 3, user))
}

func TestCase18ProxyStateFromAProxy(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.exchange(s.nas, access(t, 1, user+"21 04 'ps'"))
	match(t, "upstream", attributesOf(s.seen(1)[0].Raw), "50 12 *16"+user+"21 04 'ps' 21 0a *8")
}

func TestCase30AccountingAuthenticators(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.dropped("bad-authenticator", s.acct,
		packetOf(t, 4, 1, strings.Repeat("00", 16), user),
		packetOf(t, 4, 2, authenticator, user))
	got := s.exchange(s.acct, accounting(t, 3, user+"28 06 00000001"))
	match(t, "answer", got, "05 03 0014 *16")
	match(t, "upstream", s.seen(1)[0].Raw, "04 00 0032 *16"+user+"28 06 00000001 21 0a *8")
}

func TestCase32AccountingWithMessageAuthenticator(t *testing.T) {
	t.Parallel()
	s := start(t)
	wrong := packetOf(t, 4, 1, "*16", user+"50 12 *16")
	radiustest.Sign(wrong, make([]byte, 16), []byte(nasSecret))
	s.dropped("bad-message-authenticator", s.acct, wrong)
	got := s.exchange(s.acct, accounting(t, 2, "50 12 *16"+user))
	match(t, "answer", got, "05 02 0014 *16")
	match(t, "upstream", attributesOf(s.seen(1)[0].Raw), user+"21 0a *8")
}

func TestCase32AccountingResponseWithMessageAuthenticator(t *testing.T) {
	t.Parallel()
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		reply := &radiustest.Packet{Code: radiustest.AccountingResponse, ID: r.ID, Attributes: []radiustest.Attribute{radiustest.MA(), radiustest.Attr(26, "\x00\x00\x00\x09\x01\x03x")}}
		return [][]byte{r.Sign(reply)}
	}))
	got := s.exchange(s.acct, accounting(t, 2, user))
	match(t, "answer", attributesOf(got), "1a 09 00000009 01 03 'x'")
}

func TestCase34StatusServer(t *testing.T) {
	t.Parallel()
	s := start(t)
	status := packetOf(t, 12, 5, authenticator, "50 12 *16")
	radiustest.SignMA(status, status[4:20], []byte(nasSecret))
	match(t, "on the auth port", s.exchange(s.nas, status), "02 05 0026 *16 50 12 *16")
	match(t, "on the acct port", s.exchange(s.acct, status), "05 05 0026 *16 50 12 *16")
	bad := bytes.Clone(status)
	bad[30] ^= 1
	s.dropped("bad-message-authenticator", s.nas, bad)
	s.dropped("bad-message-authenticator", s.acct, bad)
	bare := packetOf(t, 12, 6, authenticator, "20 04 'me'")
	s.dropped("missing-message-authenticator", s.nas, bare)
	s.dropped("missing-message-authenticator", s.acct, bare)
	if s.sent() != 0 {
		t.Error("a Status-Server went upstream")
	}
}

func TestCase34StatusServerFromBehindASharedAddress(t *testing.T) {
	t.Parallel()
	s := start(t, func(s *setup) { s.nas.Identifier = "bras1" })
	status := packetOf(t, 12, 5, authenticator, "50 12 *16")
	radiustest.SignMA(status, status[4:20], []byte(nasSecret))
	match(t, "answer", s.exchange(s.nas, status), "02 05 0026 *16 50 12 *16")
}
