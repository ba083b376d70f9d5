package radius_test

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"strings"
	"testing"

	"sekisho/radius"
	"sekisho/radius/radiustest"
)

func TestCase06PAPPasswordLengths(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, password string }{
		{"1 octet", "x"},
		{"16 octets", strings.Repeat("p", 16)},
		{"17 octets", strings.Repeat("p", 17)},
		{"128 octets", strings.Repeat("0123456789abcdef", 8)},
		{"with NUL inside and Shift_JIS", "ab\x00\x83\x65\x00cd\xff"},
		{"only NULs", strings.Repeat("\x00", 32)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			hidden := radiustest.HidePassword([]byte(tt.password), octets(t, authenticator), []byte(nasSecret))
			s.exchange(s.nas, access(t, 1, user+attribute(2, hidden)))
			r := s.seen(1)[0]
			got := radiustest.RevealPassword([]byte(r.Value(radiustest.UserPassword)), r.Authenticator[:], []byte(aaaSecret))
			want := make([]byte, len(hidden))
			copy(want, tt.password)
			if !bytes.Equal(got, want) {
				t.Errorf("the AAA reads %q, want %q", got, want)
			}
		})
	}
}

func TestCase06SecretsAreOctets(t *testing.T) {
	t.Parallel()
	const secret = "a\x00b\x00"
	s := start(t, func(s *setup) {
		s.nas.Secret = radius.NewSecret([]byte(secret))
	})
	s.nas.Secret = []byte(secret)
	request := s.nas.Request(radiustest.AccessRequest, radiustest.PAP("u1@atson.net", "himitsu")...)
	s.exchange(s.nas, request)
	if r := s.seen(1)[0]; !r.KnowsPassword("himitsu") {
		t.Errorf("the AAA reads %q", r.Password())
	}
}

func TestCase06PasswordThatCannotBeHidden(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i, length := range []int{1, 15, 17, 144} {
		s.dropped("hidden", s.nas, access(t, byte(i), user+attribute(2, make([]byte, length))))
	}
	if held := s.proxy.Stats().Held; held != 0 {
		t.Errorf("%d requests are still held", held)
	}
}

func TestCase07CHAPChallengeWasTheAuthenticator(t *testing.T) {
	t.Parallel()
	s := start(t)
	response := md5.Sum(append([]byte("\x2ahimitsu"), octets(t, authenticator)...))
	chap := fmt.Sprintf(" 03 13 2a %x ", response)
	s.exchange(s.nas, access(t, 1, user+chap))
	r := s.seen(1)[0]
	match(t, "upstream", attributesOf(r.Raw), "50 12 *16"+user+chap+"3c 12"+authenticator+"21 0a *8")
	if !r.KnowsPassword("himitsu") {
		t.Error("the AAA cannot verify the password")
	}
}

func TestCase08CHAPChallengeStays(t *testing.T) {
	t.Parallel()
	const chap = " 03 13 01 000102030405060708090a0b0c0d0e0f 3c 1a 'twenty-four octets long.' "
	s := start(t)
	s.exchange(s.nas, access(t, 1, user+chap))
	match(t, "upstream", attributesOf(s.seen(1)[0].Raw), "50 12 *16"+user+chap+"21 0a *8")
}

// salted hides a value as the AAA does for one request.
func salted(r *radiustest.Request, value, salt string) []byte {
	return radiustest.HideSalted([]byte(value), [2]byte{salt[0], salt[1]}, r.Authenticator[:], r.Secret)
}

// revealed reads a salted value as the router does.
func revealed(t *testing.T, hidden []byte) string {
	t.Helper()
	value, err := radiustest.RevealSalted(hidden, octets(t, authenticator), []byte(nasSecret))
	if err != nil {
		t.Error(err)
	}
	return string(value)
}

func TestCase09MPPEKeys(t *testing.T) {
	t.Parallel()
	send, recv := strings.Repeat("S", 32), strings.Repeat("R", 16)
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		return [][]byte{r.Reply(radiustest.AccessAccept,
			radiustest.Vendor(311, 16, string(salted(r, send, "\x80\x01"))),
			radiustest.Vendor(311, 17, string(salted(r, recv, "\x80\x02"))))}
	}))
	got := s.exchange(s.nas, access(t, 1, user))
	match(t, "answer", attributesOf(got), "50 12 *16 1a 3a 00000137 10 34 *50 1a 2a 00000137 11 24 *34 0b 07 'op25b'")
	first, second := got[46:46+50], got[46+50+8:46+50+8+34]
	if revealed(t, first) != send || revealed(t, second) != recv {
		t.Errorf("the keys are %x and %x", revealed(t, first), revealed(t, second))
	}
	if bytes.Equal(first[:2], second[:2]) || first[0]&0x80 == 0 || second[0]&0x80 == 0 {
		t.Errorf("salts %x and %x", first[:2], second[:2])
	}
}

func TestCase10ThreeTunnelPasswords(t *testing.T) {
	t.Parallel()
	passwords := []string{"first", "", strings.Repeat("x", 239)}
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		var attributes []radiustest.Attribute
		for i, password := range passwords {
			hidden := salted(r, password, "\x80"+string(rune('0'+i)))
			attributes = append(attributes, radiustest.Attr(69, string(rune(i+1))+string(hidden)))
		}
		return [][]byte{r.Reply(radiustest.AccessAccept, attributes...)}
	}))
	request := access(t, 1, user)
	answer, err := s.nas.Verify(request, s.exchange(s.nas, request))
	must(t, err)
	tunnels := answer.Values(69)
	if len(tunnels) != len(passwords) {
		t.Fatalf("%d tunnel passwords", len(tunnels))
	}
	for i, hidden := range tunnels {
		if hidden[0] != byte(i+1) || revealed(t, hidden[1:]) != passwords[i] {
			t.Errorf("number %d has tag %d and is %q", i+1, hidden[0], revealed(t, hidden[1:]))
		}
	}
}

func TestCase11AscendSecretAndMPPEKeys(t *testing.T) {
	t.Parallel()
	lm := "12345678" + strings.Repeat("h", 16)
	ascend := func(value string, authenticator []byte, secret string) []byte {
		pad := md5.Sum(append(bytes.Clone(authenticator), secret...))
		hidden := []byte(value)
		for i := range hidden {
			hidden[i] ^= pad[i]
		}
		return hidden
	}
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		secret := string(ascend("ascend-secret-16", r.Authenticator[:], aaaSecret))
		return [][]byte{r.Reply(radiustest.AccessAccept,
			radiustest.Vendor(529, 214, secret),
			radiustest.Attr(215, secret[:5]),
			radiustest.Attribute{Type: 26, Value: append(octets(t, "000012ee 00d7 13"), secret...)}, // Lucent: type in 2 octets
			radiustest.Vendor(311, 12, string(radiustest.HidePassword([]byte(lm), r.Authenticator[:], r.Secret))))}
	}))
	got := attributesOf(s.exchange(s.nas, access(t, 1, user)))
	match(t, "answer", got, "50 12 *16 1a 18 00000211 d6 12 *16 d7 07 *5 1a 19 000012ee 00d7 13 *16 1a 28 00000137 0c 22 *32 0b 07 'op25b'")
	ra := octets(t, authenticator)
	for what, value := range map[string][]byte{"26.529.214": got[26:42], "215": got[44:49], "26.4846.215": got[58:74]} {
		if plain := ascend(string(value), ra, nasSecret); !strings.HasPrefix("ascend-secret-16", string(plain)) {
			t.Errorf("%s is %q", what, plain)
		}
	}
	if keys := radiustest.RevealPassword(got[82:114], ra, []byte(nasSecret)); string(keys[:24]) != lm {
		t.Errorf("MS-CHAP-MPPE-Keys are %q", keys)
	}
}

func TestCase11CleartextTunnelPasswordStays(t *testing.T) {
	t.Parallel()
	s := start(t, answering(accept(radiustest.Vendor(4874, 9, "in the clear"))))
	got := s.exchange(s.nas, access(t, 1, user))
	match(t, "answer", attributesOf(got), "50 12 *16 1a 14 0000130a 09 0e 'in the clear' 0b 07 'op25b'")
}

func TestCase11BareAttributesTooLongForAscend(t *testing.T) {
	t.Parallel()
	s := start(t, answering(accept(radiustest.Attr(214, "seventeen octets."), radiustest.Attr(215, strings.Repeat("x", 253)))))
	got := s.exchange(s.nas, access(t, 1, user))
	match(t, "answer", attributesOf(got), "50 12 *16 d6 13 'seventeen octets.' d7 ff"+strings.Repeat("78", 253)+"0b 07 'op25b'")
}

func TestCase11HiddenByAnotherSecret(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		value func(*radiustest.Request) []byte
	}{
		{"inner length beyond the value", func(r *radiustest.Request) []byte {
			hidden := salted(r, "secret", "\x80\x01")
			hidden[2] ^= 0xff
			return hidden
		}},
		{"not a multiple of 16", func(r *radiustest.Request) []byte { return salted(r, "secret", "\x80\x01")[:17] }},
		{"salt alone", func(*radiustest.Request) []byte { return []byte{0x80, 1} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, answering(func(r *radiustest.Request) [][]byte {
				return [][]byte{r.Reply(radiustest.AccessAccept, radiustest.Vendor(311, 16, string(tt.value(r))))}
			}))
			must(t, s.nas.Send(access(t, 1, user)))
			s.until("the reply is dropped", func() bool { return s.drops("hidden") == 1 })
			s.quiet(s.nas)
		})
	}
}

func TestCase11SaltWithoutItsHighestBitIsLetIn(t *testing.T) {
	t.Parallel()
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		return [][]byte{r.Reply(radiustest.AccessAccept, radiustest.Vendor(311, 16, string(salted(r, "key", "\x00\x01"))))}
	}))
	got := attributesOf(s.exchange(s.nas, access(t, 1, user)))
	if hidden := got[26:44]; revealed(t, hidden) != "key" || hidden[0]&0x80 == 0 {
		t.Errorf("got %x", hidden)
	}
}

func TestAccountingGoesThroughWithWhatCannotBeDecrypted(t *testing.T) {
	t.Parallel()
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		return [][]byte{r.Reply(radiustest.AccountingResponse, radiustest.Attr(2, "short"))}
	}))
	zeros := make([]byte, 16)
	right := radiustest.HidePassword([]byte("himitsu"), zeros, []byte(nasSecret))
	const wrong = " 02 07 'short' 1a 0e 00000137 10 08 80 01 'wxyz' "
	got := s.exchange(s.acct, accounting(t, 1, user+wrong+attribute(2, right)))
	match(t, "answer", attributesOf(got), "02 07 'short'")
	r := s.seen(1)[0]
	match(t, "upstream", attributesOf(r.Raw), user+wrong+"02 12 *16 21 0a *8")
	last := attributesOf(r.Raw)[len(octets(t, user+wrong))+2:][:16]
	if got := radiustest.RevealPassword(last, zeros, []byte(aaaSecret)); string(got[:8]) != "himitsu\x00" {
		t.Errorf("the AAA reads %q behind them", got)
	}
}

func TestAccountingWithUserPasswordInside(t *testing.T) {
	t.Parallel()
	s := start(t)
	zeros := make([]byte, 16)
	hidden := radiustest.HidePassword([]byte("himitsu"), zeros, []byte(nasSecret))
	s.exchange(s.acct, accounting(t, 1, user+attribute(2, hidden)))
	r := s.seen(1)[0]
	if got := radiustest.RevealPassword([]byte(r.Value(2)), zeros, []byte(aaaSecret)); string(got[:8]) != "himitsu\x00" {
		t.Errorf("the AAA reads %q", got)
	}
}
