package session_test

import (
	"slices"
	"testing"

	"sekisho/radius"
	"sekisho/radius/session"
)

// TestSessionsOfANameAreFoundAtEveryRouter has three routers count alike.
func TestSessionsOfANameAreFoundAtEveryRouter(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	at := func(nas, box string) func(*radius.Record) {
		return func(r *radius.Record) { r.NAS, r.Box = nas, box }
	}
	n.start(u1, at("bras1", ""))
	n.start(u1, at("farm", "192.0.2.7"))
	n.start(u1, at("farm", "192.0.2.8"))
	n.stop(u1, at("bras1", ""))
	want := []session.ID{{NAS: "farm", Box: "192.0.2.7", AcctSession: u1.id().AcctSession}, {NAS: "farm", Box: "192.0.2.8", AcctSession: u1.id().AcctSession}}
	if got := n.Named(u1.id().AcctSession); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
