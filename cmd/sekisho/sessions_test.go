package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/radius/radiustest"
)

// account sends a record from bras-tokyo and waits until the daemon lists so
// many sessions.
func (o *office) account(t *testing.T, status uint32, user, session string, live int, more ...radiustest.Attribute) {
	t.Helper()
	_, acct := o.daemon.Addresses()
	nas, err := radiustest.NewNAS(netip.MustParseAddrPort(acct[0]), deskSecret)
	if err != nil {
		t.Fatal(err)
	}
	defer nas.Close()
	attributes := append([]radiustest.Attribute{
		radiustest.Number(radiustest.AcctStatusType, status), radiustest.Attr(radiustest.UserName, user), radiustest.Attr(radiustest.AcctSessionID, session),
		{Type: radiustest.NASIPAddress, Value: []byte{192, 0, 2, 1}},
	}, more...)
	if _, err := nas.Exchange(nas.Request(radiustest.AccountingRequest, attributes...), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	client := admin.Dial(o.socket)
	defer client.Close()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for over := time.After(5 * time.Second); ; {
		page, err := client.Sessions(t.Context(), admin.SessionQuery{}, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Sessions) == live && settledSessions(page.Sessions) {
			return
		}
		select {
		case <-over:
			t.Fatalf("%d sessions, want %d", len(page.Sessions), live)
		case <-tick.C:
		}
	}
}

// settledSessions tells whether the engine was asked about all of them, and
// the store told what they bought.
func settledSessions(all []admin.Session) bool {
	for _, s := range all {
		if s.Wanted == "" || s.Course == "" || strings.HasPrefix(s.Why, "it is not known") { // the keeper has looked at it
			return false
		}
	}
	return true
}

// TestSessionVerbs prints sessions and history in every way.
func TestSessionVerbs(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "2007-05-16T10:00:00+09:00")
	o.login(t, netip.MustParseAddr("192.0.2.1"), "ua700aa007g@atson.net")
	address := radiustest.Attribute{Type: 8, Value: []byte{198, 51, 100, 7}}
	prefix := radiustest.Attribute{Type: 97, Value: []byte{0, 64, 0x20, 1, 0xd, 0xb8, 0, 1, 0, 2}}
	o.account(t, 1, "ua700aa007g@atson.net", "0000001A", 1, address, prefix)
	o.account(t, 1, "f.uf234at567c@atson.net", "0000001B", 2)
	var b strings.Builder
	for _, line := range []string{
		"sessions", "sessions list --drift", "sessions list --account UA700AA007G -o csv", "sessions list --nas bras-osaka -o json",
		"sessions list --nas bras-osaka", "sessions list --nas bras-tokio", "sessions list --nas BRAS-TOKYO -o csv", "sessions list --nas x", "sessions list --area tokio",
		"sessions list --action opn", "sessions list --action limit", "sessions list --account f.uf234at567c@atson.net -o csv", "sessions list --account ua700aa007h",
		"sessions show bras-tokio 0000001B", "sessions show ua700aa007h@atson.net",
		"sessions show ua700aa007g@atson.net", "sessions show bras-tokyo 0000001B", "sessions show bras-tokyo nobody", "sessions show nobody", "sessions show",
		"sessions who 198.51.100.7", "sessions who 198.51.100.7 --at 2007-05-15", "sessions who x", "sessions who",
	} {
		r := o.run(t, strings.Fields(line)...)
		b.WriteString("$ sekisho " + line + "\n" + r.stdout + r.stderr)
		if r.code != 0 {
			b.WriteString("exit code " + string(rune('0'+r.code)) + "\n")
		}
	}
	o.move(t, "2007-05-16T11:00:00+09:00")
	o.account(t, 2, "ua700aa007g@atson.net", "0000001A", 1, address, prefix)
	line := []string{"sessions", "who", "2001:db8:1:2::7", "--at", "2007-05-16 10:30", "-o", "json"}
	b.WriteString("$ sekisho " + strings.Join(line, " ") + "\n" + o.run(t, line...).stdout)
	golden(t, "sessions.txt", b.String())
}

// TestStatusSaysWhatKeepsListsFromBeingTheWholeTruth holds for sessions that
// are coming back, and for a store that takes no changes.
func TestStatusSaysWhatKeepsListsFromBeingTheWholeTruth(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := writeStatus(&b, admin.Status{Reload: admin.Reload{OK: true}, Auth: []string{"a:1"}, Acct: []string{"a:2"}, CoA: []string{"a:3", "b:3"}, Sessions: admin.Live{
		Live: 5, Restoring: true, Back: 5, Expected: 7, Unsaved: 3, Refused: "disk full", Slow: 25.4, Announcing: 8,
	}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nsessions   5 live\n",
		"\nlistening  auth a:1, acct a:2, coa a:3 b:3\n",
		"\nwarning: restoring 5 of 7 sessions of the last run: the others are not listed yet\n",
		"\nwarning: a crash would forget what routers were told: 3 changes of sessions cannot be saved: disk full\n",
		"\nwarning: routers are told nothing: for 25 s the disk has not taken that they are about to be told of 8 sessions\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
