//go:build realparts

package realparts

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// Codes of RFC 5176 that the tests look for on the wire.
const (
	codeDisconnectRequest = 40
	codeDisconnectACK     = 41
	codeDisconnectNAK     = 42
	codeCoARequest        = 43
	codeCoAACK            = 44
	codeCoANAK            = 45

	attrUserName        = 1
	attrFilterID        = 11
	attrErrorCause      = 101
	attrFramedIPAddress = 8
)

// A liveLine is a subscriber on a real line whose router sekisho tells things.
type liveLine struct {
	*Street
	LineCase
	wire    *Wire
	address netip.Addr
	clock   func() time.Time // the daemon's
	told    int              // CoA-ACKs so far
}

// atNoon is when the live line comes up: stage 1 is in force.
const atNoon = "2007-04-02T12:00:00+09:00"

// dialLive brings a street up with one subscriber online, behind a router that
// takes CoA.
func dialLive(t *testing.T, line LineCase) *liveLine {
	t.Helper()
	nas := []SiteNAS{{
		Name: "bras-1", Source: "127.0.0.1", NASIP: brasIP, Secret: nasSecret, Area: "tokyo", Profile: "l2tpns",
		CoA: fmt.Sprintf("address: 127.0.0.1, port: %d", daePort),
	}}
	street := NewStreet(t, newSite("asahi-net", nas), lineUsers([]LineCase{line}))
	l := &liveLine{Street: street, LineCase: line, wire: TapLoopback(t, street.BRAS.netns)}
	noon, err := time.Parse(time.RFC3339, atNoon)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now() // the daemon's clock is a moment later: it begins when it has started
	street.Sekisho.Serve(t, atNoon)
	l.clock = func() time.Time { return noon.Add(time.Since(began)) }
	street.Sekisho.Import(t, lineContracts([]LineCase{line})...)
	street.Guest.Dial(t, 0, line.Login(), line.Password(), line.Options...)
	l.address = street.Guest.Online(t, 0)
	street.AAA.WaitAccounting(t, "Start", func(a Attributes) bool { return a.Get("User-Name") == line.Login() })
	return l
}

// becomes waits until the router has acknowledged one CoA more, within that
// time, and tries the ports of the line: foreign tells whether it reaches port 25
// of foreign servers.
func (l *liveLine) becomes(t *testing.T, why string, within time.Duration, foreign bool) {
	t.Helper()
	l.told++
	Eventually(t, within, fmt.Sprintf("CoA-ACK %d, %s", l.told, why), func() error {
		acks, naks := l.wire.From(daePort, codeCoAACK), l.wire.From(daePort, codeCoANAK)
		if len(naks) > 0 {
			t.Fatalf("%s: the router refused: %v", why, naks)
		}
		if len(acks) < l.told {
			return fmt.Errorf("%d so far", len(acks))
		}
		return nil
	})
	l.proveLive(t, why, l.address, foreign, true)
	if lines := strings.Split(strings.TrimSpace(l.Sekisho.CLI(t, "sessions", "list", "--drift", "-o", "csv")), "\n"); len(lines) != 1 {
		t.Errorf("%s: there is drift:\n%s", why, strings.Join(lines, "\n"))
	}
	if acks := len(l.wire.From(daePort, codeCoAACK)); acks != l.told {
		t.Errorf("%s: %d CoA-ACKs, want %d", why, acks, l.told)
	}
}

// neverReconnected wants the AAA server to have seen one session begin and none
// end.
func (l *liveLine) neverReconnected(t *testing.T) {
	t.Helper()
	seen := map[string]int{}
	for _, record := range l.AAA.Accounting(t) {
		if record.Get("User-Name") == l.Login() {
			seen[record.Get("Acct-Status-Type")]++
		}
	}
	if seen["Start"] != 1 || seen["Stop"] != 0 {
		t.Errorf("the AAA server counts %v, want one Start and no Stop", seen)
	}
}

// TestGrantOpensTheLiveRealLine changes what is decided for a subscriber who is
// online on a real PPPoE line: each change reaches port 25 of that line, and the
// line never goes down.
func TestGrantOpensTheLiveRealLine(t *testing.T) {
	Need(t, lineParts()...)
	l := dialLive(t, asahiToday[0])
	l.proveLive(t, "at login", l.address, false, true)

	said := l.Sekisho.CLI(t, "grant", l.Account, "--until", "3h", "--reason", "own mail server")
	if !strings.Contains(said, l.Login()+" on-line at bras-1 since ") || !strings.Contains(said, ": open (router acknowledged, ") {
		t.Errorf("grant said\n%s", said)
	}
	l.becomes(t, "granted", promptly, true)
	l.Sekisho.CLI(t, "revoke", l.Account, "--reason", "a mistake")
	l.becomes(t, "revoked", promptly, false)

	const opens = 20 * time.Second
	l.Sekisho.CLI(t, "grant", l.Account, "--until", l.clock().Add(opens).Format(time.RFC3339), "--reason", "for a moment")
	l.becomes(t, "granted for a moment", promptly, true)
	l.becomes(t, "the grant is over", opens+promptly, false)

	open, closed := lineContracts([]LineCase{l.LineCase}), lineContracts([]LineCase{l.LineCase})
	open[0].Course = "Bフレッツファミリー"
	l.Sekisho.Import(t, open...)
	l.becomes(t, "another course", promptly, true)
	l.Sekisho.Import(t, closed...)
	l.becomes(t, "the old course again", promptly, false)

	out := l.Sekisho.CLI(t, "nas", "probe", "bras-1", "--user", l.Account)
	if n := strings.Count(out, "CoA-ACK"); n != 5 || !strings.Contains(out, "acknowledged everything") {
		t.Errorf("the probe said\n%s", out)
	}
	l.told += 4 // and one more, which puts back what is wanted
	l.becomes(t, "probed", promptly, false)
	l.neverReconnected(t)
}

// promptly is what a change may take from the verb to the router's answer, on a
// machine that is busy with other tests.
const promptly = 15 * time.Second
