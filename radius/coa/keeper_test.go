package coa

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/radius/session"
)

// first is the session that single changes are tried on.
var first = session.ID{NAS: "bras1", AcctSession: "bras1-000000"}

func oneRouter(t testing.TB, sessions int) *sim {
	t.Helper()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", sessions, 20, 10)}, Rules{})
	return s
}

// grant gives an account an action, as an override does.
func (s *sim) grant(id session.ID, action string) {
	s.grants["user"+id.AcctSession] = action
	s.AccountsChanged([]string{"user" + id.AcctSession})
}

func TestCase39GrantIsToldToTheLiveSession(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 3)
	s.action = "block"
	for _, l := range s.table.all {
		l.Applied, l.Wanted = "block", "block"
	}
	s.grant(first, "open")
	s.run(time.Second)
	if len(s.routed) != 1 {
		t.Fatalf("%d requests", len(s.routed))
	}
	r := s.routed[0].r
	got := hex.EncodeToString(r.Identification) + " " + hex.EncodeToString(r.Attributes)
	want := "2c0e" + hex.EncodeToString([]byte("bras1-000000")) + "011e" + hex.EncodeToString([]byte("userbras1-000000@isp.example")) +
		" 0b0b" + hex.EncodeToString([]byte("op25b-off")) // a filter that permits, not an empty list
	if r.Kind != Change || got != want {
		t.Errorf("%s\n got %s\nwant %s", r.Kind, got, want)
	}
	if l, _ := s.table.Get(first); l.Applied != "open" || l.Proof != session.Acknowledged || l.Why != "" {
		t.Errorf("the session is %+v", l)
	}
}

// TestGrantThatIsTakenBackBeforeItsAnswer has a router open port 25 after the
// grant is revoked: until it answers, the session says what it is being told.
func TestGrantThatIsTakenBackBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 1)
	s.answer = func(string, Request) (Reply, time.Duration) { return ack, 10 * time.Second }
	s.grant(first, "block")
	s.run(time.Second)
	s.grant(first, "open") // what it had before
	s.run(time.Second)
	if l, _ := s.table.Get(first); l.Telling != "block" || l.Applied != "open" || l.Drift() {
		t.Errorf("not answered: %+v", l)
	}
	s.run(30 * time.Second)
	if l, _ := s.table.Get(first); l.Telling != "" || l.Applied != "open" || len(s.routed) != 2 {
		t.Errorf("answered: %d requests, %+v", len(s.routed), l)
	}
}

func TestCase42NewSessionIsDecidedAgain(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 1)
	s.grants["userbras1-000000"] = "block" // between Accept and Start
	s.run(time.Minute)
	if len(s.routed) != 0 {
		t.Fatalf("%d requests about a session that is not known yet", len(s.routed))
	}
	s.table.due[first] = true // Start: the table knows its Acct-Session-Id
	s.run(2 * time.Second)
	if l, _ := s.table.Get(first); len(s.routed) != 1 || l.Applied != "block" {
		t.Errorf("%d requests, the session is %+v", len(s.routed), l)
	}
}

func TestCase40RepliesAsTheKeeperTakesThem(t *testing.T) {
	t.Parallel()
	silence := Reply{Outcome: Later, Tries: 5, Took: 30 * time.Second}
	for name, test := range map[string]struct {
		reply   Reply
		sends   int // within the first hour
		gone    bool
		applied string
		why     string
	}{
		"503":         {nak(503), 1, true, "", ""},
		"401":         {nak(401), 1, false, "open", "CoA-NAK 401 Unsupported-Attribute"},
		"407":         {nak(407), 1, false, "open", "CoA-NAK 407 Invalid-Attribute-Value"},
		"no cause":    {nak(0), 1, false, "open", "CoA-NAK without Error-Cause"},
		"506":         {nak(506), 7, false, "open", "CoA-NAK 506 Resources-Unavailable; again in 15m0s"},
		"507":         {nak(507), 30, false, "open", "the router asks for an Access-Accept: CoA-NAK 507 Request-Initiated"},
		"silence":     {silence, 7, false, "", "no answer to 5 requests within 30s; again in 15m0s"},
		"unreachable": {Reply{Outcome: Unreachable, Err: errRefused}, 7, false, "open", "connection refused; again in 15m0s"},
	} {
		s := oneRouter(t, 1)
		s.answer = func(string, Request) (Reply, time.Duration) { return test.reply, time.Millisecond }
		s.grant(first, "block")
		s.step()
		for range 1200 {
			s.settle()
			s.clock.Advance(3 * time.Second)
		}
		s.settle()
		l, live := s.table.Get(first)
		if live == test.gone || live && (l.Applied != test.applied || l.Why != test.why) {
			t.Errorf("%s: live %v: %+v", name, live, l)
		}
		if len(s.routed) != test.sends {
			t.Errorf("%s: %d requests, want %d", name, len(s.routed), test.sends)
		}
	}
}

func TestRefusedActionIsAskedForAgainAfterAReload(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 1)
	s.answer = func(string, Request) (Reply, time.Duration) { return nak(404), time.Millisecond }
	s.grant(first, "block")
	s.run(time.Minute)
	s.grant(first, "limit") // another action may go
	s.run(time.Minute)
	if len(s.routed) != 2 {
		t.Errorf("%d requests", len(s.routed))
	}
	s.answer = func(string, Request) (Reply, time.Duration) { return ack, time.Millisecond }
	s.Configure([]Router{s.lane(Place{NAS: "bras1"}).Router}, Rules{})
	s.everything("reload")
	s.run(time.Second)
	s.wantCount(map[string]int{"limit": 1})
}

func TestNewestWinsAndOneAtATime(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 1)
	s.answer = func(string, Request) (Reply, time.Duration) { return ack, 10 * time.Second }
	s.grant(first, "block")
	s.run(time.Second)
	for _, action := range []string{"limit", "open", "limit", "open", "limit"} {
		s.grant(first, action)
		s.run(time.Second)
	}
	if s.most["bras1"] != 1 || len(s.routed) != 1 {
		t.Errorf("%d requests, %d at once", len(s.routed), s.most["bras1"])
	}
	s.run(30 * time.Second)
	if l, _ := s.table.Get(first); l.Applied != "limit" || s.most["bras1"] != 1 || len(s.routed) != 2 {
		t.Errorf("%d requests, %d at once, the session is %+v", len(s.routed), s.most["bras1"], l)
	}
}

func TestDisconnectWhereTheProfileSaysSo(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	r := s.router("bras1", 2, 20, 10)
	r.Profile = simProfile(t, dict.CoASpec{By: dict.SayByDisconnect, Identify: []string{"User-Name"}})
	s.Configure([]Router{r}, Rules{})
	s.answer = func(string, Request) (Reply, time.Duration) {
		return Reply{Outcome: Done, Code: disconnectACK}, time.Millisecond
	}
	s.grant(first, "block")
	s.run(time.Second)
	if len(s.routed) != 1 || s.routed[0].r.Kind != Disconnect || len(s.routed[0].r.Attributes) != 0 || s.routed[0].r.Identification[0] != typeUserName {
		t.Errorf("sent %+v", s.routed)
	}
	if s.table.ended[first] != "Disconnect-ACK" || len(s.table.all) != 1 {
		t.Errorf("ended: %v", s.table.ended)
	}
}

func TestDisconnectAfterARefusalOnlyWhereTheProfileSaysSo(t *testing.T) {
	t.Parallel()
	for otherwise, want := range map[dict.By]int{"": 0, dict.SayByDisconnect: 1} {
		for _, cause := range []Cause{0, 401} { // 401 is about the configuration: it ends nobody's session
			s := newSim(t, nil)
			r := s.router("bras1", 1, 20, 10)
			r.Profile = simProfile(t, dict.CoASpec{Otherwise: otherwise})
			s.Configure([]Router{r}, Rules{})
			s.answer = func(_ string, r Request) (Reply, time.Duration) {
				if r.Kind == Disconnect {
					return Reply{Outcome: Done, Code: disconnectACK}, time.Millisecond
				}
				return nak(cause), time.Millisecond
			}
			s.grant(first, "block")
			s.run(time.Second)
			if cause == 401 {
				want = 0
			}
			if len(s.table.ended) != want {
				t.Errorf("otherwise %q, cause %d: ended %v", otherwise, cause, s.table.ended)
			}
		}
	}
}

func TestWhatCannotBeToldSaysWhy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Router)
		why    string
	}{
		"no coa section": {func(r *Router) { r.CoA = nil }, "the site file has no coa section for bras1"},
		"no profile":     {func(r *Router) { r.Profile = nil }, "the site file has no profile for bras1"},
		"takes none":     {func(r *Router) { r.Profile = simProfile(t, dict.CoASpec{By: dict.SayByNothing}) }, "bras1 cannot be told block: the router takes no CoA"},
		"unknown name": {func(r *Router) { r.Profile = simProfile(t, dict.CoASpec{Identify: []string{"Framed-IP-Address"}}) },
			"bras1 has not sent what its profile names sessions by"},
	} {
		s := newSim(t, nil)
		r := s.router("bras1", 1, 20, 10)
		test.change(&r)
		s.Configure([]Router{r}, Rules{})
		s.grant(first, "block")
		s.run(time.Second)
		if l, _ := s.table.Get(first); l.Why != test.why || len(s.routed) != 0 {
			t.Errorf("%s: %q, %d requests", name, l.Why, len(s.routed))
		}
	}
}

func TestACKThatProvesNothing(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	r := s.router("bras1", 1, 20, 10)
	r.Profile = simProfile(t, dict.CoASpec{SilentIgnore: true})
	s.Configure([]Router{r}, Rules{})
	s.grant(first, "block")
	s.run(time.Second)
	if l, _ := s.table.Get(first); l.Applied != "block" || l.Proof != session.Sent {
		t.Errorf("the session is %+v", l)
	}
}

func TestPushTellsWhateverWasApplied(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 2)
	var got []string
	push := func(id session.ID, disconnect bool) {
		s.inbox.call(func() { s.orderOne(id, disconnect, 0, func(r Reply) { got = append(got, r.String()) }) })
		s.run(time.Second)
	}
	push(first, false)
	push(first, true)
	push(first, false)
	if want := "CoA-ACK, CoA-ACK, there is no such session"; strings.Join(got, ", ") != want || len(s.routed) != 2 {
		t.Errorf("got %q, %d requests", got, len(s.routed))
	}
	if s.routed[1].r.Kind != Disconnect || s.table.ended[first] == "" {
		t.Errorf("sent %+v, ended %v", s.routed[1], s.table.ended)
	}
}

func TestPolicyThatComesWithTheClock(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 50)
	s.until = s.clock.Now().Add(time.Hour)
	s.table.markAll()
	s.run(time.Second)
	s.clock.Advance(time.Hour - 2*time.Second)
	s.run(time.Second)
	s.wantCount(map[string]int{"open": 50})
	s.run(10 * time.Second)
	s.wantCount(map[string]int{"block": 50})
}
