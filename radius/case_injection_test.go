package radius_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/engine"
	"sekisho/radius/radiustest"
)

// injections checks how the outcomes of injection were counted.
func (s *site) injections(want map[string]uint64) {
	s.Helper()
	if got := s.proxy.Stats().NAS["bras1"].Injections; fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("counted %v, want %v", got, want)
	}
}

func TestCase37BlockedUserGetsTheProfilesAttributes(t *testing.T) {
	t.Parallel()
	cisco, ok := dict.ShippedProfile("cisco-ios")
	if !ok {
		t.Fatal("no profile cisco-ios")
	}
	s := start(t, answering(accept(radiustest.Attr(18, "welcome"), radiustest.Vendor(9, 1, "ip:addr-pool=kyoto"))),
		func(s *setup) { s.profile = &cisco })
	got := s.exchange(s.nas, access(t, 1, user))
	match(t, "answer", attributesOf(got), "50 12 *16 12 09 'welcome' 1a 1a 00000009 01 14 'ip:addr-pool=kyoto'"+
		" 1a 1b 00000009 01 15 'ipv6:inacl=op25b-v6' 0b 0a 'op25b.in'")
	s.injections(map[string]uint64{"injected": 1})
}

func TestCase37FilterOfTheAAAByConflictMode(t *testing.T) {
	t.Parallel()
	vip, ours := radiustest.Attr(11, "vip"), radiustest.Attr(11, "op25b")
	tests := []struct {
		mode    dict.Conflict
		name    string
		aaa     []radiustest.Attribute
		want    string
		outcome string
	}{
		{dict.Replace, "theirs", []radiustest.Attribute{vip, vip}, "0b 07 'op25b'", "replaced"},
		{dict.Replace, "ours already", []radiustest.Attribute{ours}, "0b 07 'op25b'", "injected"},
		{dict.ReplaceOurs, "theirs", []radiustest.Attribute{vip}, "0b 05 'vip' 0b 07 'op25b'", "beside"},
		{dict.ReplaceOurs, "both", []radiustest.Attribute{ours, vip}, "0b 05 'vip' 0b 07 'op25b'", "beside"},
		{dict.ReplaceOurs, "ours already", []radiustest.Attribute{ours, ours}, "0b 07 'op25b'", "injected"},
		{dict.ReplaceOurs, "stale of ours", []radiustest.Attribute{radiustest.Attr(11, "op25b-all")}, "0b 07 'op25b'", "injected"},
		{dict.Append, "theirs", []radiustest.Attribute{vip}, "0b 05 'vip' 0b 07 'op25b'", "beside"},
		{dict.Append, "ours already", []radiustest.Attribute{ours}, "0b 07 'op25b'", "injected"},
		{dict.Append, "ours already, in its place", []radiustest.Attribute{ours, radiustest.Attr(18, "hello"), ours}, "0b 07 'op25b' 12 07 'hello' 0b 07 'op25b'", "injected"},
		{dict.Append, "ours and theirs", []radiustest.Attribute{ours, vip}, "0b 07 'op25b' 0b 05 'vip'", "beside"},
		{dict.Append, "stale of ours", []radiustest.Attribute{radiustest.Attr(11, "op25b-all")}, "0b 0b 'op25b-all' 0b 07 'op25b'", "beside"},
		{dict.Keep, "theirs", []radiustest.Attribute{vip}, "0b 05 'vip'", "kept"},
		{dict.Keep, "none", nil, "0b 07 'op25b'", "injected"},
		{dict.Keep, "ours already", []radiustest.Attribute{ours}, "0b 07 'op25b'", "injected"},
	}
	for _, tt := range tests {
		t.Run(string(tt.mode)+"/"+tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, answering(accept(tt.aaa...)), func(s *setup) { s.profile.Conflict = tt.mode })
			got := s.exchange(s.nas, access(t, 1, user))
			match(t, "answer", attributesOf(got), "50 12 *16 "+tt.want)
			s.injections(map[string]uint64{tt.outcome: 1})
		})
	}
}

func TestCase52ValueSpreadOverSeveralAttributes(t *testing.T) {
	t.Parallel()
	ours := strings.Repeat("r", 600)
	pieces := []radiustest.Attribute{radiustest.Attr(92, ours[:253]), radiustest.Attr(92, ours[:253]), radiustest.Attr(92, ours[:94])}
	var whole string
	for _, piece := range pieces {
		whole += attribute(92, piece.Value)
	}
	vip := radiustest.Attr(92, "vip")
	tests := []struct {
		mode    dict.Conflict
		name    string
		aaa     []radiustest.Attribute
		want    string
		outcome string
	}{
		{dict.ReplaceOurs, "ours already", pieces, whole, "injected"},
		{dict.ReplaceOurs, "ours and theirs", append([]radiustest.Attribute{vip}, pieces...), "5c 05 'vip'" + whole, "beside"},
		{dict.Append, "ours already", pieces, whole, "injected"},
		{dict.Append, "ours before another", append(slices.Clone(pieces), radiustest.Attr(18, "hello")), whole + "12 07 'hello'", "injected"},
		{dict.Append, "a part of it", pieces[2:], attribute(92, pieces[2].Value) + whole, "injected"},
	}
	for _, tt := range tests {
		t.Run(string(tt.mode)+"/"+tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, answering(accept(tt.aaa...)), func(s *setup) {
				s.profile = &dict.ProfileSpec{Filtered: dict.Sayings{"NAS-Filter-Rule": {ours}}, Conflict: tt.mode}
			})
			match(t, "answer", attributesOf(s.exchange(s.nas, access(t, 1, user))), "50 12 *16 "+tt.want)
			s.injections(map[string]uint64{tt.outcome: 1})
		})
	}
}

func TestCase38ExemptUserGetsNoFilter(t *testing.T) {
	t.Parallel()
	const fixed = " 01 10 'f.u1@atson.net' "
	s := start(t, answering(accept(radiustest.Attr(11, "vip"), radiustest.Attr(11, "op25b"), radiustest.Attr(18, "hello"))))
	got := s.exchange(s.nas, access(t, 1, fixed))
	match(t, "answer", attributesOf(got), "50 12 *16 0b 05 'vip' 12 07 'hello'") // ours would be stale
	s.injections(map[string]uint64{"nothing-to-say": 1})
}

func TestCase38RejectAndChallengeAreNotInjected(t *testing.T) {
	t.Parallel()
	for _, code := range []byte{radiustest.AccessReject, radiustest.AccessChallenge} {
		s := start(t, answering(func(r *radiustest.Request) [][]byte { return [][]byte{r.Reply(code, radiustest.Attr(11, "vip"))} }))
		match(t, "answer", attributesOf(s.exchange(s.nas, access(t, 1, user))), "50 12 *16 0b 05 'vip'")
		s.injections(map[string]uint64{})
		if d := s.proxy.Stats().Decisions; len(d) != 0 {
			t.Errorf("decided %v", d)
		}
	}
}

func TestCase38TheStageBegins(t *testing.T) {
	t.Parallel()
	stage := time.Date(2007, 5, 15, 0, 0, 0, 0, time.UTC)
	s := start(t, func(s *setup) { s.today = stage.Add(-time.Hour) })
	match(t, "an hour before", attributesOf(s.exchange(s.nas, access(t, 1, user))), "50 12 *16")
	s = start(t, func(s *setup) { s.today = stage.Add(-time.Second) })
	var got []byte
	s.until("the stage begins", func() bool {
		s.now.advance(time.Second / 2)
		got = attributesOf(s.exchange(s.nas, s.nas.Request(radiustest.AccessRequest, radiustest.Attr(1, "u1@atson.net"))))
		return len(got) > 18 // a Message-Authenticator alone
	})
	match(t, "from then on", got, accepted)
}

func TestCase38RequestAttributesDecide(t *testing.T) {
	t.Parallel()
	s := start(t)
	match(t, "ISDN", attributesOf(s.exchange(s.nas, access(t, 1, user+"3d 06 00000002"))), "50 12 *16")
	match(t, "Virtual", attributesOf(s.exchange(s.nas, access(t, 2, user+"3d 06 00000005"))), accepted)
	match(t, "an invalid value", attributesOf(s.exchange(s.nas, access(t, 3, user+"3d 03 02"))), accepted)
}

func TestCase44NASWithoutProfile(t *testing.T) {
	t.Parallel()
	s := start(t, answering(accept(radiustest.Attr(11, "op25b"))), func(s *setup) { s.profile = nil })
	match(t, "answer", attributesOf(s.exchange(s.nas, access(t, 1, user))), "50 12 *16 0b 07 'op25b'")
	s.injections(map[string]uint64{"no-profile": 1})
}

func TestCase45MalformedVSAsOfOurOwnVendor(t *testing.T) {
	t.Parallel()
	const ours = " 1a 16 00000009 01 10 'ip:inacl=op25b' "
	tests := []struct{ name, aaa, want string }{
		{"no room for a vendor", "1a 05 000000", "1a 05 000000"},
		{"a vendor alone", "1a 06 00000009", "1a 06 00000009"},
		{"only a sub-type", "1a 07 00000009 01", "1a 07 00000009 01"},
		{"sub-length 0", "1a 08 00000009 0100", "1a 08 00000009 0100"},
		{"sub-length 1", "1a 08 00000009 0101", "1a 08 00000009 0101"},
		{"sub-length 2", "1a 08 00000009 0102", "1a 08 00000009 0102"},
		{"sub-overrun", "1a 0a 00000009 01 05 'ab'", "1a 0a 00000009 01 05 'ab'"},
		{"255 octets", "1a ff 00000009 01 f9" + strings.Repeat("61", 247), "1a ff 00000009 01 f9" + strings.Repeat("61", 247)},
		{"ours and a malformed tail", "1a 18 00000009 01 10 'ip:inacl=op25b' 01 00", "1a 18 00000009 01 10 'ip:inacl=op25b' 01 00"},
		{"another's and a malformed tail", "1a 0d 00000009 01 05 'abc' 01 09", "1a 0d 00000009 01 05 'abc' 01 09"},
		{"ours between others", "1a 1e 00000009 02 04 'xx' 01 10 'ip:inacl=stale' 01 04 'yy'", "1a 0e 00000009 02 04 'xx' 01 04 'yy'"},
		{"ours alone", "1a 16 00000009 01 10 'ip:inacl=op25b'", ""},
		{"vendor 0, whose numbers are nobody's", "1a 0b 00000000 01 05 'abc'", "1a 0b 00000000 01 05 'abc'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			attr := octets(t, tt.aaa)
			s := start(t, answering(accept(radiustest.Attribute{Type: attr[0], Value: attr[2:]})), func(s *setup) {
				s.profile = &dict.ProfileSpec{Filtered: dict.Sayings{"Cisco-AVPair": {"ip:inacl={filter}"}}}
			})
			got := s.exchange(s.nas, access(t, 1, user))
			match(t, "answer", attributesOf(got), "50 12 *16 "+tt.want+ours)
		})
	}
}

func TestCase45VendorZeroIsNotTheRFCs(t *testing.T) {
	t.Parallel()
	s := start(t, answering(accept(radiustest.Vendor(0, 11, "vip"))))
	got := s.exchange(s.nas, access(t, 1, user))
	match(t, "answer", attributesOf(got), "50 12 *16 1a 0b 00000000 0b 05 'vip' 0b 07 'op25b'")
}

func TestCase46UserNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("u", 243)
	tests := []struct{ name, user, action, rule string }{
		{"plain", "u1@atson.net", "block", "stage"},
		{"prefix, realm in capitals", "f.u1@ATSON.NET", "open", "fixed"},
		{"prefix in capitals", "F.u1@atson.net", "open", "fixed"},
		{"prefix and nothing else is an account", "f.@atson.net", "limit", "mobile"},
		{"f is an account", "f@atson.net", "block", "stage"},
		{"the prefix in the realm", "u1@f.atson.net", "open", "unknown-contract"},
		{"no realm", "f.u1", "open", "unknown-contract"},
		{"two at signs: the last counts", "a@b@atson.net", "limit", "mobile"},
		{"Shift_JIS", "\x83e\x83\\@atson.net", "open", "unknown-contract"},
		{"NUL and newline", "u1\x00\n@atson.net", "open", "unknown-contract"},
		{"253 octets", long + "@atson.net", "limit", "mobile"},
		{"empty", "", "open", "unknown-contract"},
		{"only an at sign", "@", "open", "unknown-contract"},
	}
	known := contracts{
		"u1": subscribers["u1"], "f": subscribers["u1"],
		"f.": subscribers["m1"], "a@b": subscribers["m1"], long: subscribers["m1"],
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(s *setup) { s.subscribers = known })
			name := attribute(1, []byte(tt.user))
			s.exchange(s.nas, access(t, 1, name))
			match(t, "upstream", attributesOf(s.seen(1)[0].Raw), "50 12 *16 "+name+"21 0a *8")
			for ruling := range s.proxy.Stats().Decisions {
				if ruling.Action != tt.action || ruling.Rule != tt.rule {
					t.Errorf("decided %v, want %s by %s", ruling, tt.action, tt.rule)
				}
			}
		})
	}
}

func TestCase46AccountInShiftJIS(t *testing.T) {
	t.Parallel()
	s := start(t, func(s *setup) { s.subscribers = contracts{"\x83e\x83\\": subscribers["u1"]} })
	got := s.exchange(s.nas, access(t, 1, attribute(1, []byte("\x83e\x83\\@atson.net"))))
	match(t, "answer", attributesOf(got), accepted)
}

func TestCase46NoUserName(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.exchange(s.nas, access(t, 1, "04 06 c0000201"))
	s.injections(map[string]uint64{"nothing-to-say": 1})
}

func TestCase46EAPIdentityOfTheAccept(t *testing.T) {
	t.Parallel()
	const anonymous = "01 0b 'anonymous' 4f 03 'x' 50 12 *16"
	s := start(t, answering(accept(radiustest.Attr(1, "u1@atson.net"))))
	match(t, "EAP", attributesOf(s.exchange(s.nas, access(t, 1, anonymous))), "50 12 *16 01 0e 'u1@atson.net' 0b 07 'op25b'")
	match(t, "not EAP", attributesOf(s.exchange(s.nas, access(t, 2, "01 0b 'anonymous'"))), "50 12 *16 01 0e 'u1@atson.net'")
}

func TestCase49WhatIsNoSubscriberSession(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, request, aaa, outcome string }{
		{"Login", "", "06 06 00000001", "admin-login"},
		{"Administrative", "", "06 06 00000006", "admin-login"},
		{"NAS-Prompt", "", "06 06 00000007", "admin-login"},
		{"asked for by the request", "06 06 00000006", "12 03 'x'", "admin-login"},
		{"asked for, the AAA says Framed", "06 06 00000006", "06 06 00000002", "injected"},
		{"Framed", "", "06 06 00000002", "injected"},
		{"Authorize-Only", "06 06 00000011", "12 03 'x'", "injected"},
		{"a Service-Type of 3 octets is none", "", "06 05 000006", "injected"},
		{"Cisco shell", "", "1a 19 00000009 01 13 'shell:priv-lvl=15'", "admin-login"},
		{"Cisco shell behind another pair", "", "1a 1d 00000009 01 04 'xx' 01 13 'shell:priv-lvl=15'", "admin-login"},
		{"another vendor's shell", "", "1a 19 0000000a 01 13 'shell:priv-lvl=15'", "injected"},
		{"L2TP", "", "40 06 00000003", "tunnel"},
		{"L2TP, tagged", "", "40 06 01000003", "tunnel"},
		{"PPTP", "", "40 06 00000001", "tunnel"},
		{"VLAN", "", "40 06 0000000d", "injected"},
		{"a tunnel's end without a type", "", "43 0b '192.0.2.1'", "tunnel"},
		{"Cisco VPDN", "", "1a 1d 00000009 01 17 'vpdn:tunnel-type=l2tp'", "tunnel"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			attr := octets(t, tt.aaa)
			s := start(t, answering(accept(radiustest.Attribute{Type: attr[0], Value: attr[2:]})))
			got := s.exchange(s.nas, access(t, 1, user+tt.request))
			want := "50 12 *16 " + tt.aaa
			if tt.outcome == "injected" {
				want += " 0b 07 'op25b'"
			}
			match(t, "answer", attributesOf(got), want)
			s.injections(map[string]uint64{tt.outcome: 1})
		})
	}
}

func TestCase49TheRequestOfTheTunnelsEndIsInjected(t *testing.T) {
	t.Parallel()
	s := start(t)
	lns := user + "40 06 00000003 42 0b '192.0.2.1' 06 06 00000002"
	match(t, "answer", attributesOf(s.exchange(s.nas, access(t, 1, lns))), accepted)
}

// broken is a store that does not work.
type broken func() error

func (b broken) Subscriber(string, *engine.Facts) error { return b() }

func TestCase50NoDecisionCanBeMade(t *testing.T) {
	t.Parallel()
	noDecision(t, func() error { return errors.New("database not open") })
}

func TestCase50PanicWhileDeciding(t *testing.T) {
	t.Parallel()
	noDecision(t, func() error { panic("index out of range") })
}

// noDecision holds what becomes of an Accept in each fail mode.
func noDecision(t *testing.T, way broken) {
	t.Helper()
	modes := []struct{ fail, want string }{
		{"", "50 12 *16 12 03 'x'"},
		{"open", "50 12 *16 12 03 'x'"},
		{"block", "50 12 *16 12 03 'x' 0b 07 'op25b'"},
	}
	for _, mode := range modes {
		t.Run("fail "+mode.fail, func(t *testing.T) {
			t.Parallel()
			s := start(t, answering(accept(radiustest.Attr(18, "x"))), func(s *setup) { s.subscribers, s.profile.Fail = way, mode.fail })
			match(t, "answer", attributesOf(s.exchange(s.nas, access(t, 1, user))), mode.want)
			s.quiet(s.nas) // sent once
			s.injections(map[string]uint64{"fail-mode": 1})
			s.until("it stands in the log", func() bool { return strings.Contains(s.log.String(), "no decision could be made") })
		})
	}
}

func TestCase50FailModeDrop(t *testing.T) {
	t.Parallel()
	s := start(t, func(s *setup) {
		s.subscribers, s.profile.Fail = broken(func() error { return errors.New("closed") }), dict.FailDrop
	})
	must(t, s.nas.Send(access(t, 1, user)))
	s.until("the Accept is dropped", func() bool { return s.drops("fail-mode") == 1 })
	s.quiet(s.nas)
	s.injections(map[string]uint64{"fail-mode": 1})
	if held := s.proxy.Stats().Held; held != 0 {
		t.Errorf("%d requests held", held)
	}
	must(t, s.nas.Send(access(t, 1, user))) // asks again: a new attempt
	s.seen(2)
}

func TestCase51FilterNames(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("x", 253)
	for name, filter := range map[string]string{"253 octets": longest, "NUL, space and UTF-8": "no 25\x00番"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(s *setup) { s.policy.Actions[2].Filter = filter })
			got := s.exchange(s.nas, access(t, 1, user))
			match(t, "answer", attributesOf(got), "50 12 *16 "+attribute(11, []byte(filter)))
		})
	}
}

func TestCase51AFilterNameOf254OctetsIsRefused(t *testing.T) {
	t.Parallel()
	why := refusal(t, func(s *setup) { s.policy.Actions[2].Filter = strings.Repeat("x", 254) })
	if !strings.Contains(why, "at most 253 octets") {
		t.Errorf("refused because: %s", why)
	}
}

func TestCase49MoreWaysToSayThatItIsNoSubscriber(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, request, aaa, outcome string }{
		{"a second Service-Type is Administrative", "", "06 06 00000002 06 06 00000006", "admin-login"},
		{"a malformed one before it", "", "06 03 06 06 06 00000006", "admin-login"},
		{"Callback-NAS-Prompt", "", "06 06 00000009", "admin-login"},
		{"Callback-Administrative", "", "06 06 0000000b", "admin-login"},
		{"a shell pair in capitals", "", "1a 19 00000009 01 13 'Shell:priv-lvl=15'", "admin-login"},
		{"asked for, and the Accept's is malformed", "06 06 00000006", "06 03 02", "admin-login"},
		{"asked for, and the Accept says Framed", "06 06 00000006", "06 06 00000002", "injected"},
		{"GRE", "", "40 06 0000000a 43 0b '192.0.2.9'", "tunnel"},
		{"ERX-Tunnel-Group", "", "1a 0f 0000130a 40 09 'lac-one'", "tunnel"},
		{"ESP carries this session", "", "40 06 00000009", "injected"},
		{"a VLAN carries this session", "", "40 06 0000000d 43 0b '192.0.2.9'", "injected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, answering(func(r *radiustest.Request) [][]byte {
				p, err := radiustest.Decode(packetOf(t, radiustest.AccessAccept, r.ID, "*16", "50 12 *16 "+tt.aaa))
				must(t, err)
				return [][]byte{r.Sign(p)}
			}))
			s.exchange(s.nas, access(t, 1, user+tt.request))
			s.injections(map[string]uint64{tt.outcome: 1})
		})
	}
}
