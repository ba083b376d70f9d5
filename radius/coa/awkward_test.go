package coa

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sekisho/dict"
)

// awkward is a keeper with everything that may go wrong about it at once.
type awkward struct {
	*sim
	disk    *disk
	random  *rand.Rand
	routers []Router
	away    map[int]bool // routers that are not in the site file
}

func newAwkward(t *testing.T, seed uint64) *awkward {
	d := newDisk(t)
	a := &awkward{sim: newSim(t, d), disk: d, random: rand.New(rand.NewPCG(seed, 2)), away: map[int]bool{}}
	ends := a.router("bras1", 130, 200, 8)
	ends.Profile = simProfile(t, dict.CoASpec{Otherwise: dict.SayByDisconnect})
	a.routers = []Router{ends, a.router("bras2", 140, 100, 5), a.prefixed(60, 60, 4, "192.0.2.7", "192.0.2.8")}
	a.answer = func(string, Request) (Reply, time.Duration) {
		after := time.Duration(a.random.IntN(300)) * time.Millisecond
		switch a.random.IntN(60) {
		case 0:
			return Reply{Outcome: Later, Tries: 5}, 30 * time.Second
		case 1:
			return nak(506), after
		case 2:
			return nak(504), after
		case 3:
			return nak(503), after
		}
		return ack, after
	}
	a.reload()
	return a
}

// configure loads a site file without the routers that are away.
func (a *awkward) configure() {
	var there []Router
	for i, r := range a.routers {
		if !a.away[i] {
			there = append(there, r)
		}
	}
	a.Configure(there, Rules{Threshold: 20, StopRatio: 60})
}

func (a *awkward) reload() {
	a.configure()
	a.everything("reload")
}

// restart begins again with what is on disk.
func (a *awkward) restart() {
	a.scribe.wait()
	a.Keeper.inbox.close() // what was under way tells nobody any more
	a.open(a.disk)
	for name := range a.busy {
		a.busy[name] = 0
	}
	a.configure()
	must(a, a.Restore())
	a.everything("start")
}

// act does something that an operator, the calendar or the disk might.
func (a *awkward) act() {
	n := uint64(1 + a.random.IntN(len(a.campaigns)+1))
	turn := func(f func(uint64, Place) error) { a.asking(func() { _ = f(n, Place{}) }) }
	switch a.random.IntN(9) {
	case 0:
		turn(func(id uint64, at Place) error { return a.Pause(id, at, "lunch") })
	case 1, 2:
		turn(a.Resume)
	case 3:
		turn(a.Undo)
	case 4:
		i := a.random.IntN(len(a.routers))
		a.away[i] = !a.away[i]
		a.reload()
	case 5:
		a.disk.fill(a.random.IntN(2) == 0)
	case 6:
		a.action = []string{"open", "limit", "block"}[a.random.IntN(3)]
		a.everything("another policy")
	case 7:
		for id := range a.table.all {
			a.grant(id, []string{"open", "limit", "block"}[a.random.IntN(3)])
			break
		}
	case 8:
		a.disk.fill(false)
		a.restart()
	}
}

// calm ends everything that an operator would: all are there, there is room,
// and every campaign goes on.
func (a *awkward) calm() {
	clear(a.away)
	a.disk.fill(false)
	a.answer = func(string, Request) (Reply, time.Duration) { return ack, 10 * time.Millisecond }
	a.reload()
	for range 100 {
		a.run(3 * time.Second)
		rest := false
		for _, c := range a.campaigns {
			id := c.ID
			for _, p := range c.parts {
				if p.State != Over || p.Undo {
					a.asking(func() { _ = a.Resume(id, Place{}) })
					rest = true
					break
				}
			}
		}
		if !rest && a.drifting() == 0 {
			return
		}
		a.clock.Advance(time.Minute)
	}
}

// TestCampaignsSurviveWhatEverybodyDoesToThem lets operators, reloads, restarts
// and a full disk loose on campaigns: in the end everything has what is wanted,
// and every member was counted once.
func TestCampaignsSurviveWhatEverybodyDoesToThem(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			a := newAwkward(t, seed)
			a.stage()
			for range 60 {
				a.run(time.Duration(a.random.IntN(1500)) * time.Millisecond)
				a.act()
			}
			a.calm()
			if n := a.drifting(); n > 0 {
				t.Errorf("%d sessions drift at the end", n)
			}
			for _, c := range a.campaigns {
				for _, p := range c.parts {
					if strings.HasSuffix(p.Why, "took its place") {
						continue // its members are those of a later one
					}
					if p.State != Over || p.left() != 0 || p.settled() != p.Total {
						t.Errorf("campaign %d at %s: %+v, %d left", c.ID, p.place(), p.CampaignPart, p.left())
					}
				}
			}
			for name, most := range a.most {
				if most > 8 {
					t.Errorf("%s got %d requests at once", name, most)
				}
			}
		})
	}
}
