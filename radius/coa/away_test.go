package coa

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"sekisho/radius/session"
)

// awayWhy is why a campaign waits for a NAS.
const awayWhy = "bras1 is no longer in the site file; it goes on when that is mended"

func TestSessionsOfANASThatWasRemovedSayWhy(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 2)
	s.Configure([]Router{s.router("bras2", 1, 20, 10)}, Rules{})
	s.stage()
	s.run(time.Second)
	if l, _ := s.table.Get(first); l.Why != "bras1 is no longer in the site file" {
		t.Errorf("the session is %+v", l)
	}
	var reply Reply
	s.orderOne(first, false, 0, func(r Reply) { reply = r })
	if reply.String() != "bras1 is no longer in the site file" || reply.Outcome != Refused {
		t.Errorf("pushed: %+v", reply)
	}
	s.grant(first, "limit") // another action is as far away
	s.run(time.Second)
	if l, _ := s.table.Get(first); l.Wanted != "limit" || l.Why != "bras1 is no longer in the site file" {
		t.Errorf("granted: the session is %+v", l)
	}
	s.Configure([]Router{s.router("bras2", 0, 20, 10), s.router("bras1", 0, 20, 10)}, Rules{})
	s.everything("reload")
	s.run(time.Second)
	s.wantCount(map[string]int{"block": 2, "limit": 1})
}

// TestSingleChangesOfANASThatWasRemovedAreAnswered leaves nobody waiting.
func TestSingleChangesOfANASThatWasRemovedAreAnswered(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 3, 0.001, 1)}, Rules{})
	var replies []Reply
	for id := range s.table.all {
		s.orderOne(id, false, 0, func(r Reply) { replies = append(replies, r) })
	}
	s.run(time.Second)
	s.Configure(nil, Rules{})
	s.run(time.Second)
	if len(replies) != 3 || replies[2].String() != "bras1 is no longer in the site file" {
		t.Errorf("replies %+v", replies)
	}
}

func TestCampaignStopsWhileItsNASIsAwayAndGoesOn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		restart bool
		without func(Router) []Router
		why     string
	}{
		"removed":            {false, func(Router) []Router { return nil }, awayWhy},
		"removed, restarted": {true, func(Router) []Router { return nil }, awayWhy},
		"without coa":        {false, func(r Router) []Router { r.CoA = nil; return []Router{r} }, "the site file has no coa section for bras1; it goes on when that is mended"},
		"told it is elsewhere": {false, func(r Router) []Router {
			to := *r.CoA
			to.Address = netip.AddrPortFrom(netip.Addr{}, 3799)
			r.CoA = &to
			return []Router{r}
		}, "it is not known which of the routers of bras1 has the session; it goes on when that is mended"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := newDisk(t)
			s := newSim(t, disk)
			r := s.router("bras1", 300, 100, 10)
			s.Configure([]Router{r}, Rules{})
			s.stage()
			s.run(time.Second)
			s.wantStates(map[string]string{"bras1": Running})
			s.Configure(test.without(r), Rules{})
			s.everything("reload")
			s.run(time.Second)
			if p := s.campaigns[0].parts[0]; p.State != Stopped || p.Why != test.why || p.trying != 0 {
				t.Errorf("the campaign is %+v", p.CampaignPart)
			}
			sent := len(s.routed)
			s.run(time.Minute)
			if len(s.routed) != sent {
				t.Errorf("%d requests meanwhile", len(s.routed)-sent)
			}
			if test.restart {
				s.scribe.wait()
				s.open(disk)
				s.Configure(nil, Rules{})
				must(t, s.Restore())
				s.wantStates(map[string]string{"bras1": Stopped})
			}
			s.operateInVain(s.Resume)
			s.Configure([]Router{r}, Rules{})
			s.everything("reload")
			s.wantStates(map[string]string{"bras1": Canary})
			s.run(5 * time.Second)
			s.wantStates(map[string]string{"bras1": Over})
			s.wantCount(map[string]int{"block": 300})
			if n := len(s.routed); n > 310 || len(s.campaigns) != 1 {
				t.Errorf("%d requests for 300 sessions in %d campaigns", n, len(s.campaigns))
			}
		})
	}
}

// TestPausedCampaignStaysPausedWhenItsNASIsBack goes on only when an operator
// says so; one that is away can be paused.
func TestPausedCampaignStaysPausedWhenItsNASIsBack(t *testing.T) {
	t.Parallel()
	for _, pauseFirst := range []bool{false, true} {
		s := newSim(t, nil)
		r := s.router("bras1", 300, 100, 10)
		s.Configure([]Router{r}, Rules{})
		s.stage()
		s.run(time.Second)
		pause := func(id uint64, at Place) error { return s.Pause(id, at, "lunch") }
		if pauseFirst {
			s.operate(pause)
		}
		s.Configure(nil, Rules{})
		s.run(time.Second)
		if !pauseFirst {
			s.operate(pause)
		}
		s.Configure([]Router{r}, Rules{})
		s.everything("reload")
		s.run(time.Second)
		if p := s.campaigns[0].parts[0]; p.State != Paused || p.Why != "lunch" {
			t.Errorf("paused first %v: %+v", pauseFirst, p.CampaignPart)
		}
	}
}

// TestCampaignThatIsNotWrittenDownWaitsForItWhenItsNASIsBack tells nobody
// before it could be undone.
func TestCampaignThatIsNotWrittenDownWaitsForItWhenItsNASIsBack(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	d.fill(true)
	s := newSim(t, d)
	r := s.router("bras1", 300, 1000, 50)
	s.Configure([]Router{r}, Rules{})
	s.stage()
	s.run(time.Second)
	s.Configure(nil, Rules{})
	s.run(time.Second)
	s.wantStates(map[string]string{"bras1": Stopped})
	s.Configure([]Router{r}, Rules{})
	s.everything("reload")
	s.run(20 * time.Second)
	s.wantStates(map[string]string{"bras1": Planned})
	if len(s.routed) != 0 {
		t.Errorf("%d requests", len(s.routed))
	}
	d.fill(false)
	s.run(20 * time.Second)
	s.wantCount(map[string]int{"block": 300})
}

// TestNASIsBackBeforeItHasAnswered has never more than one request of a session
// under way.
func TestNASIsBackBeforeItHasAnswered(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	r := s.router("bras1", 1, 100, 10)
	s.Configure([]Router{r}, Rules{})
	s.answer = func(string, Request) (Reply, time.Duration) { return ack, 10 * time.Second }
	s.grant(first, "block")
	s.run(time.Second)
	s.Configure(nil, Rules{})
	s.run(time.Second)
	s.Configure([]Router{r}, Rules{})
	s.grant(first, "limit")
	s.run(time.Second)
	if s.most["bras1"] != 1 || len(s.routed) != 1 {
		t.Errorf("%d requests, %d at once", len(s.routed), s.most["bras1"])
	}
	s.run(30 * time.Second)
	if l, _ := s.table.Get(session.ID{NAS: "bras1", AcctSession: first.AcctSession}); l.Applied != "limit" {
		t.Errorf("the session is %+v", l)
	}
}

// operateInVain wants ErrNotNow.
func (s *sim) operateInVain(f func(id uint64, at Place) error) {
	s.Helper()
	var err error
	s.asking(func() { err = f(1, Place{}) })
	if !errors.Is(err, ErrNotNow) {
		s.Errorf("got %v", err)
	}
}
