package session_test

import (
	"net/netip"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/session"
)

// setBack has a session that began a minute ago, and the clock set back by an
// hour since.
func setBack(t *testing.T) *kept {
	k := newKept(t)
	k.login(u1, "block")
	k.start(u1)
	k.after(time.Minute).interim(u1)
	k.Flush()
	k.after(-time.Hour)
	return k
}

func TestClockIsSetBack(t *testing.T) {
	t.Parallel()
	moves := func(r *radius.Record) { r.Address = netip.MustParseAddr("198.51.100.99") }
	for name, c := range map[string]struct {
		do   func(*kept)
		want []line
	}{
		"Stop":                                {func(k *kept) { k.stop(u1) }, nil},
		"Stop of a session that has lasted":   {func(k *kept) { k.stop(u1, lasted(2*time.Minute)) }, nil},
		"Stop after an Interim":               {func(k *kept) { k.interim(u1); k.after(time.Second).stop(u1) }, nil},
		"Interim":                             {func(k *kept) { k.interim(u1) }, []line{u1}},
		"Accounting-On":                       {func(k *kept) { k.record(radius.StatusOn, line{nas: u1.nas}) }, nil},
		"Accounting-On twice":                 {func(k *kept) { k.on(); k.start(u1); k.after(time.Minute).on() }, nil},
		"Start after an On of the time ahead": {func(k *kept) { k.after(time.Hour).on(); k.after(-time.Hour).start(u1) }, []line{u1}},
		"Start after a Stop of the time ahead": {func(k *kept) {
			k.after(time.Hour).stop(u1)
			k.after(-time.Hour).start(u1)
		}, []line{u1}},
		"a session that is silent ages from now on": {func(k *kept) {
			k.Sweep()
			k.after(3 * time.Hour).Sweep()
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setBack(t)
			c.do(k)
			k.want(c.want...)
		})
	}
	k := setBack(t)
	k.interim(u1, moves)
	if s := k.get(u1); s.Address.String() != "198.51.100.99" || s.Updated.After(k.now) || s.Started.After(k.now) || s.Applied != "block" {
		t.Errorf("after an Interim: %+v", s)
	}
}

func (n *network) on() { n.record(radius.StatusOn, line{nas: u1.nas}) }

// TestAcceptOfTheTimeAheadFindsItsSession and does not wait until the clock has
// caught up where it has none.
func TestAcceptOfTheTimeAheadFindsItsSession(t *testing.T) {
	t.Parallel()
	k := newKept(t)
	k.login(u1, "block")
	k.login(moved, "block")
	k.after(-time.Hour).start(u1)
	if s := k.get(u1); s.Applied != "block" {
		t.Errorf("got %+v", s)
	}
	k.Sweep()
	k.after(session.DefaultJoin + time.Second).Sweep()
	if n := k.Stats().Waiting; n != 0 {
		t.Errorf("%d Accepts wait", n)
	}
}

// TestHistoryOfASetClock is by the clock as it is now where the router tells
// how long the session has lasted, else by that of then.
func TestHistoryOfASetClock(t *testing.T) {
	t.Parallel()
	told := setBack(t)
	told.stop(u1, lasted(2*time.Minute))
	untold := setBack(t)
	untold.stop(u1)
	for name, c := range map[string]struct {
		k    *kept
		at   time.Duration
		want int
	}{
		"told, by the new clock":   {told, -time.Hour, 1},
		"told, by the old clock":   {told, 30 * time.Second, 0},
		"untold, by the old clock": {untold, 30 * time.Second, 1},
	} {
		if found := c.k.whoHad(u1.address, noon.Add(c.at)); len(found) != c.want {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// TestWhatIsDueIsDueWhateverTheClockIsSetTo has a session asked about that came
// just before.
func TestWhatIsDueIsDueWhateverTheClockIsSetTo(t *testing.T) {
	t.Parallel()
	k := setBack(t)
	if due := k.Due(k.now); len(due) != 1 {
		t.Errorf("due are %v", due)
	}
	k.Decided(u1.id(), engine.Decision{Action: "open"}, k.now)
	k.after(time.Hour).Ask(u1.id())
	if due := k.after(-time.Hour).Due(k.now); len(due) != 1 {
		t.Errorf("asked for anew, due are %v", due)
	}
}
