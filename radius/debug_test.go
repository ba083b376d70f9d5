package radius_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sekisho/radius/radiustest"
)

var update = flag.Bool("update", false, "write the golden files of this package")

// golden compares text with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		must(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if got != string(want) {
		t.Errorf("%s:\n got:\n%s\nwant:\n%s", file, got, want)
	}
}

// debugged runs a proxy with debug output on; the function returns what was
// written so far with addresses by name and random octets left out.
func debugged(t *testing.T, changes ...func(*setup)) (*site, func() string) {
	t.Helper()
	s := start(t, changes...)
	out := &logBuffer{}
	s.inside().SetDebug(out)
	return s, func() string {
		text := strings.NewReplacer(
			s.nas.Addr().String(), "NAS", s.acct.Addr().String(), "NAS",
			s.authAddr.String(), "AUTH", s.acctAddr.String(), "ACCT", s.aaa.Addr.String(), "AAA",
		).Replace(out.String())
		if seen := s.aaa.Seen(); len(seen) > 0 {
			text = strings.ReplaceAll(text, seen[0].From.String(), "SOCKET")
			for _, state := range seen[0].Values(33) {
				text = strings.ReplaceAll(text, hex.EncodeToString(state), "OURS")
			}
		}
		return regexp.MustCompile(`(Message-Authenticator = 0x)[0-9a-f]*`).ReplaceAllString(text, "$1..") + "\n"
	}
}

func TestDebugShowsALoginFromEndToEnd(t *testing.T) {
	t.Parallel()
	s, text := debugged(t, answering(accept(radiustest.Attr(18, "ようこそ"), radiustest.Vendor(9, 1, "ip:addr-pool=a"), radiustest.Attr(25, "\x00\xff"))))
	request := s.nas.Request(radiustest.AccessRequest, radiustest.PAP("u1@atson.net", "himitsu",
		radiustest.Number(61, 5), radiustest.Number(4, 0xc0000201), radiustest.Attr(200, "??"), radiustest.Vendor(64000, 7, "x"))...)
	s.exchange(s.nas, request)
	s.exchange(s.nas, request)
	s.quiet(s.nas)
	golden(t, "login.txt", text())
}

func TestDebugSaysWhatWasDroppedAndWhy(t *testing.T) {
	t.Parallel()
	s, text := debugged(t, answering(func(r *radiustest.Request) [][]byte {
		if r.Code == radiustest.AccountingRequest {
			return nil
		}
		forged := r.Reply(radiustest.AccessReject)
		forged[5] ^= 1
		return [][]byte{forged, r.Reply(radiustest.AccessReject)}
	}))
	must(t, s.nas.Send(octets(t, "01 02 03")))
	s.exchange(s.nas, access(t, 3, user))
	must(t, s.acct.Send(accounting(t, 4, user)))
	must(t, s.acct.Send(accounting(t, 4, user)))
	s.quiet(s.acct)
	golden(t, "drops.txt", text())
}

func TestDebugNeverShowsASecret(t *testing.T) {
	t.Parallel()
	const password, tunnel = "himitsu-no-password", "tunnel-himitsu"
	s, text := debugged(t, answering(func(r *radiustest.Request) [][]byte {
		return [][]byte{r.Reply(radiustest.AccessAccept,
			radiustest.Attr(69, "\x01"+string(salted(r, tunnel, "\x80\x01"))),
			radiustest.Vendor(311, 16, string(salted(r, tunnel, "\x80\x02"))),
			radiustest.Vendor(4874, 9, tunnel),
			radiustest.Vendor(9, 1, "vpdn:l2tp-tunnel-password="+tunnel),
			radiustest.Attr(214, tunnel),
		)}
	}))
	request := s.nas.Request(radiustest.AccessRequest, radiustest.PAP("u1@atson.net", password,
		radiustest.Vendor(311, 1, strings.Repeat("R", 50)), radiustest.Vendor(311, 25, strings.Repeat("Q", 50)),
		radiustest.Vendor(311, 3, strings.Repeat("N", 50)), radiustest.Vendor(9, 1, "wpa-psk=hidden"))...)
	s.exchange(s.nas, request)
	s.exchange(s.nas, s.nas.CHAP("u1@atson.net", password))
	got := text()
	hidden := [][]byte{
		[]byte(password), []byte(tunnel), []byte(nasSecret), []byte(aaaSecret), []byte("hidden"),
		bytes.Repeat([]byte("R"), 8), bytes.Repeat([]byte("Q"), 8), bytes.Repeat([]byte("N"), 8),
	}
	for _, r := range s.seen(2) {
		hidden = append(hidden, []byte(r.Value(2)), []byte(r.Value(3)))
	}
	for _, secret := range hidden {
		if len(secret) > 0 && (strings.Contains(got, string(secret)) || strings.Contains(got, hex.EncodeToString(secret))) {
			t.Errorf("%q stands in\n%s", secret, got)
		}
	}
	if n := strings.Count(got, "<<< secret >>>"); n < 14 {
		t.Errorf("only %d values are masked in\n%s", n, got)
	}
	s.inside().SetDebug(nil)
	s.exchange(s.nas, access(t, 9, user))
	if text() != got {
		t.Error("debug output goes on after it was turned off")
	}
}

func TestDebugOfMalformedVendorAttributes(t *testing.T) {
	t.Parallel()
	s, text := debugged(t)
	s.exchange(s.nas, access(t, 1, user+"1a 02 1a 05 000000 1a 06 00000009 1a 0c 00000137 1904 'kk' 1909 1a 0a 00000137 19 08 'kk'"))
	golden(t, "malformed.txt", text())
}
