package session_test

import (
	"testing"
	"time"

	"sekisho/radius"
	"sekisho/radius/session"
)

// unnamed is a line whose Access-Request does not name the session.
func unnamed(l line) line {
	l.session = ""
	return l
}

// TestJoins goes through the ways in which an Accept finds its session.
func TestJoins(t *testing.T) {
	t.Parallel()
	renamed := func(l *radius.Login) { l.UserName = "renamed" }
	class := func(c ...string) func(*radius.Login) { return func(l *radius.Login) { l.Class = c } }
	for name, c := range map[string]struct {
		happens  func(*network)
		applied  string
		userName string // u1's own where empty
	}{
		"by Acct-Session-Id": {func(n *network) {
			n.login(u1again, "open")
			n.login(u1, "block")
			n.login(unnamed(u1), "open")
			n.start(u1)
		}, "block", ""},
		"by name and line": {func(n *network) {
			n.login(unnamed(u1), "block")
			other := unnamed(u1)
			other.calling = "0399999999"
			n.login(other, "open")
			n.start(u1)
		}, "block", ""},
		"the last one, where nothing tells them apart": {func(n *network) {
			n.login(unnamed(u1), "open")
			n.after(time.Second).login(unnamed(u1), "block")
			n.start(u1)
		}, "block", ""},
		"by Class": {func(n *network) {
			n.login(unnamed(u1), "block", class("a", "b"))
			n.login(unnamed(u1), "open", class("c"))
			n.start(u1, func(r *radius.Record) { r.Class = []string{"a"} })
		}, "block", ""},
		"at another router": {func(n *network) {
			n.login(unnamed(moved), "block")
			n.start(u1)
		}, "", ""},
		"too late": {func(n *network) {
			n.login(unnamed(u1), "block")
			n.after(session.DefaultJoin + time.Second).Sweep()
			n.start(u1)
		}, "", ""},
		"a Start from before": {func(n *network) {
			n.login(unnamed(u1), "block")
			n.start(u1, delayed(10*time.Second))
		}, "", ""},
		"by an Interim, the Start being lost": {func(n *network) {
			n.login(unnamed(u1), "block")
			n.after(time.Minute).interim(u1, lasted(58*time.Second))
		}, "block", ""},
		"an Interim of a session that is older than the Accept": {func(n *network) {
			n.login(unnamed(u1), "block")
			n.after(time.Minute).interim(u1, lasted(time.Hour))
		}, "", ""},
		"the Accept changed the name, and the router says so": {func(n *network) {
			n.login(unnamed(u1), "block", renamed)
			n.start(u1, func(r *radius.Record) { r.UserName, r.Name = "renamed", "renamed" })
		}, "block", "renamed"},
		"the Accept changed the name, and the router keeps to the old one": {func(n *network) {
			n.login(unnamed(u1), "block", renamed)
			n.start(u1)
		}, "block", "renamed"},
		"asked about anew while it goes on": {func(n *network) {
			n.login(u1, "open")
			n.start(u1)
			n.after(time.Minute).login(u1, "block", func(l *radius.Login) { l.Again = true })
		}, "block", ""},
		"authenticated anew, seen at the next Interim": {func(n *network) {
			n.login(u1, "open")
			n.start(u1)
			n.after(time.Minute).login(u1, "block")
			n.after(time.Minute).interim(u1, lasted(2*time.Minute))
		}, "block", ""},
		"authenticated anew, long before the next Interim": {func(n *network) {
			n.login(u1, "open")
			n.start(u1)
			n.after(time.Minute).login(u1, "block")
			n.after(session.DefaultJoin + time.Second).Sweep()
		}, "block", ""},
		"a new session under the same Acct-Session-Id, soon": {func(n *network) {
			n.login(u1, "open")
			n.start(u1)
			n.after(10*time.Second).login(u1, "block")
			n.after(time.Second).start(u1)
		}, "block", ""},
		"the fail mode's action": {func(n *network) {
			n.login(u1, "", func(l *radius.Login) { l.Told = "block" })
			n.start(u1)
		}, "block", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			c.happens(n)
			n.want(u1)
			got := n.get(u1)
			if c.userName == "" {
				c.userName = u1.user
			}
			if got.Applied != c.applied || got.UserName != c.userName || got.Name != u1.user && c.applied != "" {
				t.Errorf("applied %q to %q, read as %q; want %q to %q", got.Applied, got.UserName, got.Name, c.applied, c.userName)
			}
			if known := got.Proof == session.Sent; known != (c.applied != "") {
				t.Errorf("proof %v of %q", got.Proof, c.applied)
			}
		})
	}
}

func TestASessionThatIsToldNothing(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.login(u1, "block", func(l *radius.Login) { l.Told, l.Exempt = "", "kept" })
	n.start(u1)
	if got := n.get(u1); got.Drift() || got.Exempt != "kept" {
		t.Errorf("drift %v, exempt %q", got.Drift(), got.Exempt)
	}
}

func TestAcceptsAreForgotten(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	for range 1000 {
		n.login(u1, "block")
		n.login(unnamed(u1), "block")
	}
	n.after(session.DefaultJoin + time.Second).Sweep()
	if got := n.Stats(); got.Waiting != 0 {
		t.Errorf("%d Accepts still wait", got.Waiting)
	}
}
