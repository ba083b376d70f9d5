package coa

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sekisho/dict"
)

// TestCampaignIsTurnedAtOneRouterOfAnEntry undoes it at one of three, and at a
// place where it is not.
func TestCampaignIsTurnedAtOneRouterOfAnEntry(t *testing.T) {
	t.Parallel()
	s := newSim(t, newDisk(t))
	s.Configure([]Router{s.router("bras1", 110, 1000, 50), s.prefixed(110, 1000, 50, "192.0.2.7", "192.0.2.8")}, Rules{})
	s.stage()
	s.run(3 * time.Second)
	s.wantCount(map[string]int{"block": 330})
	for at, want := range map[Place]string{
		{NAS: "bras9"}:                     `campaign 1 has no NAS "bras9"; did you mean "bras1"?`,
		{NAS: "kobe"}:                      `campaign 1 has no NAS "kobe"; known: bras1, farm`,
		{NAS: "farm", Box: "198.51.100.1"}: `campaign 1 has no box "198.51.100.1" of farm; it is at farm (192.0.2.7), farm (192.0.2.8)`,
		{NAS: "bras1", Box: "192.0.2.7"}:   `campaign 1 has no box "192.0.2.7" of bras1; it is at bras1`,
	} {
		var err error
		s.asking(func() { err = s.Undo(1, at) })
		if !errors.Is(err, ErrNotThere) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("undone at %s: %v, want %s", at, err, want)
		}
	}
	s.operate(func(id uint64, _ Place) error { return s.Undo(id, Place{"farm", "192.0.2.8"}) })
	s.run(3 * time.Second)
	s.wantCount(map[string]int{"block": 220, "open": 110})
	for _, p := range s.campaigns[0].parts {
		if p.Undo != (p.Box == "192.0.2.8") {
			t.Errorf("the campaign is %+v", p.CampaignPart)
		}
	}
	s.operate(func(id uint64, _ Place) error { return s.Undo(id, Place{NAS: "bras1"}) })
	s.run(3 * time.Second)
	s.wantCount(map[string]int{"block": 110, "open": 220})
}

// TestRequestsOfOthersCountForThePace has an AAA server send as many as half of
// the rate allows, and then far more than it allows.
func TestRequestsOfOthersCountForThePace(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 2000, 100, 100)}, Rules{})
	s.stage()
	s.run(time.Second)
	before := s.at("bras1")
	for range 200 { // 50/s for four seconds
		s.Passed(Place{NAS: "bras1"})
		s.run(20 * time.Millisecond)
	}
	if n := s.at("bras1") - before; n < 190 || n > 210 {
		t.Errorf("beside 50/s of others %d requests in 4 s, want 200 of 400", n)
	}
	for range 5000 {
		s.Passed(Place{NAS: "bras1"})
	}
	s.run(900 * time.Millisecond)
	before = s.at("bras1")
	s.run(1100 * time.Millisecond)
	if n := s.at("bras1") - before; n < 90 || n > 116 { // and a twentieth at once
		t.Errorf("%d requests in the second after a storm of others, want about 110", n)
	}
}

// TestOthersLeaveATenthOfThePace has an AAA server send more than the rate allows
// for a minute.
func TestOthersLeaveATenthOfThePace(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 10, 20, 20)}, Rules{})
	others := func(times int) {
		for range times { // 33/s
			s.Passed(Place{NAS: "bras1"})
			s.run(30 * time.Millisecond)
		}
	}
	others(40)
	s.grants["user"+first.AcctSession] = "block"
	s.AccountsChanged([]string{"user" + first.AcctSession})
	began := s.clock.Now()
	others(2000)
	if len(s.routed) == 0 || s.routed[0].at.Sub(began) > 2*time.Second {
		t.Errorf("of a grant meanwhile the router hears as of %v", s.routed)
	}
}

// TestAnUndoOutlivesWhatWasOnItsWay has a router acknowledge what an AAA server's
// request told it before the campaign was undone.
func TestAnUndoOutlivesWhatWasOnItsWay(t *testing.T) {
	t.Parallel()
	s := newSim(t, newDisk(t))
	s.Configure([]Router{s.router("bras1", 110, 1000, 50)}, Rules{})
	s.stage()
	s.run(3 * time.Second)
	s.operate(func(id uint64, _ Place) error { return s.Undo(id, Place{}) })
	s.run(3 * time.Second)
	s.wantCount(map[string]int{"open": 110})
	relay := &Relay{options: RelayOptions{Sessions: s.table, Look: s.AccountsChanged}}
	relay.learn([]telling{{id: first, action: "block"}}, Reply{Outcome: Done})
	s.run(time.Minute)
	s.wantCount(map[string]int{"open": 110})
}

// TestAwaitedAcceptIsForgottenWithItsSession has a router ask for an Accept, and
// then leave the configuration or take no CoA any more.
func TestAwaitedAcceptIsForgottenWithItsSession(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Router) []Router{
		"the router is taken out":      func(*Router) []Router { return nil },
		"its coa section is taken out": func(r *Router) []Router { r.CoA = nil; return []Router{*r} },
		"it takes none by now": func(r *Router) []Router {
			r.Profile = simProfile(t, dict.CoASpec{By: dict.SayByNothing})
			return []Router{*r}
		},
		"nothing changes": func(r *Router) []Router { return []Router{*r} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBook()
			s := journaled(t, b)
			r := s.router("bras1", 3, 10, 2)
			s.Configure([]Router{r}, Rules{})
			s.answer = func(string, Request) (Reply, time.Duration) { return nak(507), time.Second }
			s.grant(first, "block")
			s.run(5 * time.Second)
			s.Configure(change(&r), Rules{})
			s.everything("reload")
			s.run(5 * time.Minute)
			s.table.mu.Lock()
			delete(s.table.all, first)
			s.table.mu.Unlock()
			s.run(30 * time.Minute)
			if len(b.open) != 0 {
				t.Errorf("announced still: %v", b.open)
			}
		})
	}
}
