package coa

import (
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/radius/session"
)

// renamed is a router whose filter for block has another name by now.
func renamed(t testing.TB, r Router, coa dict.CoASpec) Router {
	t.Helper()
	p, errs := dict.CompileProfile(dict.Standard(), "test", dict.ProfileSpec{
		Filtered: dict.Sayings{"Filter-Id": {"{filter}"}}, OpenFilter: "op25b-off", CoA: coa,
	}, []dict.Action{{Name: "open"}, {Name: "limit", Filter: "op25b-limit"}, {Name: "block", Filter: "op25b-new"}})
	if errs != nil {
		t.Fatal(errs)
	}
	r.Profile = p
	return r
}

func TestReloadThatRenamesAFilterIsToldToLiveSessions(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 3)
	r := s.lane(Place{NAS: "bras1"}).Router
	s.stage()
	s.run(time.Second)
	other := session.ID{NAS: "bras1", AcctSession: "bras1-000001"}
	s.table.all[other].Words = "" // kept by an earlier version: nobody knows
	s.routed = nil
	s.answer = func(string, Request) (Reply, time.Duration) {
		return Reply{Outcome: Later, Tries: 1, Err: errRefused}, 0
	}
	s.Configure([]Router{renamed(t, r, dict.CoASpec{})}, Rules{})
	s.everything("reload")
	if l, _ := s.table.Get(first); !l.Drift() || !l.Outdated {
		t.Errorf("no drift: %+v", l)
	}
	s.answer = func(string, Request) (Reply, time.Duration) { return ack, 0 }
	s.run(2 * time.Minute)
	if l, _ := s.table.Get(first); l.Drift() || l.Applied != "block" || l.Words != `Filter-Id = "op25b-new"` || l.Why != "" {
		t.Errorf("the session is %+v", l)
	}
	if l, _ := s.table.Get(other); l.Drift() || l.Words != "" {
		t.Errorf("words that are not known count as others: %+v", l)
	}
	for _, sent := range s.routed {
		if got := string(sent.r.Attributes); got != "\x0b\x0bop25b-new" {
			t.Errorf("told %q", got)
		}
	}
}

func TestRenamedFilterSaysWhyAndEndsNobodysSession(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	spec := dict.CoASpec{By: dict.SayByDisconnect}
	r := s.router("bras1", 1, 20, 10)
	r.Profile = simProfile(t, spec)
	s.action = "block"
	l := s.table.all[first]
	l.Applied, l.Wanted, l.Words = "block", "block", `Filter-Id = "op25b"`
	s.Configure([]Router{renamed(t, r, spec)}, Rules{})
	s.everything("reload")
	s.run(time.Second)
	got, live := s.table.Get(first)
	if want := `told block as Filter-Id = "op25b", now Filter-Id = "op25b-new"; nobody's session is ended for that`; !live || len(s.routed) != 0 || got.Why != want {
		t.Errorf("%d requests, %+v", len(s.routed), got)
	}
	s.Configure([]Router{r}, Rules{}) // back
	s.everything("reload")
	if got, _ := s.table.Get(first); got.Drift() {
		t.Errorf("drift without a reason: %+v", got)
	}
}
