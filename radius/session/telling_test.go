package session_test

import (
	"testing"

	"sekisho/engine"
	"sekisho/radius/session"
)

// TestSessionSaysWhatItsRouterIsBeingTold follows a grant that is taken back
// before the router has answered: that nothing drifts is not all that is known.
func TestSessionSaysWhatItsRouterIsBeingTold(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.start(u1)
	n.Told(u1.id(), "block", session.Sent, "")
	want := func(what, telling, why string) {
		t.Helper()
		s, _ := n.Get(u1.id())
		page := n.Page(session.Filter{}, session.ID{}, 1)
		if s.Telling != telling || s.Why != why || len(page) != 1 || page[0].Telling != telling || page[0].Why != why {
			t.Errorf("%s: telling %q, why %q, want %q, %q; listed %+v", what, s.Telling, s.Why, telling, why, page)
		}
	}
	n.Decided(u1.id(), engine.Decision{Action: "open"}, n.now)
	want("granted", "", session.AwaitsTurn)
	n.Telling(u1.id(), "open")
	want("sent", "open", session.AwaitsAnswer)
	n.Decided(u1.id(), engine.Decision{Action: "block"}, n.now)
	want("revoked", "open", "")
	n.Told(u1.id(), "open", session.Acknowledged, "")
	n.Telling(u1.id(), "")
	want("answered", "", session.AwaitsTurn)
}
