package coa

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"sekisho/radius/session"
	"sekisho/store"
)

func TestStageBecomesACampaign(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 300, 100, 10), s.router("bras2", 100, 100, 10), s.router("bras3", 200, 100, 10)}, Rules{})
	s.stage()
	s.wantStates(map[string]string{"bras1": Canary, "bras3": Canary}) // 100 are not over the threshold
	s.run(2 * time.Second)
	s.wantStates(map[string]string{"bras1": Running, "bras3": Over})
	s.run(2 * time.Second)
	s.wantStates(map[string]string{"bras1": Over, "bras3": Over})
	s.wantCount(map[string]int{"block": 600})
	if p := s.campaigns[0].parts[0]; p.Total != 300 || p.Done != 300 || p.Failed != 0 || p.Gone != 0 || s.campaigns[0].Cause != "stage" {
		t.Errorf("campaign %+v of cause %q", p.CampaignPart, s.campaigns[0].Cause)
	}
}

func TestCanaryIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 300, 100, 50)}, Rules{Canary: 7})
	s.answer = func(string, Request) (Reply, time.Duration) { return ack, 10 * time.Second }
	s.stage()
	s.run(9 * time.Second)
	if s.at("bras1") != 7 {
		t.Errorf("%d requests before the canary's ACKs", s.at("bras1"))
	}
	s.run(2 * time.Second)
	s.wantStates(map[string]string{"bras1": Running})
	if s.at("bras1") < 50 || s.most["bras1"] > 50 {
		t.Errorf("%d requests after it, %d at once", s.at("bras1"), s.most["bras1"])
	}
}

func TestNAKStopsTheCampaignOfThatNASOnly(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 300, 100, 10), s.router("bras2", 300, 100, 10), s.router("bras3", 300, 100, 10)}, Rules{})
	n := 0
	s.answer = func(nas string, _ Request) (Reply, time.Duration) {
		switch nas {
		case "bras2":
			return nak(401), 10 * time.Millisecond
		case "bras3":
			if n++; n > 100 && n%2 == 0 { // half of the later ones
				return Reply{Outcome: Later, Tries: 5}, 30 * time.Millisecond
			}
		}
		return ack, 10 * time.Millisecond
	}
	s.stage()
	s.run(20 * time.Second)
	s.wantStates(map[string]string{"bras1": Over, "bras2": Stopped, "bras3": Stopped})
	parts := s.campaigns[0].parts
	if s.at("bras2") > 5 || parts[1].Why != "the router would answer the same for every session: CoA-NAK 401 Unsupported-Attribute" {
		t.Errorf("bras2 got %d requests: %q", s.at("bras2"), parts[1].Why)
	}
	if s.at("bras3") > 140 || parts[2].left() == 0 {
		t.Errorf("bras3 got %d requests: %q", s.at("bras3"), parts[2].Why)
	}
	sent := s.at("bras2") + s.at("bras3")
	s.run(30 * time.Minute)
	if s.at("bras2")+s.at("bras3") != sent {
		t.Error("a stopped campaign goes on by itself")
	}
}

func TestSingleChangesPassAStoppedCampaign(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 300, 100, 10)}, Rules{})
	s.answer = func(string, Request) (Reply, time.Duration) { return nak(401), 10 * time.Millisecond }
	s.stage()
	s.run(time.Second)
	s.wantStates(map[string]string{"bras1": Stopped})
	s.answer = func(string, Request) (Reply, time.Duration) { return ack, 10 * time.Millisecond }
	last := session.ID{NAS: "bras1", AcctSession: "bras1-000299"}
	s.AccountsChanged([]string{"user" + last.AcctSession}) // nothing new: it waits with the others
	s.run(time.Second)
	if l, _ := s.table.Get(last); l.Applied != "open" {
		t.Errorf("passed by without a reason: %+v", l)
	}
	s.grant(last, "limit")
	s.run(time.Second)
	if l, _ := s.table.Get(last); l.Applied != "limit" {
		t.Errorf("the session is %+v", l)
	}
	s.wantStates(map[string]string{"bras1": Stopped})
}

// operate calls what an operator would, whose goroutine is the keeper's here.
func (s *sim) operate(f func(id uint64, at Place) error) {
	s.Helper()
	result := make(chan error, 1)
	go func() { result <- f(s.campaigns[len(s.campaigns)-1].ID, Place{}) }()
	for {
		select {
		case err := <-result:
			if err != nil {
				s.Error(err)
			}
			return
		case <-s.inbox.wake:
			s.step()
		}
	}
}

func TestPauseResumeUndo(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 300, 100, 10)}, Rules{})
	s.stage()
	s.run(time.Second)
	s.operate(func(id uint64, at Place) error { return s.Pause(id, at, "maintenance") })
	s.run(time.Second)
	sent := s.at("bras1")
	s.run(time.Hour / 60)
	if s.at("bras1") != sent || sent < 50 {
		t.Errorf("paused: %d requests, then %d", sent, s.at("bras1"))
	}
	s.wantStates(map[string]string{"bras1": Paused})

	s.operate(s.Undo)
	s.run(10 * time.Second)
	s.wantStates(map[string]string{"bras1": Over})
	s.wantCount(map[string]int{"open": 300})
	if s.at("bras1") > 2*sent {
		t.Errorf("undo told %d sessions of %d", s.at("bras1")-sent, sent)
	}
	s.everything("nothing new")
	s.run(5 * time.Second)
	s.wantCount(map[string]int{"open": 300}) // it is held
	if l, _ := s.table.Get(first); l.Wanted != "block" || l.Why != "held at open: campaign 1 was undone" {
		t.Errorf("the session is %+v", l)
	}
	s.wantHeld(first, "block", "open")
	s.wantHeld(first, "limit", "")
	s.grant(first, "limit") // something else is wanted
	s.run(time.Second)
	s.wantCount(map[string]int{"open": 299, "limit": 1})

	s.operate(s.Resume)
	s.run(10 * time.Second)
	s.wantCount(map[string]int{"block": 299, "limit": 1})
	if err := s.state(1); err != Over {
		t.Errorf("resumed: %s", err)
	}
	s.wantHeld(first, "block", "")
}

// wantHeld asks what a session is kept at while something is wanted for it.
func (s *sim) wantHeld(id session.ID, wanted, want string) {
	s.Helper()
	l, _ := s.table.Get(id)
	l.Wanted = wanted
	var got string
	if s.asking(func() { got = s.Held(&l) }); got != want {
		s.Errorf("held at %q while %s is wanted, want %q", got, wanted, want)
	}
}

func (s *sim) state(id int) string { return s.campaigns[id-1].parts[0].State }

func TestCampaignWithoutSessionsThatAnswerEnds(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 200, 1000, 100)}, Rules{StopRatio: 100})
	s.answer = func(string, Request) (Reply, time.Duration) { return Reply{Outcome: Later, Tries: 5}, time.Second }
	s.stage()
	for range 3600 {
		s.settle()
		s.clock.Advance(time.Second)
	}
	s.settle()
	s.wantStates(map[string]string{"bras1": Over})
	if p := s.campaigns[0].parts[0]; p.Failed != 200 || s.at("bras1") < 200*maxRests {
		t.Errorf("campaign %+v after %d requests", p.CampaignPart, s.at("bras1"))
	}
}

func TestSilentCanaryStops(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 200, 1000, 100)}, Rules{})
	s.answer = func(string, Request) (Reply, time.Duration) { return Reply{Outcome: Later, Tries: 5}, time.Second }
	s.stage()
	s.run(3 * time.Second)
	s.wantStates(map[string]string{"bras1": Stopped})
	if s.at("bras1") != DefaultCanary {
		t.Errorf("%d requests", s.at("bras1"))
	}
}

func TestUntoldSessionsEndWithTheirRouter(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 200, 100, 10)}, Rules{})
	s.stage()
	s.run(time.Second / 2)
	for id := range s.table.all { // Accounting-On
		delete(s.table.all, id)
	}
	s.run(5 * time.Second)
	s.wantStates(map[string]string{"bras1": Over})
	if p := s.campaigns[0].parts[0]; p.Done+p.Gone != 200 || p.Gone < 100 {
		t.Errorf("campaign %+v", p.CampaignPart)
	}
}

// TestPaceHoldsWhateverHappens lets random campaigns and changes loose on
// random routers: never more than the window under way, never more than the
// rate allows in any second, nothing told twice at once, and no drift at the
// end.
func TestPaceHoldsWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			s := newSim(t, nil)
			var routers []Router
			for i := range 3 {
				routers = append(routers, s.router(fmt.Sprintf("bras%d", i+1), 50+random.IntN(250), 5+195*random.Float64(), 1+random.IntN(40)))
			}
			s.Configure(routers, Rules{StopRatio: 100})
			s.answer = func(string, Request) (Reply, time.Duration) {
				after := time.Duration(random.IntN(400)) * time.Millisecond
				switch random.IntN(40) {
				case 0:
					return Reply{Outcome: Later, Tries: 5}, 30 * time.Second
				case 1:
					return nak(506), after
				}
				return ack, after
			}
			s.stage()
			for range 40 {
				r := routers[random.IntN(3)]
				s.grant(session.ID{NAS: r.Name, AcctSession: fmt.Sprintf("%s-%06d", r.Name, random.IntN(50))}, []string{"open", "limit", "block"}[random.IntN(3)])
				s.run(time.Duration(random.IntN(500)) * time.Millisecond)
			}
			for i := 0; i < 400 && s.drifting() > 0; i++ {
				s.run(5 * time.Second)
				s.resumeStopped()
			}
			if n := s.drifting(); n > 0 {
				t.Errorf("%d sessions drift at the end; campaigns %v", n, s.states())
			}
			for _, r := range routers {
				s.checkPace(r)
			}
		})
	}
}

func (s *sim) drifting() (n int) {
	for _, l := range s.table.all {
		if l.Drift() {
			n++
		}
	}
	return n
}

func (s *sim) resumeStopped() {
	for _, c := range s.campaigns {
		for _, p := range c.parts {
			if p.State == Stopped {
				p.start(s.clock.Now())
			}
		}
	}
}

func (s *sim) checkPace(r Router) {
	s.Helper()
	if s.most[r.Name] > r.CoA.Window {
		s.Errorf("%s: %d requests at once, the window is %d", r.Name, s.most[r.Name], r.CoA.Window)
	}
	var at []time.Time
	for _, sent := range s.routed {
		if sent.nas == r.Name {
			at = append(at, sent.at)
		}
	}
	for i, j := 0, 0; i < len(at); i++ {
		for at[i].Sub(at[j]) >= time.Second {
			j++
		}
		if n, most := i-j+1, r.CoA.Rate*1.05+2; float64(n) > most {
			s.Fatalf("%s: %d requests within a second, the rate is %.1f", r.Name, n, r.CoA.Rate)
		}
	}
}

// TestResumeTellsThoseThatRest goes on with a campaign that silence has stopped:
// the router answers again, and nobody waits for the members' next tries.
func TestResumeTellsThoseThatRest(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 120, 100, 10)}, Rules{})
	s.answer = func(string, Request) (Reply, time.Duration) {
		if len(s.routed) <= 110 {
			return ack, 10 * time.Millisecond
		}
		return Reply{Outcome: Later, Tries: 5}, 30 * time.Second
	}
	s.stage()
	s.run(32 * time.Second)
	s.answer = func(string, Request) (Reply, time.Duration) { return ack, 10 * time.Millisecond }
	s.operate(func(id uint64, at Place) error { return s.Pause(id, at, "looking at it") })
	s.operate(s.Resume)
	s.run(5 * time.Second)
	s.wantStates(map[string]string{"bras1": Over})
	s.wantCount(map[string]int{"block": 120})
}

// TestKilledInTheMiddle restarts the keeper over what is on disk, without a
// farewell: nothing is lost, nothing that was acknowledged is repeated, and it
// can still be undone.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.db")
	ledger := openStore(t, path)
	s := newSim(t, ledger)
	routers := []Router{s.router("bras1", 300, 100, 10), s.router("bras2", 300, 100, 10)}
	s.Configure(routers, Rules{})
	s.stage()
	s.settle()
	s.run(1500 * time.Millisecond)
	s.wantStates(map[string]string{"bras1": Running, "bras2": Running})
	s.scribe.wait()
	told := len(s.routed)

	must(t, ledger.Close())         // what was written is what a kill leaves
	for _, l := range s.table.all { // nor was written what is wanted
		l.Wanted = l.Applied
	}
	ledger = openStore(t, path)
	s.open(ledger)
	s.Configure(routers, Rules{})
	must(t, s.Restore())
	s.step() // campaigns go on before everything is decided anew
	s.everything("start")
	s.run(10 * time.Second)
	s.wantStates(map[string]string{"bras1": Over, "bras2": Over})
	s.wantCount(map[string]int{"block": 600})
	if len(s.campaigns) != 1 || len(s.routed) > 600+2*10 || told < 200 {
		t.Errorf("%d campaigns, %d requests for 600 sessions, %d before the kill", len(s.campaigns), len(s.routed), told)
	}

	s.operate(s.Undo)
	s.run(10 * time.Second)
	s.wantCount(map[string]int{"open": 600})
	s.restart(ledger, routers) // what was undone stays so
	s.run(5 * time.Second)
	s.wantCount(map[string]int{"open": 600})
}

// TestCampaignThatIsOverIsUndoneAfterARestart looks at what an operator sees in
// the morning: the campaign of the night is over, the daemon was restarted since,
// and he wants it back.
func TestCampaignThatIsOverIsUndoneAfterARestart(t *testing.T) {
	t.Parallel()
	ledger := openStore(t, filepath.Join(t.TempDir(), "s.db"))
	s := newSim(t, ledger)
	routers := []Router{s.router("bras1", 300, 100, 10)}
	s.Configure(routers, Rules{})
	s.stage()
	s.run(10 * time.Second)
	s.wantCount(map[string]int{"block": 300})
	s.restart(ledger, routers)
	s.run(5 * time.Second)
	s.wantStates(map[string]string{"bras1": Over})

	s.operate(s.Undo)
	s.run(10 * time.Second)
	s.wantCount(map[string]int{"open": 300})
	if p := s.campaigns[0].parts[0]; p.State != Over || p.Total != 300 || p.Done != 300 {
		t.Errorf("undone: %+v", p.CampaignPart)
	}
}

// TestCampaignThatWaitsKnowsAfterARestartWhomItHasTold restarts over a campaign
// that tells nobody for the time being.
func TestCampaignThatWaitsKnowsAfterARestartWhomItHasTold(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]func(s *sim){
		"paused": func(s *sim) {
			s.operate(func(id uint64, at Place) error { return s.Pause(id, at, "maintenance") })
		},
		"stopped": func(s *sim) {
			s.answer = func(string, Request) (Reply, time.Duration) { return nak(404), 10 * time.Millisecond }
			s.run(time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ledger := openStore(t, filepath.Join(t.TempDir(), "s.db"))
			s := newSim(t, ledger)
			routers := []Router{s.router("bras1", 300, 100, 10)}
			s.Configure(routers, Rules{})
			s.stage()
			s.run(time.Second)
			wait(s)
			s.run(time.Second)
			told := s.table.count()["block"]
			s.restart(ledger, routers)
			s.run(time.Second)
			if p := s.campaigns[0].parts[0]; p.State != name || told < 50 || p.Done != told || p.left() != 300-told {
				t.Errorf("%d were told; after the restart %+v, %d left", told, p.CampaignPart, p.left())
			}
		})
	}
}

// restart goes on with a new keeper over what is on disk.
func (s *sim) restart(ledger Ledger, routers []Router) {
	s.Helper()
	s.scribe.wait()
	s.open(ledger)
	s.Configure(routers, Rules{})
	must(s, s.Restore())
	s.everything("start")
}

func openStore(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path, store.Options{})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var _ Sessions = (*session.Table)(nil)
