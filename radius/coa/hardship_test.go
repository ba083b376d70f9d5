package coa

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/radius/session"
	"sekisho/store"
)

// disk is a ledger that may be full, or slow.
type disk struct {
	*store.Store
	mu   sync.Mutex
	full bool
}

func newDisk(t testing.TB) *disk {
	s, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &disk{Store: s}
}

func (d *disk) fill(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

func (d *disk) AddCampaign(c store.Campaign) (store.Campaign, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return c, errors.New("no space left on device")
	}
	return d.Store.AddCampaign(c)
}

func (d *disk) PutCampaign(c store.Campaign) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return errors.New("no space left on device")
	}
	return d.Store.PutCampaign(c)
}

// TestFullDiskForgetsNoPause has a pause on disk as soon as there is room.
func TestFullDiskForgetsNoPause(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	s := newSim(t, d)
	s.Configure([]Router{s.router("bras1", 300, 10, 5)}, Rules{})
	s.stage()
	s.run(2 * time.Second)
	d.fill(true)
	s.operate(func(id uint64, at Place) error { return s.Pause(id, at, "lunch") })
	s.run(3 * time.Second)
	d.fill(false)
	s.run(3 * time.Second)
	if kept, err := d.Campaigns(); err != nil || kept[0].Parts[0].State != Paused {
		t.Errorf("kept is %+v: %v", kept, err)
	}
}

func (d *disk) AddCampaignMembers(id uint64, members []store.CampaignMember) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return errors.New("no space left on device")
	}
	return d.Store.AddCampaignMembers(id, members)
}

// TestSessionsThatJoinACampaignAreToldWhenTheyAreKept has the disk slow: what a
// router is told can be undone, whenever they joined.
func TestSessionsThatJoinACampaignAreToldWhenTheyAreKept(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	s := newSim(t, d)
	s.Configure([]Router{s.router("bras1", 400, 1000, 50)}, Rules{})
	s.stage()
	s.run(100 * time.Millisecond)
	gate := make(chan struct{})
	s.keep(func() error { <-gate; return nil })
	s.action = "limit"
	s.EverythingChanged("another policy", s.table.markAll)
	for s.step(); s.sweep != nil; s.step() { // until they have joined
		<-s.inbox.wake
	}
	underWay := len(s.lane(Place{NAS: "bras1"}).underWay) // these are single changes when they are answered
	for range 400 {
		s.clock.Advance(5 * time.Millisecond)
		s.step()
	}
	if n := s.table.count()["limit"]; n > underWay || s.state(1) != Running {
		t.Errorf("%d sessions were told before they were kept; the campaign is %s", n, s.state(1))
	}
	close(gate)
	s.run(2 * time.Second)
	s.wantStates(map[string]string{"bras1": Over})
	s.wantCount(map[string]int{"limit": 400})
	kept, err := d.CampaignMembers(1, "bras1", "")
	if err != nil || len(kept) != 400 || kept[0].After != "limit" {
		t.Errorf("kept are %d members: %v", len(kept), err)
	}
}

// TestMembersThatChangeOnTheirWayToTheDiskAreWrittenAgain has another policy
// loaded while the disk is slow with the last one's.
func TestMembersThatChangeOnTheirWayToTheDiskAreWrittenAgain(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	s := newSim(t, d)
	s.Configure([]Router{s.router("bras1", 400, 10, 5)}, Rules{})
	s.stage()
	s.run(time.Second)
	gate := make(chan struct{})
	s.keep(func() error { <-gate; return nil })
	for _, action := range []string{"limit", "block"} {
		s.action = action
		s.EverythingChanged(action, s.table.markAll)
		for s.step(); s.sweep != nil; s.step() {
			<-s.inbox.wake
		}
	}
	close(gate)
	s.run(time.Second)
	kept, err := d.CampaignMembers(1, "bras1", "")
	if err != nil || len(kept) != 400 {
		t.Fatalf("kept are %d members: %v", len(kept), err)
	}
	if m := kept[399]; m.After != "block" { // the first were told so before
		t.Errorf("kept is %+v", m)
	}
}

// TestSessionsJoinACampaignThatIsBeingWrittenDown has them known after a
// restart like the others.
func TestSessionsJoinACampaignThatIsBeingWrittenDown(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	s := newSim(t, d)
	router := s.router("bras1", 400, 1000, 50)
	s.Configure([]Router{router}, Rules{})
	lanes := map[*lane][]session.ID{s.lane(Place{NAS: "bras1"}): nil}
	ids := slices.SortedFunc(maps.Keys(s.table.all), compareIDs)
	s.action = "block"
	for half := range slices.Chunk(ids, 200) {
		lanes[s.lane(Place{NAS: "bras1"})] = half
		s.campaign("stage", lanes)
	}
	s.run(100 * time.Millisecond)
	if kept, err := d.CampaignMembers(1, "bras1", ""); err != nil || len(kept) != 400 {
		t.Errorf("kept are %d members: %v", len(kept), err)
	}
}

// TestFullDiskHoldsACampaignUntilThereIsRoom begins nothing that could not be
// undone, and forgets nothing.
func TestFullDiskHoldsACampaignUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	d.fill(true)
	s := newSim(t, d)
	s.Configure([]Router{s.router("bras1", 300, 1000, 50)}, Rules{})
	s.stage()
	s.run(time.Minute)
	if p := s.campaigns[0].parts[0]; s.at("bras1") != 0 || p.State != Planned || p.Why != "it cannot be kept: no space left on device" {
		t.Errorf("%d requests; the campaign is %s: %s", s.at("bras1"), p.State, p.Why)
	}
	d.fill(false)
	s.run(time.Minute)
	s.wantStates(map[string]string{"bras1": Over})
	s.wantCount(map[string]int{"block": 300})
}

// TestSessionsThatJoinWhileTheDiskIsFullWaitForRoom tells nobody what could not
// be undone.
func TestSessionsThatJoinWhileTheDiskIsFullWaitForRoom(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	s := newSim(t, d)
	s.Configure([]Router{s.router("bras1", 400, 100, 50)}, Rules{})
	s.stage()
	s.run(time.Second)
	d.fill(true)
	for i := range 200 {
		id := session.ID{NAS: "bras1", AcctSession: fmt.Sprintf("late-%03d", i)}
		s.table.all[id] = &session.Session{ID: id, Serial: 1, Account: "late", UserName: "late", Applied: "open", Wanted: "open"}
		s.table.due[id] = true
	}
	s.run(30 * time.Second)
	if n := s.table.count(); n["block"] != 400 || n["open"] != 200 || s.state(1) != Running {
		t.Errorf("with a full disk: %v; the campaign is %s", n, s.state(1))
	}
	d.fill(false)
	s.run(30 * time.Second)
	s.wantStates(map[string]string{"bras1": Over})
	s.wantCount(map[string]int{"block": 600})
	s.operate(s.Undo)
	s.run(30 * time.Second)
	s.wantCount(map[string]int{"open": 600})
}

// TestMembersThatAreEndedInsteadAreCounted has a router refuse every change, and
// be asked for a Disconnect then.
func TestMembersThatAreEndedInsteadAreCounted(t *testing.T) {
	t.Parallel()
	for cause, want := range map[Cause]string{0: "done 200 failed 0", 504: "done 0 failed 200"} {
		s := newSim(t, newDisk(t))
		r := s.router("bras1", 200, 100, 10)
		r.Profile = simProfile(t, dict.CoASpec{Otherwise: dict.SayByDisconnect})
		s.Configure([]Router{r}, Rules{StopRatio: 100})
		s.answer = func(_ string, r Request) (Reply, time.Duration) {
			switch {
			case r.Kind == Change:
				return nak(0), time.Second
			case cause != 0:
				return nak(cause), 20 * time.Millisecond
			}
			return Reply{Outcome: Done, Code: disconnectACK}, 20 * time.Millisecond
		}
		s.stage()
		s.run(time.Minute)
		s.wantStates(map[string]string{"bras1": Over})
		p := s.campaigns[0].parts[0]
		if got := fmt.Sprintf("done %d failed %d", p.Done, p.Failed); got != want || p.Total != 200 || p.left() != 0 {
			t.Errorf("cause %d: %s, want %s: %+v, %d left", cause, got, want, p.CampaignPart, p.left())
		}
		if len(s.table.ended) != p.Done {
			t.Errorf("cause %d: %d sessions ended", cause, len(s.table.ended))
		}
	}
}

// TestEndingInsteadGivesWayToAnUndo ends nobody's session when the change that
// was refused is not wanted any more.
func TestEndingInsteadGivesWayToAnUndo(t *testing.T) {
	t.Parallel()
	s := newSim(t, newDisk(t))
	r := s.router("bras1", 200, 10, 10)
	r.Profile = simProfile(t, dict.CoASpec{Otherwise: dict.SayByDisconnect})
	s.Configure([]Router{r}, Rules{StopRatio: 100, Canary: 10, Threshold: 10})
	all := s.clock.Now().Add(2 * time.Second)
	s.answer = func(_ string, r Request) (Reply, time.Duration) {
		if r.Kind == Change { // all are refused at once
			return nak(0), max(all.Sub(s.clock.Now()), time.Millisecond)
		}
		return Reply{Outcome: Done, Code: disconnectACK}, 20 * time.Second
	}
	s.stage()
	s.run(2300 * time.Millisecond)
	if n := len(s.lane(Place{NAS: "bras1"}).urgent); n < 5 {
		t.Errorf("%d sessions wait for their Disconnect", n)
	}
	s.operate(s.Undo)
	s.run(2 * time.Minute)
	p := s.campaigns[0].parts[0]
	if n := p.settled(); p.State != Over || n != p.Total {
		t.Errorf("%d of %d are settled: %+v", n, p.Total, p.CampaignPart)
	}
	if n := len(s.table.ended); n > 4 {
		t.Errorf("%d sessions ended", n)
	}
}

// TestAnswersThatComeAfterAnUndoAreCountedOnce has some under way when the
// campaign is turned round.
func TestAnswersThatComeAfterAnUndoAreCountedOnce(t *testing.T) {
	t.Parallel()
	s := newSim(t, newDisk(t))
	s.Configure([]Router{s.router("bras1", 300, 100, 50)}, Rules{})
	s.answer = func(string, Request) (Reply, time.Duration) { return ack, 300 * time.Millisecond }
	s.stage()
	s.run(2 * time.Second)
	s.operate(s.Undo)
	s.run(10 * time.Second)
	s.wantCount(map[string]int{"open": 300})
	if p := s.campaigns[0].parts[0]; p.Done != 300 || p.State != Over {
		t.Errorf("the campaign is %+v", p.CampaignPart)
	}
}

// TestCampaignEndsWhenItsLastMemberNeedsNothing has a policy taken back while a
// member rests after a vain try.
func TestCampaignEndsWhenItsLastMemberNeedsNothing(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 150, 100, 10)}, Rules{})
	last := session.ID{NAS: "bras1", AcctSession: "bras1-000149"}
	s.answer = func(_ string, r Request) (Reply, time.Duration) {
		if strings.Contains(string(r.Identification), last.AcctSession) {
			return nak(506), 10 * time.Millisecond
		}
		return ack, 10 * time.Millisecond
	}
	s.stage()
	s.run(5 * time.Second)
	s.wantStates(map[string]string{"bras1": Running})
	s.grant(last, "open") // which it has
	s.run(2 * time.Second)
	s.wantStates(map[string]string{"bras1": Over})
	if p := s.campaigns[0].parts[0]; p.Done != 150 || p.Failed != 0 {
		t.Errorf("the campaign is %+v", p.CampaignPart)
	}
}

// TestMembersThatAreToldTwiceAreCountedOnce has another policy loaded while the
// campaign runs.
func TestMembersThatAreToldTwiceAreCountedOnce(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 300, 100, 10)}, Rules{})
	s.stage()
	s.run(2 * time.Second)
	s.action = "limit"
	s.everything("another policy")
	s.run(20 * time.Second)
	s.wantCount(map[string]int{"limit": 300})
	if p := s.campaigns[0].parts[0]; p.Done != 300 || p.Total != 300 || p.State != Over {
		t.Errorf("the campaign is %+v", p.CampaignPart)
	}
}

// TestRefusalOfAnEarlierConfigurationIsForgotten has the site file reloaded
// while a router is about to refuse what the last one said.
func TestRefusalOfAnEarlierConfigurationIsForgotten(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 3)
	reply := nak(404)
	s.answer = func(string, Request) (Reply, time.Duration) { return reply, time.Second }
	s.grant(first, "block")
	s.run(500 * time.Millisecond)
	s.Configure([]Router{s.lane(Place{NAS: "bras1"}).Router}, Rules{})
	s.everything("reload")
	reply = ack
	s.run(3 * time.Second)
	if l, _ := s.table.Get(first); l.Applied != "block" || len(s.routed) != 2 {
		t.Errorf("%d requests, the session is %+v", len(s.routed), l)
	}
}

// TestRouterGoesOnWithTheNewestOfItsCampaigns has it on disk that two are under
// way: that the first was over could not be kept.
func TestRouterGoesOnWithTheNewestOfItsCampaigns(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	s := newSim(t, d)
	s.Configure([]Router{s.router("bras1", 3, 100, 10)}, Rules{})
	for range 2 {
		c, err := d.AddCampaign(store.Campaign{Cause: "stage", Parts: []store.CampaignPart{{NAS: "bras1", State: Running, Total: 3}}})
		must(t, err)
		must(t, d.AddCampaignMembers(c.ID, []store.CampaignMember{{NAS: "bras1", Session: first.AcctSession, Before: "open", After: "block"}}))
	}
	s.action = "block"
	must(t, s.Restore())
	s.everything("start")
	s.run(5 * time.Second)
	s.wantCount(map[string]int{"block": 3})
	if old := s.campaigns[0].parts[0]; s.state(2) != Over || old.State != Over || old.Why != "campaign 2 took its place" {
		t.Errorf("the campaigns are %+v and %s", old.CampaignPart, s.state(2))
	}
}

// TestNobodyIsEndedInsteadOfAnotherAction has a grant come between a refusal and
// the Disconnect that would follow.
func TestNobodyIsEndedInsteadOfAnotherAction(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	r := s.router("bras1", 1, 0.5, 1)
	r.Profile = simProfile(t, dict.CoASpec{Otherwise: dict.SayByDisconnect})
	s.Configure([]Router{r}, Rules{})
	s.answer = func(_ string, r Request) (Reply, time.Duration) {
		if strings.Contains(string(r.Attributes), "op25b-limit") {
			return ack, time.Millisecond
		}
		return nak(0), time.Millisecond
	}
	s.grant(first, "block")
	s.run(time.Second)
	s.grant(first, "limit")
	s.run(10 * time.Second)
	if l, live := s.table.Get(first); !live || l.Applied != "limit" || len(s.routed) != 2 {
		t.Errorf("%d requests; live %v: %+v", len(s.routed), live, l)
	}
}

// TestSessionsThatNeedNoRequestDoNotHoldUpTheOthers has a campaign find that
// everybody has the action already, while a grant waits for its turn.
func TestSessionsThatNeedNoRequestDoNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 5000, 1, 1)}, Rules{Canary: 1})
	s.stage()
	s.run(100 * time.Millisecond)
	for _, l := range s.table.all {
		l.Applied = "block"
	}
	asked := 0
	s.decided = func() { asked++ }
	s.clock.Advance(2 * time.Second)
	s.step()
	if asked > 2*sweepPiece {
		t.Errorf("%d sessions were passed over in one go", asked)
	}
	s.run(20 * time.Second)
	s.wantStates(map[string]string{"bras1": Over})
}

// TestUndoneCampaignHoldsOnlyItsOwnAction lets another policy through, whose
// sessions join the campaign while it is still being undone.
func TestUndoneCampaignHoldsOnlyItsOwnAction(t *testing.T) {
	t.Parallel()
	s := newSim(t, newDisk(t))
	s.Configure([]Router{s.router("bras1", 300, 1000, 50)}, Rules{})
	s.stage()
	s.run(2 * time.Second)
	s.wantCount(map[string]int{"block": 300})
	s.operate(s.Undo)
	s.run(100 * time.Millisecond)
	s.action = "limit"
	s.everything("another policy")
	s.run(5 * time.Second)
	s.wantCount(map[string]int{"limit": 300})
}

// TestAnotherSessionOfTheSameName is none of those that the router was asked
// about before: it was refused nothing, and waits for nothing.
func TestAnotherSessionOfTheSameName(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]Reply{"refused": nak(504), "silence": {Outcome: Later, Tries: 5}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := oneRouter(t, 3)
			reply := answer
			s.answer = func(string, Request) (Reply, time.Duration) { return reply, 10 * time.Millisecond }
			s.grant(first, "block")
			s.run(time.Second)
			before, _ := s.table.Get(first)
			delete(s.table.all, first) // Accounting-On
			before.Serial, before.Applied, before.Why = 2, "open", ""
			s.table.all[first] = &before // and the router counts from the beginning
			s.table.due[first] = true
			reply = ack
			s.run(3 * time.Second)
			if l, _ := s.table.Get(first); l.Applied != "block" {
				t.Errorf("the second session of the name is %+v", l)
			}
		})
	}
}

// TestAnswerAboutAnEarlierSessionOfTheSameName tells nothing of the one that
// has the name now.
func TestAnswerAboutAnEarlierSessionOfTheSameName(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]Reply{"ACK": ack, "gone": nak(503), "refused": nak(504), "silence": {Outcome: Later, Tries: 5}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := oneRouter(t, 3)
			reply := answer
			s.answer = func(string, Request) (Reply, time.Duration) { return reply, time.Second }
			s.grant(first, "block")
			s.run(500 * time.Millisecond)
			now, _ := s.table.Get(first)
			now.Serial, now.Account, now.Wanted = 2, "another", "open"
			s.table.all[first] = &now
			reply = ack
			s.run(3 * time.Second)
			if l, live := s.table.Get(first); !live || l.Applied != "open" || l.Why != "" || len(s.routed) != 1 {
				t.Errorf("after %d requests the second session of the name is %+v", len(s.routed), l)
			}
		})
	}
}

// TestUndoneCampaignHoldsNoLaterSessionOfTheSameName lets a new login have what
// the policy says.
func TestUndoneCampaignHoldsNoLaterSessionOfTheSameName(t *testing.T) {
	t.Parallel()
	s := newSim(t, newDisk(t))
	s.Configure([]Router{s.router("bras1", 300, 1000, 50)}, Rules{})
	s.stage()
	s.run(2 * time.Second)
	s.operate(s.Undo)
	s.run(2 * time.Second)
	now, _ := s.table.Get(first)
	now.Serial = 2
	s.table.all[first], s.table.due[first] = &now, true
	s.run(2 * time.Second)
	s.wantCount(map[string]int{"open": 299, "block": 1})
}

// TestErrorCausesThatARouterMakesUpAreCountedTogether lets no router fill the
// metrics.
func TestErrorCausesThatARouterMakesUpAreCountedTogether(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 3)
	for _, cause := range []Cause{503, 0, 70000, 70001} {
		s.stats.answered("bras1", Change, nak(cause))
	}
	if got := fmt.Sprint(s.Stats()["bras1"].Causes); got != "map[0:2 503 Session-Context-Not-Found:1]" {
		t.Errorf("counted %s", got)
	}
}

// TestRefusalsOfSessionsThatAreOverTakeNoMemory has a router that refuses
// everything for ever.
func TestRefusalsOfSessionsThatAreOverTakeNoMemory(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.router("bras1", 0, 10, 10)}, Rules{})
	l := s.lane(Place{NAS: "bras1"})
	for i := range 10 * fewRefusals {
		l.refused[session.ID{NAS: "bras1", AcctSession: string(rune(i))}] = refusedAction{action: "block"}
	}
	s.run(2 * time.Second)
	if len(l.refused) > fewRefusals {
		t.Errorf("%d refusals of nobody", len(l.refused))
	}
}

// TestRestOfASessionThatIsOverTakesNoMemory has one end before it is tried
// again.
func TestRestOfASessionThatIsOverTakesNoMemory(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 3)
	s.answer = func(string, Request) (Reply, time.Duration) { return Reply{Outcome: Later, Tries: 5}, time.Second }
	s.grant(first, "block")
	s.run(2 * time.Second)
	delete(s.table.all, first)
	s.run(2 * time.Minute)
	if n := len(s.lane(Place{NAS: "bras1"}).resting); n != 0 {
		t.Errorf("%d sessions rest", n)
	}
}
