package session_test

import (
	"errors"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius/session"
	"sekisho/store"
)

// blocked has a session that was told "block", long ago and on disk.
func blocked(t *testing.T) *kept {
	k := newKept(t)
	k.login(u1, "block")
	k.start(u1)
	k.Flush()
	k.after(time.Minute)
	return k
}

// killed starts the daemon anew after a crash.
func (k *kept) killed() *kept {
	k.Helper()
	next := &kept{network: newNetwork(k.TB), store: k.store, bought: k.bought}
	next.now = k.now
	all, err := k.store.AnnouncedSessions()
	if err != nil {
		k.Fatal(err)
	}
	next.Interrupted(all)
	for row, err := range k.store.AllSessions() {
		if err != nil {
			k.Fatal(err)
		}
		next.Restore(row)
	}
	next.Restored()
	next.Writer = session.NewWriter(next.Table, k.store, k.bought, 90*24*time.Hour, nil)
	return next
}

func (k *kept) announcements() int {
	k.Helper()
	all, err := k.store.AnnouncedSessions()
	if err != nil {
		k.Fatal(err)
	}
	return len(all)
}

// TestWhatARouterWasToldBeforeACrashIsNotForgotten kills the daemon at every
// point of telling "open" to a session that was told "block".
func TestWhatARouterWasToldBeforeACrashIsNotForgotten(t *testing.T) {
	t.Parallel()
	announce := func(k *kept) { k.Announce([]session.ID{u1.id()}) }
	answer := func(k *kept) { k.Told(u1.id(), "open", session.Acknowledged, "") }
	settle := func(k *kept) { k.Settled(u1.id()) }
	flush := func(k *kept) { k.Flush() }
	change := func(k *kept) { k.Decided(u1.id(), engine.Decision{Action: "open", Rule: "stage"}, k.now) }
	for name, c := range map[string]struct {
		steps []func(*kept)
		want  string // applied; empty: nobody knows
		left  int    // announcements after another second
	}{
		"before anything":                     {nil, "block", 0},
		"announced":                           {[]func(*kept){announce}, "", 0},
		"announced, written meanwhile":        {[]func(*kept){announce, change, flush}, "", 0},
		"answered":                            {[]func(*kept){announce, answer, settle}, "", 0},
		"answered and written, not settled":   {[]func(*kept){announce, answer, flush}, "", 0},
		"answered and written":                {[]func(*kept){announce, answer, settle, flush}, "open", 0},
		"written, and told once more":         {[]func(*kept){announce, answer, settle, flush, announce}, "", 0},
		"told once more before it is written": {[]func(*kept){announce, answer, settle, announce, flush}, "", 0},
		"one of two has its answer":           {[]func(*kept){announce, announce, answer, settle, flush}, "", 0},
		"nothing was sent":                    {[]func(*kept){announce, settle, flush}, "block", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := blocked(t)
			for _, step := range c.steps {
				step(k)
			}
			k.after(time.Second)
			next := k.killed()
			s := next.get(u1)
			if s.Applied != c.want || (c.want == "") != (s.Proof == session.NotTold) {
				t.Errorf("applied is %q (%s), want %q", s.Applied, s.Proof, c.want)
			}
			next.Decided(u1.id(), engine.Decision{Action: "block", Rule: "stage"}, next.now)
			if s := next.get(u1); s.Drift() == (c.want == "block") {
				t.Errorf("back to block: drift %v (%s)", s.Drift(), s.Why)
			}
			next.Flush()
			if n := next.announcements(); n != 0 {
				t.Errorf("%d announcements are left", n)
			}
			if s := next.killed().get(u1); s.Applied != c.want {
				t.Errorf("after another restart applied is %q, want %q", s.Applied, c.want)
			}
		})
	}
}

// TestHistoryTellsWhatIsKnownOfACrash ends what the router was told when it
// was announced that this would change.
func TestHistoryTellsWhatIsKnownOfACrash(t *testing.T) {
	t.Parallel()
	k := blocked(t)
	k.Announce([]session.ID{u1.id()})
	k.after(10 * time.Minute)
	next := k.killed()
	for minutes, want := range map[int]string{0: "block", 5: ""} {
		at := noon.Add(time.Duration(minutes)*time.Minute + 30*time.Second)
		if h := next.whoHad(u1.address, at); len(h) != 1 || h[0].Action != want {
			t.Errorf("at %s: %+v", at, h)
		}
	}
}

// TestAnnouncementsOfSessionsThatAreOverAreForgotten holds for one that ends
// while its router is being told, and for one that never had a row.
func TestAnnouncementsOfSessionsThatAreOverAreForgotten(t *testing.T) {
	t.Parallel()
	k := blocked(t)
	k.Announce([]session.ID{u1.id(), moved.id()})
	k.stop(u1)
	k.Flush()
	if n := k.announcements(); n != 2 {
		t.Errorf("%d announcements while both routers are being told", n)
	}
	k.Settled(u1.id())
	k.Flush()
	if n := k.announcements(); n != 1 {
		t.Errorf("%d announcements, one router is being told", n)
	}
	next := k.killed()
	next.Flush()
	if n := next.announcements(); n != 0 {
		t.Errorf("%d announcements of nobody", n)
	}
}

// TestAnotherSessionOfTheNameIsNotInDoubt has a router give the name of a
// session that it was being told something about to another one.
func TestAnotherSessionOfTheNameIsNotInDoubt(t *testing.T) {
	t.Parallel()
	k := blocked(t)
	k.Announce([]session.ID{u1.id()})
	k.stop(u1)
	k.Settled(u1.id())
	k.after(time.Minute).login(u1, "open")
	k.start(u1)
	k.Flush()
	if s := k.killed().get(u1); s.Applied != "open" {
		t.Errorf("applied is %q", s.Applied)
	}
}

// TestALoginThatACrashForgetsIsNotBelieved kills the daemon in the second of
// an Accept and its Start: whatever brings the session back, nobody knows what
// its router was told.
func TestALoginThatACrashForgetsIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]func(*kept){
		"Start":   func(k *kept) { k.start(u1) },
		"Interim": func(k *kept) { k.interim(u1, lasted(time.Minute)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKept(t)
			k.login(u1, "block")
			next := k.killed()
			back(next)
			next.Decided(u1.id(), engine.Decision{Action: "open"}, next.now)
			if s := next.get(u1); s.Applied != "" || s.Proof != session.NotTold || !s.Drift() {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// mute is a store that takes no announcements.
type mute struct{ *store.Store }

func (mute) AnnounceSessions([]store.Announcement) error { return errors.New("disk full") }

// TestAFullDiskKeepsNoRouterFromBeingTold and is counted.
func TestAFullDiskKeepsNoRouterFromBeingTold(t *testing.T) {
	t.Parallel()
	k := blocked(t)
	w := session.NewWriter(k.Table, mute{k.store}, k.bought, 0, nil)
	w.Announce([]session.ID{u1.id(), moved.id()})
	w.Announce([]session.ID{u1.id()})
	if n := k.Stats().Unannounced; n != 3 {
		t.Errorf("%d were not announced", n)
	}
	w.Settled(u1.id())
	w.Flush()
	if n := k.announcements(); n != 0 {
		t.Errorf("%d announcements are left", n)
	}
}
