package daemon_test

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/cmd/internal/daemon"
	"sekisho/radius/radiustest"
)

// line is a subscriber on the tokyo router.
type line struct {
	user, session string
	address       [4]byte
}

var (
	blocked = line{"ua700aa007g@atson.net", "0000001A", [4]byte{198, 51, 100, 7}}
	again   = line{"ua700aa007g@atson.net", "0000002/B", [4]byte{198, 51, 100, 8}}
)

// account sends a record, and waits until the table has it.
func (s *site) account(t *testing.T, l line, status uint32, more ...radiustest.Attribute) {
	t.Helper()
	_, acct := s.daemon.Addresses()
	nas, err := radiustest.NewNAS(netip.MustParseAddrPort(acct[0]), nasSecret)
	if err != nil {
		t.Fatal(err)
	}
	defer nas.Close()
	request := nas.Request(radiustest.AccountingRequest, append([]radiustest.Attribute{
		radiustest.Attr(radiustest.UserName, l.user), radiustest.Number(radiustest.AcctStatusType, status),
		radiustest.Attr(radiustest.AcctSessionID, l.session), {Type: radiustest.NASIPAddress, Value: []byte{192, 0, 2, 1}},
		{Type: 8, Value: l.address[:]},
	}, more...)...)
	if _, err := nas.Exchange(request, patience); err != nil {
		t.Fatal(err)
	}
}

// sessions waits until so many sessions are live.
func (s *site) sessions(t *testing.T, q admin.SessionQuery, count int) []admin.Session {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for over := time.After(patience); ; {
		var all []admin.Session
		for v, err := range s.client.AllSessions(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, v)
		}
		if len(all) == count {
			return all
		}
		select {
		case <-over:
			t.Fatalf("%d sessions, want %d", len(all), count)
		case <-tick.C:
		}
	}
}

func TestSessionsAreListedAndShown(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.account(t, blocked, 1)
	s.account(t, again, 1)
	all := s.sessions(t, admin.SessionQuery{Account: "UA700AA007G"}, 2)
	if all[0].Session != blocked.session || all[1].Session != again.session || all[0].NAS != "tokyo" || !slices.Equal(all[0].Addresses, []string{"198.51.100.7"}) {
		t.Errorf("got %+v", all)
	}
	s.sessions(t, admin.SessionQuery{NAS: "okinawa"}, 0)
	s.sessions(t, admin.SessionQuery{Area: "tokyo"}, 2)
	s.sessions(t, admin.SessionQuery{Action: "block"}, 0) // nobody knows what the router was told
	page, err := s.client.Sessions(t.Context(), admin.SessionQuery{}, "", 1)
	if err != nil || len(page.Sessions) != 1 || page.Next == "" {
		t.Fatalf("%+v, %v", page, err)
	}
	page, err = s.client.Sessions(t.Context(), admin.SessionQuery{}, page.Next, 1)
	if err != nil || len(page.Sessions) != 1 || page.Sessions[0].Session != again.session {
		t.Errorf("the second page: %+v, %v", page, err)
	}
	if _, err := s.client.Sessions(t.Context(), admin.SessionQuery{}, "x", 1); statusOf(err) != http.StatusBadRequest {
		t.Errorf("after a cursor that is none: %v", err)
	}
	shown, err := s.client.Session(t.Context(), "tokyo", "", again.session)
	if err != nil || shown.Account != "ua700aa007g" || !slices.Contains(shown.Names, `Acct-Session-Id = "0000002/B"`) {
		t.Errorf("%+v, %v", shown, err)
	}
	if _, err := s.client.Session(t.Context(), "tokyo", "", "nobody"); statusOf(err) != http.StatusNotFound {
		t.Errorf("a session that is not there: %v", err)
	}
	s.account(t, again, 2)
	s.sessions(t, admin.SessionQuery{}, 1)
}

// TestSessionsOfNamesThatAreNone tells a misspelt name from a quiet router.
func TestSessionsOfNamesThatAreNone(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.account(t, blocked, 1)
	s.sessions(t, admin.SessionQuery{}, 1)
	for want, q := range map[string]admin.SessionQuery{
		"":                               {NAS: "okinawa", Area: "okinawa", Action: "block"},
		`no nas "okinava"; did you mean`: {NAS: "okinava"},
		`no area "tokio"; did you mean`:  {Area: "tokio"},
		`no action "blok"; did you mean`: {Account: "ua700aa007g", Action: "blok"},
	} {
		if page, err := s.client.Sessions(t.Context(), q, "", 1); want == "" && (err != nil || len(page.Sessions) > 0) ||
			want != "" && (statusOf(err) != http.StatusNotFound || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: %v, %v", q, page, err)
		}
	}
	s.write(t, strings.Replace(s.text, "  tokyo: ", "  tokyo-2: ", 1))
	if _, err := s.client.Reload(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	s.sessions(t, admin.SessionQuery{NAS: "tokyo"}, 1) // the router has another name; the session is still there
}

func TestWhoHadAnAddress(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.account(t, blocked, 1)
	s.sessions(t, admin.SessionQuery{}, 1)
	who, err := s.client.WhoHad(t.Context(), "::ffff:198.51.100.7", "")
	if err != nil || len(who.Had) != 1 || who.Had[0].Account != "ua700aa007g" || who.Had[0].Until != nil || who.Had[0].Address != "198.51.100.7" {
		t.Fatalf("now: %+v, %v", who, err)
	}
	began := who.Had[0].From
	later := s.clock.Load().Add(time.Hour)
	s.clock.Store(&later)
	s.account(t, blocked, 2)
	s.sessions(t, admin.SessionQuery{}, 0)
	who, err = s.client.WhoHad(t.Context(), "198.51.100.7", began.Add(time.Minute).Format(time.RFC3339))
	if err != nil || len(who.Had) != 1 || who.Had[0].Until == nil || !strings.HasPrefix(who.Had[0].Course, "ADSLアッカ") || who.Had[0].Ended != "stop" {
		t.Errorf("then: %+v, %v", who, err)
	}
	if who, err = s.client.WhoHad(t.Context(), "198.51.100.7", ""); err != nil || len(who.Had) != 0 {
		t.Errorf("afterwards: %+v, %v", who, err)
	}
	if _, err := s.client.WhoHad(t.Context(), "nobody", ""); statusOf(err) != http.StatusBadRequest {
		t.Errorf("of no address: %v", err)
	}
}

// TestWhoHadAnAddressWithinASecond asks with the times that lists show, which
// have no fractions: one line gives way to another within a second.
func TestWhoHadAnAddressWithinASecond(t *testing.T) {
	t.Parallel()
	s := open(t)
	tick := func(to time.Time) { s.clock.Store(&to) }
	began := s.clock.Load().Truncate(time.Second).Add(300 * time.Millisecond)
	tick(began)
	s.account(t, blocked, 1)
	s.sessions(t, admin.SessionQuery{}, 1)
	ended := began.Add(time.Hour)
	tick(ended)
	s.account(t, blocked, 2)
	s.sessions(t, admin.SessionQuery{}, 0)
	tick(ended.Add(100 * time.Millisecond))
	next := blocked
	next.session = "0000002C"
	s.account(t, next, 1)
	s.sessions(t, admin.SessionQuery{}, 1)
	for _, want := range []struct {
		at   time.Time
		text string
		who  string
	}{
		{began, time.RFC3339, blocked.session},
		{began.Add(-time.Second), time.RFC3339, ""},
		{ended, time.RFC3339, next.session + " " + blocked.session},
		{ended, time.RFC3339Nano, ""},
		{ended.Add(time.Second), time.RFC3339, next.session},
	} {
		who, err := s.client.WhoHad(t.Context(), "198.51.100.7", want.at.Format(want.text))
		var names []string
		for _, h := range who.Had {
			names = append(names, h.Session)
		}
		if got := strings.Join(names, " "); got != want.who || err != nil {
			t.Errorf("at %s: %q, %v; want %q", want.at.Format(want.text), got, err, want.who)
		}
	}
}

func TestExplainTakesTheRouterOfTheLiveSession(t *testing.T) {
	t.Parallel()
	s := open(t)
	nases := func() (names []string) {
		e, err := s.client.Explain(t.Context(), admin.Question{User: blocked.user})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range e.Answers {
			names = append(names, a.NAS...)
		}
		return names
	}
	if got := nases(); len(got) != 3 {
		t.Errorf("without a session: %v", got)
	}
	s.account(t, blocked, 1)
	s.sessions(t, admin.SessionQuery{}, 1)
	if got := nases(); !slices.Equal(got, []string{"tokyo"}) {
		t.Errorf("with a session: %v", got)
	}
}

func TestSessionsSurviveARestart(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.account(t, blocked, 1)
	s.sessions(t, admin.SessionQuery{}, 1)
	if err := s.daemon.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	conf, problems := config.Load(s.file)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.daemon, err = daemon.Start(conf, daemon.Options{Version: "test", Clock: func() time.Time { return *s.clock.Load() }}); err != nil {
		t.Fatal(err)
	}
	s.sessions(t, admin.SessionQuery{}, 1)
}

// statusOf is the status of a problem; 0 for none.
func statusOf(err error) int {
	if problem := new(admin.Problem); errors.As(err, &problem) {
		return problem.Status
	}
	return 0
}

// TestStatusTellsThatSessionsAreNotSaved with the reason.
func TestStatusTellsThatSessionsAreNotSaved(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.breakStore(t)
	s.account(t, blocked, 1)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(2 * patience); ; <-tick.C {
		status := s.daemon.Status()
		if l := status.Sessions; l.Live == 1 && l.Unsaved > 0 && strings.Contains(l.Refused, "damaged") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("got %+v", status.Sessions)
		}
	}
}
