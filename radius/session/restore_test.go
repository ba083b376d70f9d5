package session_test

import (
	"net/netip"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/session"
	"sekisho/store"
)

// halfway starts the daemon anew; what was live comes back only with back.
type halfway struct {
	*kept
	rows []store.Session
}

func startAnew(t *testing.T, lines ...line) *halfway {
	k := newKept(t)
	for _, l := range lines {
		k.login(l, "block")
		k.start(l)
	}
	k.Flush()
	k.after(time.Minute)
	h := &halfway{kept: &kept{network: newNetwork(t), store: k.store, bought: k.bought}}
	h.now = k.now
	for row, err := range k.store.AllSessions() {
		if err != nil {
			t.Fatal(err)
		}
		h.rows = append(h.rows, row)
	}
	h.Restoring(h.store)
	h.Expect(len(h.rows))
	h.Writer = session.NewWriter(h.Table, h.store, h.bought, 90*24*time.Hour, nil)
	return h
}

// back has all rows back, as they were read before anything else.
func (h *halfway) back() {
	for _, row := range h.rows {
		h.Restore(row)
	}
	h.Restored()
}

// TestAccountingWinsOverRowsThatComeBack has packets come for sessions that are
// not back yet: each finds what was known, and what it changes stays.
func TestAccountingWinsOverRowsThatComeBack(t *testing.T) {
	t.Parallel()
	reboot := func(h *halfway) { h.record(radius.StatusOn, line{nas: u1.nas}) }
	for name, c := range map[string]struct {
		do   func(*halfway)
		want []line
	}{
		"nothing":                       {func(*halfway) {}, []line{u1, moved}},
		"Interim":                       {func(h *halfway) { h.interim(u1) }, []line{u1, moved}},
		"Stop":                          {func(h *halfway) { h.stop(u1) }, []line{moved}},
		"Stop, written":                 {func(h *halfway) { h.stop(u1); h.Flush() }, []line{moved}},
		"Accounting-On":                 {reboot, []line{moved}},
		"Accounting-On and a new Start": {func(h *halfway) { reboot(h); h.after(time.Second).start(u1again) }, []line{u1again, moved}},
		"Stop and another Start":        {func(h *halfway) { h.stop(u1); h.after(time.Minute).start(u1) }, []line{u1, moved}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startAnew(t, u1, moved)
			c.do(h)
			h.back()
			h.want(c.want...)
			h.Flush()
			h.again().want(c.want...)
		})
	}
}

func TestAPacketFindsWhatWasKnownOfASessionThatIsNotBack(t *testing.T) {
	t.Parallel()
	h := startAnew(t, u1, moved)
	if back, total := h.Progress(); back != 0 || total != 2 {
		t.Errorf("%d of %d are back", back, total)
	}
	h.interim(u1, func(r *radius.Record) { r.Address = netip.MustParseAddr("198.51.100.99") })
	if s := h.get(u1); s.Applied != "block" || s.Address.String() != "198.51.100.99" || s.Rule != "stage" {
		t.Errorf("after an Interim: %+v", s)
	}
	h.login(moved, "open", func(l *radius.Login) { l.Again = true })
	if s := h.get(moved); s.Applied != "open" {
		t.Errorf("after an Accept that was asked for anew: %+v", s)
	}
	h.stop(u1)
	if had, err := h.WhoHad(netip.MustParseAddr(u1.address), noon.Add(time.Second)); err != nil || len(had) != 2 || had[0].Action != "block" {
		t.Errorf("history: %+v, %v", had, err)
	}
}

// TestNothingIsDueBeforeAllIsBack since a campaign, or another session of the
// account, may say otherwise.
func TestNothingIsDueBeforeAllIsBack(t *testing.T) {
	t.Parallel()
	h := startAnew(t, u1, moved)
	h.interim(u1)
	if due := h.Due(h.now); due != nil {
		t.Errorf("due are %v", due)
	}
	h.back()
	if due := h.Due(h.now); len(due) != 2 {
		t.Errorf("due are %v", due)
	}
	if back, total := h.Progress(); back != 0 || total != 0 {
		t.Errorf("%d of %d are back", back, total)
	}
}

// TestDoubtReachesASessionThatAPacketBringsBack as well as one whose row is
// read in its turn.
func TestDoubtReachesASessionThatAPacketBringsBack(t *testing.T) {
	t.Parallel()
	h := startAnew(t, u1, moved)
	h.Interrupted([]store.Announcement{{Key: store.SessionKey(u1.id()), Stamp: 1}, {Key: store.SessionKey(moved.id()), Stamp: 1}})
	h.interim(u1)
	h.Announce([]session.ID{u1.id()}) // an operator's push
	h.back()
	for _, l := range []line{u1, moved} {
		h.Decided(l.id(), engine.Decision{Action: "block"}, h.now)
		if s := h.get(l); s.Applied != "" || !s.Drift() {
			t.Errorf("got %+v", s)
		}
	}
	h.Flush()
	if n := h.announcements(); n != 1 {
		t.Errorf("%d announcements are left, one router is being told", n)
	}
}
