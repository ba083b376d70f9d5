package daemon_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/radius/radiustest"
)

// TestStageAndGrantReachTheLiveSession is the whole promise on loopback: a
// session logs in before the stage, is filtered when it begins, opened by a
// grant and filtered again at the grant's end, without a reconnect.
func TestStageAndGrantReachTheLiveSession(t *testing.T) {
	t.Parallel()
	s := open(t)
	lines := radiustest.NewLines("", "0000001A")
	router, err := radiustest.NewRouter(nasSecret, lines.Answer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(router.Close)
	s.write(t, strings.Replace(s.text, "area: tokyo, profile: filter-id}",
		fmt.Sprintf("area: tokyo, profile: open-again, coa: {port: %d}}", router.Addr.Port()), 1)+
		"profiles: {open-again: {base: filter-id, open-filter: op25b-off}}\n")
	if _, err := s.client.Reload(t.Context(), ""); err != nil {
		t.Fatal(err)
	}

	if told := s.login(t, "192.0.2.1", "ua700aa007g@atson.net"); len(told) != 0 {
		t.Fatalf("told at login: %v", told)
	}
	s.startSession(t, "192.0.2.1", "ua700aa007g@atson.net", "0000001A")
	s.at(t, "2007-05-15T00:00:00+09:00")
	s.filter(t, lines, "op25b")
	_, err = s.client.AddOverride(t.Context(), admin.NewOverride{
		Account: "ua700aa007g", Kind: "grant", Action: "open", Reason: "own mail server", Until: "2007-05-18",
	}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	s.filter(t, lines, "op25b-off")
	s.at(t, "2007-05-18T00:00:00+09:00")
	s.filter(t, lines, "op25b")
	told, err := s.client.PushSessions(t.Context(), admin.SessionOrder{User: "ua700aa007g@atson.net", Reason: "asked for"})
	if want := (admin.Telling{NAS: "tokyo", Session: "0000001A", Outcome: "done", Answer: "CoA-ACK"}); err != nil || len(told) != 1 || told[0] != want {
		t.Errorf("pushed: %v, %v", told, err)
	}
	if n, _ := router.Load(); n != 4 {
		t.Errorf("%d requests", n)
	}
	told, err = s.client.DisconnectSessions(t.Context(), admin.SessionOrder{NAS: "tokyo", Session: "0000001A"})
	if err != nil || len(told) != 1 || told[0].Answer != "Disconnect-ACK" {
		t.Errorf("disconnected: %v, %v", told, err)
	}
	if _, err = s.client.DisconnectSessions(t.Context(), admin.SessionOrder{User: "ua700aa007g"}); err == nil {
		t.Error("a session that is over is disconnected")
	}
	if page, err := s.client.Campaigns(t.Context()); err != nil || len(page) != 0 {
		t.Errorf("campaigns: %v, %v", page, err)
	}
}

// startSession sends an Accounting-Start.
func (s *site) startSession(t *testing.T, nas, user, session string) {
	t.Helper()
	_, acct := s.daemon.Addresses()
	n, err := radiustest.NewNAS(netip.MustParseAddrPort(acct[0]), nasSecret)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	addr := netip.MustParseAddr(nas).As4()
	_, err = n.Exchange(n.Request(radiustest.AccountingRequest,
		radiustest.Attribute{Type: radiustest.NASIPAddress, Value: addr[:]},
		radiustest.Attr(radiustest.UserName, user),
		radiustest.Attr(radiustest.AcctSessionID, session),
		radiustest.Number(radiustest.AcctStatusType, 1),
	), patience)
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) filter(t *testing.T, lines *radiustest.Lines, want string) {
	t.Helper()
	s.eventually(t, "the session's filter", func() error {
		if got, _, _ := lines.Filter("0000001A"); got != want {
			return fmt.Errorf("it is %q, want %q", got, want)
		}
		return nil
	})
}

// eventually waits until something happens that the test has caused.
func (s *site) eventually(t *testing.T, what string, happens func() error) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		err := happens()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}
