package session_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/session"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// noon is when every test begins.
var noon = time.Date(2007, 5, 15, 12, 0, 0, 0, time.UTC)

// network is a table under test, with a clock that the test sets.
type network struct {
	testing.TB
	*session.Table
	now time.Time
}

func newNetwork(t testing.TB) *network {
	n := &network{TB: t, now: noon}
	n.Table = session.NewTable(session.Options{Clock: func() time.Time { return n.now }})
	return n
}

func (n *network) after(d time.Duration) *network {
	n.now = n.now.Add(d)
	return n
}

// line is a subscriber's line at a router, with what its packets say.
type line struct {
	nas, session, user string
	address            string
	calling            string
}

var u1 = line{nas: "bras1", session: "1A", user: "u1@atson.net", address: "198.51.100.1", calling: "0311111111"}

func (l line) sighting(n *network) radius.Sighting {
	account, realm := l.user, ""
	if at := slices.Index([]byte(l.user), '@'); at >= 0 {
		account, realm = l.user[:at], l.user[at+1:]
	}
	s := radius.Sighting{
		NAS: l.nas, Area: "tokyo", At: n.now, Session: l.session, UserName: l.user, Name: l.user,
		Login: engine.Login{Account: account, Realm: realm, Form: "plain"},
	}
	if l.session != "" {
		s.Identity = append(s.Identity, attr(44, l.session))
	}
	if l.calling != "" {
		s.Identity = append(s.Identity, attr(31, l.calling))
	}
	if l.address != "" {
		s.Address = netip.MustParseAddr(l.address)
	}
	return s
}

func attr(number uint32, value string) radius.Attribute {
	a := radius.Attribute{Value: value}
	a.Number = number
	return a
}

// record makes a record and sends it.
func (n *network) record(status radius.Status, l line, changes ...func(*radius.Record)) {
	r := &radius.Record{Sighting: l.sighting(n), Status: status}
	for _, change := range changes {
		change(r)
	}
	n.Accounting(r)
}

func (n *network) start(l line, changes ...func(*radius.Record)) {
	n.record(radius.StatusStart, l, changes...)
}

func (n *network) interim(l line, changes ...func(*radius.Record)) {
	n.record(radius.StatusInterim, l, changes...)
}

func (n *network) stop(l line, changes ...func(*radius.Record)) {
	n.record(radius.StatusStop, l, changes...)
}

func delayed(by time.Duration) func(*radius.Record) {
	return func(r *radius.Record) { r.Delay = by }
}

func lasted(d time.Duration) func(*radius.Record) {
	return func(r *radius.Record) { r.Lasted = d }
}

// login sends an Accept that says an action.
func (n *network) login(l line, action string, changes ...func(*radius.Login)) {
	l.address = ""
	login := &radius.Login{Sighting: l.sighting(n), Decision: engine.Decision{Action: action, Rule: "stage"}, Told: action, Asked: l.user}
	for _, change := range changes {
		change(login)
	}
	n.LoggedIn(asRead{login: login}, nil)
}

// asRead is a lens through which that login is seen, whatever was kept.
type asRead struct{ login *radius.Login }

func (a asRead) Names([]byte) radius.Names {
	l := a.login
	return radius.Names{
		NAS: l.NAS, Box: []byte(l.Box), Session: []byte(l.Session),
		Asked: []byte(l.Asked), UserName: []byte(l.UserName), Name: []byte(l.Name), At: l.At.UnixNano(), Again: l.Again,
	}
}

func (a asRead) Login(_ []byte, l *radius.Login) { *l = *a.login }

func (l line) id() session.ID { return session.ID{NAS: l.nas, AcctSession: l.session} }

// want checks that exactly these sessions are live.
func (n *network) want(lines ...line) {
	n.Helper()
	var want, got []session.ID
	for _, l := range lines {
		want = append(want, l.id())
	}
	for _, s := range n.Page(session.Filter{}, session.ID{}, 1000) {
		got = append(got, s.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		n.Errorf("live sessions:\n%s", diff)
	}
	if n.Len() != len(lines) {
		n.Errorf("Len() = %d, want %d", n.Len(), len(lines))
	}
}

// get returns a session that must be there.
func (n *network) get(l line) session.Session {
	n.Helper()
	s, ok := n.Get(l.id())
	if !ok {
		n.Fatalf("there is no session %v", l.id())
	}
	return s
}

func TestAStartJoinsItsAccept(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.login(u1, "block", func(l *radius.Login) { l.Request = []engine.Attribute{{Name: "NAS-Port-Type", Value: "ISDN"}} })
	n.want()
	n.after(2 * time.Second).start(u1)
	n.want(u1)
	want := session.Session{
		ID: u1.id(), Serial: 1, Area: "tokyo", Account: "u1", UserName: "u1@atson.net", Name: "u1@atson.net", Realm: "atson.net", Form: "plain",
		Started: n.now, Updated: n.now, Address: netip.MustParseAddr("198.51.100.1"),
		Identity: []radius.Attribute{attr(44, "1A"), attr(31, "0311111111")},
		Request:  []engine.Attribute{{Name: "NAS-Port-Type", Value: "ISDN"}},
		Applied:  "block", Proof: session.Sent, AppliedAt: noon, Wanted: "block", Rule: "stage",
	}
	got := n.get(u1)
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
	if got.Drift() {
		t.Error("there is drift")
	}
	if due := n.Due(n.now); !slices.Equal(due, []session.ID{u1.id()}) {
		t.Errorf("Due() = %v: what was decided at the login may have changed since", due)
	}
}

var _ radius.Sessions = (*session.Feed)(nil)
