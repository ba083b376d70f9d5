package coa

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

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
	s.operate(func(id uint64, nas string) error { return s.Pause(id, nas, "lunch") })
	s.run(3 * time.Second)
	d.fill(false)
	s.run(3 * time.Second)
	if kept, err := d.Campaigns(); err != nil || kept[0].Parts[0].State != Paused {
		t.Errorf("kept is %+v: %v", kept, err)
	}
}

// TestSessionsJoinACampaignThatEndsBeforeTheyAreKept has the disk so slow that
// the campaign is over when its late members are written.
func TestSessionsJoinACampaignThatEndsBeforeTheyAreKept(t *testing.T) {
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
	for s.state(1) != Over {
		s.clock.Advance(5 * time.Millisecond)
		s.step()
	}
	close(gate)
	s.scribe.wait()
	kept, err := d.CampaignMembers(1, "bras1")
	if err != nil || len(kept) != 400 || kept[0].After != "limit" {
		t.Errorf("kept are %d members: %v", len(kept), err)
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
	lanes := map[*lane][]session.ID{s.lanes["bras1"]: nil}
	ids := slices.SortedFunc(maps.Keys(s.table.all), compareIDs)
	s.action = "block"
	for half := range slices.Chunk(ids, 200) {
		lanes[s.lanes["bras1"]] = half
		s.campaign("stage", lanes)
	}
	s.scribe.wait()
	if kept, err := d.CampaignMembers(1, "bras1"); err != nil || len(kept) != 400 {
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
