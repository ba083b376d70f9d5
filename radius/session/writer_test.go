package session_test

import (
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/session"
	"sekisho/store"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var addresses = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})

// bought are the contracts of the tests.
type bought struct {
	mu      sync.Mutex
	courses map[string]string
}

func (b *bought) Contract(account string) (engine.Contract, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	course, ok := b.courses[account]
	return engine.Contract{Account: account, Course: course}, ok, nil
}

func (b *bought) set(account, course string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.courses[account] = course
}

// kept is a network whose table is written into a store.
type kept struct {
	*network
	*session.Writer
	store  *store.Store
	bought *bought
}

func newKept(t testing.TB) *kept {
	s, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	k := &kept{network: newNetwork(t), store: s, bought: &bought{courses: map[string]string{"u1": "adsl"}}}
	k.Writer = session.NewWriter(k.Table, s, k.bought, 90*24*time.Hour, nil)
	return k
}

// again starts the daemon anew with what is in the store.
func (k *kept) again() *kept {
	k.Helper()
	next := &kept{network: newNetwork(k.TB), store: k.store, bought: k.bought}
	next.now = k.now
	for row, err := range k.store.AllSessions() {
		if err != nil {
			k.Fatal(err)
		}
		next.Restore(row)
	}
	next.Writer = session.NewWriter(next.Table, k.store, k.bought, 90*24*time.Hour, nil)
	return next
}

// rich makes a session with something in every field.
func (k *kept) rich() {
	k.login(u1, "block", func(l *radius.Login) {
		l.UserName = "renamed\xff"
		l.Request = []engine.Attribute{{Name: "NAS-Port-Type", Value: "ISDN"}}
		l.Interim = 5 * time.Minute
	})
	k.start(u1, func(r *radius.Record) {
		r.Address6, r.Prefix = netip.MustParseAddr("2001:db8:1:2::1"), netip.MustParsePrefix("2001:db8:1:2::/64")
		r.Delegated, r.InterfaceID = netip.MustParsePrefix("2001:db8:2::/56"), 7
	})
	k.after(time.Minute).Decided(u1.id(), engine.Decision{Action: "open", Rule: engine.ByOverride, Override: "o1", Until: k.now.Add(time.Hour)}, k.now)
	k.Told(u1.id(), "", session.NotTold, "NAK 401")
	k.start(u1again)
}

func TestSessionsComeBack(t *testing.T) {
	t.Parallel()
	k := newKept(t)
	k.rich()
	k.Flush()
	next := k.again()
	for _, l := range []line{u1, u1again} {
		want := k.get(l)
		if want.Course != "adsl" {
			t.Errorf("course %q", want.Course)
		}
		if diff := cmp.Diff(want, next.get(l), addresses); diff != "" {
			t.Error(diff)
		}
	}
	if due := next.Due(k.now); len(due) != 2 {
		t.Errorf("Due() = %v: much may have changed meanwhile", due)
	}
	if n := next.Stats().Unsaved; n != 0 {
		t.Errorf("%d changes to write of what has just been read", n)
	}
	if ids := next.Account("u1"); len(ids) != 2 {
		t.Errorf("Account() = %v", ids)
	}
	next.after(19 * time.Minute).Sweep() // silence counts from the restart
	next.want(u1, u1again)
	next.after(2 * time.Minute).Sweep()
	next.want(u1again)
}

// TestWhatACrashLosesComesBack holds that a crash costs the last batch, and
// that the next Interims bring it back.
func TestWhatACrashLosesComesBack(t *testing.T) {
	t.Parallel()
	k := newKept(t)
	k.start(u1)
	k.start(moved)
	k.Flush()
	k.after(time.Minute).stop(u1)
	k.start(u1again)
	next := k.again() // without another Flush
	next.want(u1, moved)
	next.after(time.Minute).interim(u1again, lasted(time.Minute))
	next.stop(u1)
	next.want(u1again, moved)
	next.Flush()
	next.again().want(u1again, moved)
}

func TestAnInterimThatTellsNothingNewIsNotWritten(t *testing.T) {
	t.Parallel()
	k := newKept(t)
	k.start(u1)
	k.after(time.Minute).interim(u1)
	k.Flush()
	k.after(time.Minute).interim(u1, lasted(2*time.Minute))
	if n := k.Stats().Unsaved; n != 0 {
		t.Errorf("%d changes to write", n)
	}
}

// broken is a shelf that takes nothing while it is broken.
type broken struct {
	*store.Store
	err error
}

func (b *broken) SaveSessions(batch store.SessionBatch) error {
	if b.err != nil {
		return b.err
	}
	return b.Store.SaveSessions(batch)
}

func TestNothingIsLostWhileTheStoreIsBroken(t *testing.T) {
	t.Parallel()
	k := newKept(t)
	shelf := &broken{k.store, errors.New("disk full")}
	w := session.NewWriter(k.Table, shelf, k.bought, 0, nil)
	k.start(u1)
	k.start(moved)
	w.Flush()
	k.after(time.Minute).stop(u1)
	k.start(u1again)
	w.Flush()
	k.after(time.Minute).stop(u1again)
	k.again().want()
	shelf.err = nil
	w.Flush()
	k.again().want(moved)
	if found := k.whoHad(u1again.address, noon.Add(90*time.Second)); len(found) != 1 {
		t.Errorf("history has %d stretches", len(found))
	}
}

// whoHad is what history and the table tell together.
func (k *kept) whoHad(address string, at time.Time) []store.Stretch {
	k.Helper()
	k.Flush()
	a := netip.MustParseAddr(address)
	past, err := k.store.WhoHad(a, at)
	if err != nil {
		k.Fatal(err)
	}
	for _, h := range k.Now(a) {
		if !h.From.After(at) {
			past = append(past, h)
		}
	}
	return past
}

func TestWhoHadAnAddressAndWhatTheRouterWasTold(t *testing.T) {
	t.Parallel()
	k := newKept(t)
	k.login(u1, "block")
	k.start(u1, func(r *radius.Record) { r.Delegated = netip.MustParsePrefix("2001:db8:2::/56") })
	k.Flush()
	k.after(10*time.Minute).Decided(u1.id(), engine.Decision{Action: "open", Rule: engine.ByOverride, Override: "o1"}, k.now)
	k.after(time.Second).Told(u1.id(), "open", session.Acknowledged, "")
	k.Flush()
	k.bought.set("u1", "ftth")
	k.after(10*time.Minute).Decided(u1.id(), engine.Decision{Action: "block", Rule: "stage"}, k.now)
	k.Told(u1.id(), "block", session.Acknowledged, "")
	k.Flush()
	there := u1
	there.address = "198.51.100.9"
	k.after(10 * time.Minute).interim(there)
	k.after(10 * time.Minute).stop(there)
	type seen struct{ Account, Course, Action, Rule, Override, Ended string }
	for name, c := range map[string]struct {
		address string
		minute  int
		want    []seen
	}{
		"before":                 {u1.address, -1, nil},
		"as the login said":      {u1.address, 1, []seen{{"u1", "adsl", "block", "stage", "", ""}}},
		"the same by its prefix": {"2001:db8:2:99::1", 1, []seen{{"u1", "adsl", "block", "stage", "", ""}}},
		"under the grant":        {u1.address, 15, []seen{{"u1", "adsl", "open", "override", "o1", ""}}},
		"with another contract":  {u1.address, 25, []seen{{"u1", "ftth", "block", "stage", "", ""}}},
		"at another address":     {"198.51.100.9", 35, []seen{{"u1", "ftth", "block", "stage", "", "stop"}}},
		"at the old address":     {u1.address, 35, nil},
		"after":                  {"198.51.100.9", 45, nil},
	} {
		var got []seen
		for _, h := range k.whoHad(c.address, noon.Add(time.Duration(c.minute)*time.Minute)) {
			got = append(got, seen{h.Account, h.Course, h.Action, h.Rule, h.Override, h.Ended})
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTheTableTellsWhoHasAnAddressNow(t *testing.T) {
	t.Parallel()
	k := newKept(t)
	k.start(u1)
	k.start(moved) // the same address at another router
	k.start(u2, func(r *radius.Record) { r.Session = "3C"; r.Prefix = netip.MustParsePrefix("2001:db8::/32") })
	who := func(address string) []string {
		var accounts []string
		for _, h := range k.Now(netip.MustParseAddr(address)) {
			accounts = append(accounts, h.NAS+" "+h.Account)
		}
		slices.Sort(accounts)
		return accounts
	}
	if got := who(u1.address); !slices.Equal(got, []string{"bras1 u1", "bras2 u1"}) {
		t.Errorf("%s: %v", u1.address, got)
	}
	if got := who("2001:db8:5::1"); !slices.Equal(got, []string{"bras1 u2"}) {
		t.Errorf("2001:db8:5::1: %v", got)
	}
	k.after(time.Minute).stop(u1)
	if got := who(u1.address); !slices.Equal(got, []string{"bras2 u1"}) {
		t.Errorf("%s after the Stop: %v", u1.address, got)
	}
	if got := who("203.0.113.1"); got != nil {
		t.Errorf("203.0.113.1: %v", got)
	}
}

// TestWordsOutliveARestart and are forgotten with what they said.
func TestWordsOutliveARestart(t *testing.T) {
	t.Parallel()
	n := newKept(t)
	n.record(radius.StatusStart, u1)
	n.Decided(u1.id(), engine.Decision{Action: "block"}, n.now)
	n.Told(u1.id(), "block", session.Acknowledged, "")
	n.Worded(u1.id(), `Filter-Id = "old"`, false)
	n.Flush()
	again := n.again()
	s, _ := again.Get(u1.id())
	if s.Words != `Filter-Id = "old"` || s.Drift() {
		t.Errorf("got %+v", s)
	}
	again.Worded(u1.id(), s.Words, true)
	if s, _ := again.Get(u1.id()); !s.Drift() || again.Stats().NAS[u1.nas].Drift != 1 {
		t.Errorf("got %+v", s)
	}
	again.Told(u1.id(), "block", session.Acknowledged, "")
	if s, _ := again.Get(u1.id()); s.Drift() || s.Words != "" {
		t.Errorf("got %+v", s)
	}
}
