package session_test

import (
	"net/netip"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/session"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Lines of the tests. u1again is u1's second session at the same time; u2 got
// u1's Acct-Session-Id after a restart of the router; moved is u1 at another.
var (
	u1again = line{nas: "bras1", session: "2B", user: "u1@atson.net", address: "198.51.100.2", calling: "0311111111"}
	u2      = line{nas: "bras1", session: "1A", user: "u2@atson.net", address: "198.51.100.3", calling: "0322222222"}
	moved   = line{nas: "bras2", session: "1A", user: "u1@atson.net", address: "198.51.100.1", calling: "0311111111"}
)

func restarted(n *network, at line, changes ...func(*radius.Record)) {
	at.session, at.address, at.calling = "", "", ""
	n.record(radius.StatusOn, at, changes...)
}

// TestRecords goes through everything that loss, repetition, reordering and
// restarts make of the accounting of a line.
func TestRecords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(*network)
		live    []line
	}{
		"a Start": {func(n *network) { n.start(u1) }, []line{u1}},
		"a Start and its Stop": {func(n *network) {
			n.start(u1)
			n.after(time.Hour).stop(u1)
		}, nil},
		"the Start is lost, an Interim comes": {func(n *network) { n.interim(u1, lasted(time.Hour)) }, []line{u1}},
		"the Start is sent again with another identifier": {func(n *network) {
			n.start(u1)
			n.after(5*time.Second).start(u1, delayed(5*time.Second))
		}, []line{u1}},
		"the Start is sent again by a router that counts no delay": {func(n *network) {
			n.start(u1)
			n.after(5 * time.Second).start(u1)
		}, []line{u1}},
		"the Start overtaken by an Interim": {func(n *network) {
			n.interim(u1)
			n.after(5*time.Second).start(u1, delayed(5*time.Second))
		}, []line{u1}},
		"the Start overtaken by the Stop": {func(n *network) {
			n.stop(u1, lasted(10*time.Second))
			n.after(5*time.Second).start(u1, delayed(15*time.Second))
		}, nil},
		"an Interim overtaken by the Stop": {func(n *network) {
			n.start(u1)
			n.after(time.Minute).stop(u1)
			n.after(5*time.Second).interim(u1, delayed(6*time.Second))
		}, nil},
		"an Interim overtaken by the Stop, its delay being told in whole seconds": {func(n *network) {
			n.start(u1)
			n.after(time.Minute).stop(u1)
			n.after(5900*time.Millisecond).interim(u1, delayed(5*time.Second))
		}, nil},
		"an Interim overtaken by the Stop, told by Event-Timestamp": {func(n *network) {
			n.start(u1, stamped(n.now))
			n.after(time.Minute).stop(u1, stamped(n.now))
			n.after(time.Second).interim(u1, stamped(n.now.Add(-10*time.Second)))
		}, nil},
		"the Stop is sent again": {func(n *network) {
			n.start(u1)
			n.after(time.Minute).stop(u1)
			n.after(5*time.Second).stop(u1, delayed(5*time.Second))
		}, nil},
		"a late Stop of the session before under the same Acct-Session-Id": {func(n *network) {
			n.start(u1)
			n.after(time.Hour).start(u2)
			n.after(10*time.Second).stop(u1, delayed(30*time.Second))
		}, []line{u2}},
		"the router begins to count anew, and its Accounting-On is lost": {func(n *network) {
			n.start(u1)
			n.after(time.Hour).start(u2)
		}, []line{u2}},
		"the same, and the Start is lost, too": {func(n *network) {
			n.start(u1)
			n.after(time.Hour).interim(u2, lasted(10*time.Minute))
		}, []line{u2}},
		"the same, and only the Stop comes": {func(n *network) {
			n.start(u1)
			n.after(time.Hour).stop(u2, lasted(10*time.Minute))
		}, nil},
		"the same user comes back under the same Acct-Session-Id": {func(n *network) {
			n.start(u1)
			n.after(time.Hour).start(u1)
		}, []line{u1}},
		"Accounting-On": {func(n *network) {
			n.start(u1)
			n.start(u1again)
			n.start(moved)
			restarted(n.after(time.Minute), u1)
		}, []line{moved}},
		"Accounting-On that was under way for longer than the next login": {func(n *network) {
			n.start(u1)
			n.after(10 * time.Second).start(u1again)
			restarted(n.after(10*time.Second), u1, delayed(15*time.Second))
		}, []line{u1again}},
		"an Interim from before the restart": {func(n *network) {
			n.start(u1)
			restarted(n.after(time.Minute), u1)
			n.after(5*time.Second).interim(u1, delayed(10*time.Second))
		}, nil},
		"the same, the session being unknown": {func(n *network) {
			restarted(n, u1)
			n.after(5*time.Second).interim(u1, delayed(10*time.Second))
		}, nil},
		"the router restarts quickly, and its Accounting-On is lost": {func(n *network) {
			n.start(u1)
			n.after(30 * time.Second).start(u2)
		}, []line{u2}},
		"a session survives the restart": {func(n *network) {
			n.start(u1)
			restarted(n.after(time.Minute), u1)
			n.after(10*time.Minute).interim(u1, lasted(11*time.Minute))
		}, []line{u1}},
		"one account twice": {func(n *network) {
			n.start(u1)
			n.start(u1again)
		}, []line{u1, u1again}},
		"one account twice, one of them stops": {func(n *network) {
			n.start(u1)
			n.start(u1again)
			n.after(time.Minute).stop(u1)
		}, []line{u1again}},
		"moved to another router, whose counter stands the same": {func(n *network) {
			n.start(u1)
			n.after(time.Minute).start(moved)
			n.after(time.Second).stop(u1)
		}, []line{moved}},
		"no Acct-Session-Id":     {func(n *network) { n.start(line{nas: "bras1", user: "u1@atson.net"}) }, nil},
		"a status about tunnels": {func(n *network) { n.record(9, u1) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			c.happens(n)
			n.want(c.live...)
			for _, l := range c.live {
				if got := n.get(l); got.UserName != l.user || got.Address.String() != l.address {
					t.Errorf("session %v is of %s at %s", got.ID, got.UserName, got.Address)
				}
			}
		})
	}
}

func stamped(at time.Time) func(*radius.Record) { return func(r *radius.Record) { r.Event = at } }

func TestAnInterimBringsWhatIsNew(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.start(u1)
	n.after(time.Minute).interim(u1, func(r *radius.Record) {
		r.Address = netip.MustParseAddr("198.51.100.9")
		r.Prefix = netip.MustParsePrefix("2001:db8:1:2::/64")
		r.Delegated = netip.MustParsePrefix("2001:db8:2:100::/56")
		r.InterfaceID = 7
		r.Identity = append(r.Identity, attr(87, "slot1/7"))
		r.Request = []engine.Attribute{{Name: "NAS-Port-Type", Value: "ISDN"}}
	})
	n.after(time.Second).interim(u1, delayed(2*time.Minute)) // an older one changes nothing back
	want := session.Session{
		ID: u1.id(), Serial: 1, Area: "tokyo", Account: "u1", UserName: "u1@atson.net", Name: "u1@atson.net", Realm: "atson.net", Form: "plain",
		Started: noon, Updated: noon.Add(time.Minute),
		Address: netip.MustParseAddr("198.51.100.9"), Prefix: netip.MustParsePrefix("2001:db8:1:2::/64"),
		Delegated: netip.MustParsePrefix("2001:db8:2:100::/56"), InterfaceID: 7,
		Identity: []radius.Attribute{attr(44, "1A"), attr(31, "0311111111"), attr(87, "slot1/7")},
		Request:  []engine.Attribute{{Name: "NAS-Port-Type", Value: "ISDN"}},
	}
	if diff := cmp.Diff(want, n.get(u1), cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
	if got := n.Stats().Oddities["stale"]; got != 1 {
		t.Errorf("%d records were stale, want 1", got)
	}
}

// TestAnOlderInterimChangesNothing holds that an address does not go back.
func TestAnOlderInterimChangesNothing(t *testing.T) {
	t.Parallel()
	for name, overtaken := range map[string]func(*radius.Record){
		"by its delay":       delayed(5 * time.Second),
		"by Event-Timestamp": stamped(noon.Add(50 * time.Second)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			n.start(u1, stamped(n.now))
			n.after(time.Minute).interim(u1, stamped(n.now), func(r *radius.Record) { r.Address = netip.MustParseAddr("198.51.100.9") })
			n.after(4900*time.Millisecond).interim(u1, overtaken)
			if got := n.get(u1).Address.String(); got != "198.51.100.9" {
				t.Errorf("the address went back to %s", got)
			}
		})
	}
}

// TestWhenASessionBegan holds which Start counts.
func TestWhenASessionBegan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(*network)
		want    time.Duration // after noon
	}{
		"sent again, with the same Event-Timestamp": {func(n *network) {
			n.start(u1, stamped(noon))
			n.after(90*time.Second).start(u1, stamped(noon))
		}, 0},
		"another one, by its Event-Timestamp": {func(n *network) {
			n.start(u1, stamped(noon))
			n.after(30*time.Second).start(u1, stamped(noon.Add(30*time.Second)), delayed(29*time.Second))
			n.after(60*time.Second).start(u1, stamped(noon.Add(89*time.Second)))
		}, 90 * time.Second},
		"told by an Interim":   {func(n *network) { n.after(time.Hour).interim(u1, lasted(10*time.Minute)) }, 50 * time.Minute},
		"told by a late Start": {func(n *network) { n.after(time.Minute).interim(u1); n.start(u1, delayed(30*time.Second)) }, 30 * time.Second},
		"the same user a little later, with an Accept of its own": {func(n *network) {
			n.login(unnamed(u1), "open")
			n.start(u1)
			n.after(10*time.Second).login(unnamed(u1), "block")
			n.after(time.Second).start(u1)
		}, 11 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			c.happens(n)
			n.want(u1)
			if got := n.get(u1).Started.Sub(noon); got != c.want {
				t.Errorf("began %v after noon, want %v", got, c.want)
			}
		})
	}
}

func TestSessionsOfARouterWithSeveralBoxes(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	in := func(box string) func(*radius.Record) { return func(r *radius.Record) { r.Box = box } }
	n.start(u1, in("192.0.2.1"))
	n.start(u2, in("192.0.2.2"))
	if n.Len() != 2 {
		t.Fatalf("%d sessions, want 2: one Acct-Session-Id in two boxes", n.Len())
	}
	restarted(n.after(time.Minute), u1, in("192.0.2.1"))
	if _, ok := n.Get(session.ID{NAS: "bras1", Box: "192.0.2.2", AcctSession: "1A"}); !ok || n.Len() != 1 {
		t.Error("the restart of one box ended the sessions of another, or not its own")
	}
}

func TestSessionsAge(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.login(u1, "block", func(l *radius.Login) { l.Interim = 10 * time.Minute })
	n.start(u1)
	n.start(u1again) // never sends an Interim
	n.start(moved)
	n.after(30 * time.Minute).interim(moved) // sends one, at a pace nobody has told
	n.after(10*time.Minute - time.Second).Sweep()
	n.want(u1, u1again, moved)
	n.after(2 * time.Second).Sweep()
	n.want(u1again, moved)
	n.after(3 * time.Hour).Sweep()
	n.want(u1again)
	n.after(session.DefaultMaxQuiet).Sweep()
	n.want()
	if got := n.Stats().Ended; got[session.Aged] != 3 {
		t.Errorf("ended: %v", got)
	}
}

func TestProofOfWhatTheRouterDoes(t *testing.T) {
	t.Parallel()
	echo := func(actions ...string) func(*radius.Record) { return func(r *radius.Record) { r.Echoed = actions } }
	for name, c := range map[string]struct {
		happens func(*network)
		applied string
		proof   session.Proof
		why     string
	}{
		"its accounting says the same":            {func(n *network) { n.interim(u1, echo("limit", "block")) }, "block", session.Seen, ""},
		"its accounting says something else":      {func(n *network) { n.interim(u1, echo("open")) }, "open", session.Seen, "waiting for its turn"},
		"its accounting says what no action says": {func(n *network) { n.interim(u1, echo("")) }, "", session.NotTold, "it is not known what the router was told"},
		"a record from before it was told": {func(n *network) {
			n.Told(u1.id(), "block", session.Acknowledged, "")
			n.interim(u1, echo("open"), delayed(5*time.Second))
		}, "block", session.Acknowledged, ""},
		"it repeats what its login said for ever": {func(n *network) {
			n.interim(u1, echo("open"))
			n.after(time.Minute).Told(u1.id(), "block", session.Acknowledged, "")
			n.after(time.Minute).interim(u1, echo("open"))
		}, "block", session.Acknowledged, ""},
		"a CoA was acknowledged": {func(n *network) { n.Told(u1.id(), "open", session.Acknowledged, "") }, "open", session.Acknowledged, "waiting for its turn"},
		"a CoA was refused": {func(n *network) {
			n.Told(u1.id(), "open", session.Acknowledged, "")
			n.Told(u1.id(), "block", session.NotTold, "NAK 401")
		}, "open", session.Acknowledged, "NAK 401"},
		"nobody knows": {func(n *network) { n.Told(u1.id(), "", session.Sent, "no answer") }, "", session.NotTold, "no answer"},
		"the engine changes its mind": {func(n *network) {
			n.Told(u1.id(), "block", session.NotTold, "old")
			n.Decided(u1.id(), engine.Decision{Action: "open", Rule: engine.ByOverride, Override: "o1"}, n.now)
		}, "block", session.Sent, "waiting for its turn"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			n.login(u1, "block")
			n.start(u1)
			n.after(time.Minute)
			c.happens(n)
			got := n.get(u1)
			if got.Applied != c.applied || got.Proof != c.proof || got.Why != c.why {
				t.Errorf("applied %q, %v, why %q; want %q, %v, %q", got.Applied, got.Proof, got.Why, c.applied, c.proof, c.why)
			}
			if drift := len(n.Page(session.Filter{Drift: true}, session.ID{}, 10)) == 1; drift != (c.why != "") || drift != got.Drift() {
				t.Errorf("drift: %v, by the session %v", drift, got.Drift())
			}
		})
	}
}

func TestDueFollowsUntil(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.start(u1)
	n.start(u1again)
	if got := n.Due(n.now); len(got) != 2 {
		t.Fatalf("Due() = %v, want both new sessions", got)
	}
	n.Decided(u1.id(), engine.Decision{Action: "open", Until: n.now.Add(time.Hour)}, n.now)
	n.Decided(u1again.id(), engine.Decision{Action: "open"}, n.now)
	if got := n.NextDue(); !got.Equal(n.now.Add(time.Hour)) {
		t.Errorf("NextDue() = %v", got)
	}
	if got := n.Due(n.now.Add(time.Hour - 1)); len(got) != 0 {
		t.Errorf("Due() = %v before its time", got)
	}
	if got := n.Due(n.now.Add(time.Hour)); len(got) != 1 || got[0] != u1.id() {
		t.Errorf("Due() = %v", got)
	}
	if got := n.Due(n.now.Add(time.Hour)); len(got) != 0 {
		t.Errorf("Due() = %v at once again", got)
	}
	if got := n.Due(n.now.Add(time.Hour + time.Minute)); len(got) != 1 {
		t.Errorf("Due() = %v, want it again when nobody has decided", got)
	}
	n.after(2 * time.Hour).stop(u1)
	if got := n.NextDue(); !got.IsZero() {
		t.Errorf("NextDue() = %v of a session that is over", got)
	}
}

func TestRereadAfterAReload(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.start(u1)
	n.Decided(u1.id(), engine.Decision{Action: "open"}, n.now)
	n.Reread(func(name string) engine.Login { return engine.Login{Account: name, Form: "whole"} })
	if ids := n.Account("u1@atson.net"); len(ids) != 1 {
		t.Errorf("Account() = %v by the new reading", ids)
	}
	if ids := n.Account("u1"); len(ids) != 0 {
		t.Errorf("Account() = %v by the old reading", ids)
	}
	if got := n.get(u1); got.Form != "whole" || got.Realm != "" {
		t.Errorf("read as %q, %q", got.Form, got.Realm)
	}
	if due := n.Due(n.now); len(due) != 1 {
		t.Errorf("Due() = %v", due)
	}
}
