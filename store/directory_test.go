package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/engine"
)

const source = "directory"

func entryID(n int) EntryID { return EntryID{0: byte(n >> 8), 1: byte(n), 15: 1} }

// tellings is what a test directory says: entry number -> contracts as
// "account=course", several separated by blanks; "" is an entry that is gone,
// "?" one that is kept.
type tellings map[int]string

func (s tellings) batch(t testing.TB, st *Store) *DirectoryBatch {
	t.Helper()
	b, err := st.NewDirectoryBatch(source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	for _, n := range slices.Sorted(maps.Keys(s)) {
		switch s[n] {
		case "":
			err = b.Delete(entryID(n))
		case "?":
			err = b.Keep(entryID(n))
		default:
			err = b.Put(entryID(n), contractsOf(s[n]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func contractsOf(text string) (all []engine.Contract) {
	for _, one := range strings.Fields(text) {
		account, course, _ := strings.Cut(one, "=")
		course, status, _ := strings.Cut(course, "/")
		all = append(all, engine.Contract{Account: account, Course: course, Status: status})
	}
	return all
}

// follow applies and wants no error.
func follow(t testing.TB, s *Store, say tellings, opts DirectoryOptions) DirectoryReport {
	t.Helper()
	r, err := s.ApplyDirectory(t.Context(), By{Who: "sync"}, say.batch(t, s), opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	fullGrace  = DirectoryOptions{Full: true, Grace: true}
	deltaGrace = DirectoryOptions{Grace: true}
)

func TestDirectoryIsFollowed(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, direct int) {
		s := openTemp(t, contract("csv", "own"), contract("b", "csv"))
		s.direct = direct
		opts := fullGrace
		opts.Cookie = Cookie{[]byte("c1"), "ldap://one"}
		r := follow(t, s, tellings{1: "a=x", 2: "b=y", 3: "c=z"}, opts)
		if r.Added != 2 || r.Changed != 1 || r.Entries != 3 {
			t.Errorf("first load: %+v", r)
		}
		expect(t, s, "a=x b=y c=z csv=own")
		state, err := s.Directory(source)
		if err != nil || state.Entries != 3 || string(state.Cookie.Value) != "c1" || state.Server != "ldap://one" || state.Loaded.IsZero() {
			t.Errorf("%+v, %v", state, err)
		}
		// an account of an entry changes, one entry is gone, one is new
		r = follow(t, s, tellings{1: "a2=x", 2: "", 4: "d=w"}, deltaGrace)
		if r.Added != 2 || r.Deleted != 2 || r.Vanished != 1 {
			t.Errorf("changes: %+v", r)
		}
		expect(t, s, "a2=x b=y c=z csv=own d=w")
		// what is not told in full is gone; what cannot be read is not
		r = follow(t, s, tellings{1: "a2=x", 3: "?"}, fullGrace)
		if r.Vanished != 1 || r.Unchanged != 3 {
			t.Errorf("comparison: %+v", r)
		}
		expect(t, s, "a2=x b=y c=z csv=own d=w")
		if state, _ := s.Directory(source); state.Missing != 2 || state.Cookie.Value != nil {
			t.Errorf("state %+v", state)
		}
		r = follow(t, s, tellings{2: "b=new"}, deltaGrace)
		if r.Returned != 1 || r.Changed != 1 {
			t.Errorf("return: %+v", r)
		}
		n, err := s.ExpireDirectory(t.Context(), By{Who: "sync"}, source, time.Now().Add(time.Hour))
		if n != 1 || err != nil {
			t.Errorf("expired %d, %v", n, err)
		}
		expect(t, s, "a2=x b=new c=z csv=own")
		if state, _ := s.Directory(source); state.Missing != 0 || state.Entries != 3 {
			t.Errorf("state %+v", state)
		}
	})
}

func TestDirectoryWithoutGrace(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, direct int) {
		s := openTemp(t)
		s.direct = direct
		follow(t, s, tellings{1: "a=x b=x", 2: "c=y"}, DirectoryOptions{Full: true})
		if r := follow(t, s, tellings{2: "c=y"}, DirectoryOptions{Full: true}); r.Deleted != 2 || r.Vanished != 0 {
			t.Errorf("%+v", r)
		}
		expect(t, s, "c=y")
		if r := follow(t, s, tellings{2: ""}, DirectoryOptions{}); r.Deleted != 1 {
			t.Errorf("%+v", r)
		}
		expect(t, s, "")
		if state, _ := s.Directory(source); state.Entries != 0 {
			t.Errorf("%+v", state)
		}
	})
}

// TestTwoEntriesOfOneAccount: the one that has it keeps it, and the other gets
// it when that is gone or closed.
func TestTwoEntriesOfOneAccount(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, direct int) {
		s := openTemp(t)
		s.direct = direct
		if r := follow(t, s, tellings{1: "z=z", 2: "a=two"}, fullGrace); r.Doubles != 0 {
			t.Errorf("%+v", r)
		}
		if r := follow(t, s, tellings{1: "a=one"}, deltaGrace); r.Doubles != 1 || r.Changed != 0 {
			t.Errorf("a double: %+v", r)
		}
		expect(t, s, "a=two")
		if r := follow(t, s, tellings{1: "?", 2: "a=two"}, fullGrace); r.Doubles != 1 {
			t.Errorf("compared: %+v", r)
		}
		if r := follow(t, s, tellings{2: ""}, deltaGrace); r.Replaced != 1 || r.Changed != 1 || r.Doubles != 0 {
			t.Errorf("the other one: %+v", r)
		}
		expect(t, s, "a=one")
		follow(t, s, tellings{3: "a=three"}, deltaGrace)
		if r := follow(t, s, tellings{1: "a=one/closed"}, deltaGrace); r.Replaced != 1 {
			t.Errorf("closed: %+v", r)
		}
		expect(t, s, "a=three")
		follow(t, s, tellings{3: "", 4: "a=four"}, deltaGrace) // one goes as another comes
		follow(t, s, tellings{1: "a=one/closed", 5: "a=five"}, fullGrace)
		expect(t, s, "a=five")
		follow(t, s, tellings{6: "a=six"}, deltaGrace)
		follow(t, s, tellings{6: ""}, deltaGrace) // a double goes
		if state, _ := s.Directory(source); state.Entries != 2 {
			t.Errorf("%+v", state)
		}
		if state, _ := s.Directory(source); state.Doubles != 1 || state.Missing != 0 {
			t.Errorf("%+v", state)
		}
	})
}

// TestOverridesDoNotOutliveTheContract: a new entry under an old account does
// not inherit, nor does what comes after the grace; the same entry does.
func TestOverridesDoNotOutliveTheContract(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, direct int) {
		s, clock := openAtNoon(t)
		s.direct = direct
		follow(t, s, tellings{1: "a=x", 2: "b=x", 3: "c=x", 4: "d=x"}, fullGrace)
		for _, account := range []string{"a", "b", "c", "d"} {
			if _, _, err := s.AddOverride(By{Who: "desk"}, Override{Account: account, Kind: Grant, Action: "open", Reason: "r"}); err != nil {
				t.Fatal(err)
			}
		}
		var told []string
		s.Watch(func(c Changed) { told = append(told, c.Accounts...) })
		// a: another entry. b: gone and back. c: gone for good. d: another login.
		follow(t, s, tellings{1: "", 2: "", 3: "", 4: "e=x", 5: "a=x"}, deltaGrace)
		if got := states(t, s); got != "a=revoked b=active c=active d=revoked" {
			t.Error(got)
		}
		if direct > 0 && !slices.Equal(told, []string{"a", "d", "e"}) {
			t.Errorf("told of %v", told)
		}
		follow(t, s, tellings{2: "b=x"}, deltaGrace)
		clock.set(noon.Add(time.Hour))
		if _, err := s.ExpireDirectory(t.Context(), By{Who: "sync"}, source, noon.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if got := states(t, s); got != "a=revoked b=active c=revoked d=revoked" {
			t.Error(got)
		}
		expect(t, s, "a=x b=x e=x")
		o, _, _ := s.Overrides(OverrideFilter{Account: "a", Limit: 1})
		if want := "the account belongs to another entry of the directory now: 00050000-0000-0000-0000-000000000001, before 00010000-0000-0000-0000-000000000001"; o[0].Revoked.Reason != want || o[0].Revoked.By != "sync" {
			t.Errorf("got %+v", o[0].Revoked)
		}
		if r, err := s.VerifyAudit(); err != nil || len(r.Faults) > 0 {
			t.Error(r, err)
		}
	})
}

// TestGracesEndInOneWalk: contracts that stay are passed once, however many go
// among them, and not at all as long as no grace may be over.
func TestGracesEndInOneWalk(t *testing.T) {
	t.Parallel()
	s, clock := openAtNoon(t)
	all := tellings{}
	for i := range 3*walkRows + 10 {
		all[i] = fmt.Sprintf("a%05d=x", i)
	}
	follow(t, s, all, fullGrace)
	for i := range all {
		if i > 0 {
			all[i] = ""
		}
	}
	clock.set(noon.Add(time.Hour))
	follow(t, s, all, deltaGrace)
	dir, err := s.openDirectory(source)
	if err != nil {
		t.Fatal(err)
	}
	g := graces{before: nanos(noon.Add(2 * time.Hour))}
	for _, first := range []string{"a00001", "a01001", "a02001", "a03001"} {
		over, err := s.overdue(t.Context(), dir, &g)
		if err != nil || len(over) == 0 || string(over[0].key) != first {
			t.Fatalf("%d from %s on, %v, want %s", len(over), over[0].key, err, first)
		}
	}
	walking, end := context.WithCancel(t.Context())
	expire := func(before time.Duration) (int, error) {
		return s.ExpireDirectory(walking, By{Who: "sync"}, source, noon.Add(before))
	}
	clock.set(noon.Add(90 * time.Minute))
	if n, err := expire(time.Hour); n != 0 || err != nil {
		t.Errorf("%d are over before their time, %v", n, err)
	}
	end() // the next walk is an error
	clock.set(noon.Add(2 * time.Hour))
	if n, err := expire(time.Hour); n != 0 || err != nil {
		t.Errorf("%d, and accounts were walked over in vain: %v", n, err)
	}
	if _, err := expire(80 * time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody looked: %v", err)
	}
	walking = t.Context()
	if n, err := expire(2 * time.Hour); n != 3*walkRows+9 || err != nil {
		t.Errorf("%d are over, %v", n, err)
	}
	clock.set(noon.Add(30 * time.Minute)) // set back
	follow(t, s, tellings{0: ""}, deltaGrace)
	if n, err := expire(31 * time.Minute); n != 1 || err != nil {
		t.Errorf("%d that began with a clock that was set back are over, %v", n, err)
	}
}

func states(t *testing.T, s *Store) string {
	t.Helper()
	var all []string
	for o, err := range s.AllOverrides(OverrideFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o.Account+"="+string(o.State(noon)))
	}
	return strings.Join(all, " ")
}

func many(n int, course string) tellings {
	say := tellings{}
	for i := range n {
		say[i] = fmt.Sprintf("u%03d=%s", i, course)
	}
	return say
}

func TestGuardsHoldAndApprovalApplies(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, direct int) {
		s := openTemp(t)
		s.direct = direct
		follow(t, s, many(50, "x"), fullGrace)
		opts := fullGrace
		opts.Hold, opts.Guards = true, DirectoryGuards{Guards: Guards{MaxDeletePercent: 10}, MaxChangePercent: 20}
		opts.Cookie = Cookie{Value: []byte("later")}
		// dry run: the guard speaks, too, and nothing is held
		dry := opts
		dry.DryRun, dry.Diff = true, 2
		renamed := many(50, "x")
		for i := range 11 {
			renamed[i] = fmt.Sprintf("u%03d=y", i)
		}
		r, err := s.ApplyDirectory(t.Context(), By{Who: "sync"}, renamed.batch(t, s), dry)
		var guard *GuardError
		if !errors.As(err, &guard) || guard.Text() != "max-change-percent 20: 22% of 50 entries would change" || r.Diff.Changes[1].After.Course != "y" || r.Diff.More != 9 {
			t.Fatalf("%+v, %v", r, err)
		}
		_, err = s.ApplyDirectory(t.Context(), By{Who: "sync"}, renamed.batch(t, s), opts)
		var held *HeldError
		if !errors.As(err, &held) || held.Report.Changed != 11 {
			t.Fatalf("%v", err)
		}
		_, err = s.ApplyDirectory(t.Context(), By{Who: "sync"}, renamed.batch(t, s), opts)
		var again *HeldError
		if !errors.As(err, &again) || again.ID != held.ID {
			t.Errorf("the same changes: %v, before %s", err, held.ID)
		}
		_, page, next, err := s.HeldChanges(source, held.ID, "", 10)
		if err != nil || len(page) != 10 || next != "u009" || page[0].Before.Course != "x" {
			t.Errorf("%v %s %v", page, next, err)
		}
		// emptied: another one is held instead
		_, err = s.ApplyDirectory(t.Context(), By{Who: "sync"}, tellings{}.batch(t, s), opts)
		if !errors.As(err, &again) || again.ID == held.ID || again.Guard.Text() != "max-delete-percent 10: 100% of 50 entries would be deleted" {
			t.Errorf("%v", err)
		}
		if _, err := s.ApproveDirectory(t.Context(), By{Who: "boss"}, source, held.ID, ApproveOptions{}); !errors.Is(err, ErrVersion) {
			t.Errorf("approving what is not held any more: %v", err)
		}
		_, err = s.ApplyDirectory(t.Context(), By{Who: "sync"}, renamed.batch(t, s), opts)
		if !errors.As(err, &held) {
			t.Fatal(err)
		}
		if c, _, _ := s.Contract("u003"); c.Course != "x" {
			t.Errorf("applied before it was approved: %v", c)
		}
		r, err = s.ApproveDirectory(t.Context(), By{Who: "boss", Why: "new names"}, source, held.ID, ApproveOptions{})
		if err != nil || r.Changed != 11 {
			t.Fatalf("%+v, %v", r, err)
		}
		if c, _, _ := s.Contract("u003"); c.Course != "y" {
			t.Errorf("approved and not applied: %v", c)
		}
		state, _ := s.Directory(source)
		if state.Held != nil || string(state.Cookie.Value) != "later" || state.Entries != 50 {
			t.Errorf("%+v", state)
		}
		entries, _, _ := s.Audit(AuditFilter{Op: "sync.approve", Limit: 2})
		if len(entries) != 1 || entries[0].Who != "boss" || entries[0].Why != "new names" {
			t.Errorf("%+v", entries)
		}
		if _, err := s.ApproveDirectory(t.Context(), By{Who: "boss"}, source, held.ID, ApproveOptions{}); !errors.Is(err, ErrNotFound) {
			t.Errorf("twice: %v", err)
		}
	})
}

func TestHeldChangesThatDoNotFitAnyMore(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	follow(t, s, many(10, "x"), fullGrace)
	opts := fullGrace
	opts.Hold, opts.Guards.MaxDeletes = true, 3
	_, err := s.ApplyDirectory(t.Context(), By{Who: "sync"}, many(5, "x").batch(t, s), opts)
	var held *HeldError
	if !errors.As(err, &held) {
		t.Fatal(err)
	}
	mustImport(t, s, contract("u007", "by hand"))
	if _, err := s.ApproveDirectory(t.Context(), By{Who: "boss"}, source, held.ID, ApproveOptions{}); !errors.Is(err, ErrHeldChanged) {
		t.Errorf("%v", err)
	}
	// the directory is mended
	follow(t, s, many(10, "x"), opts)
	if state, _ := s.Directory(source); state.Held != nil {
		t.Errorf("%+v", state)
	}
	if got := generations(t, s); got != 1 {
		t.Errorf("%d generations", got)
	}
}

func TestHundredPercentIsNoLimit(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	follow(t, s, many(20, "x"), fullGrace)
	opts := deltaGrace
	opts.Guards = DirectoryGuards{Guards: Guards{MaxDeletePercent: 100}, MaxChangePercent: 100, Window: time.Hour}
	for n := range 15 { // they come and go, 30 changes of 20
		follow(t, s, tellings{n: ""}, opts)
		follow(t, s, tellings{n: fmt.Sprintf("new%d=x", n)}, opts)
	}
}

func openDated(t *testing.T, path string, now *time.Time) *Store {
	t.Helper()
	s, err := Open(path, Options{Clock: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestSmallStepsAddUp, also over a restart, until somebody has looked at them or
// the window is over.
func TestSmallStepsAddUp(t *testing.T) {
	t.Parallel()
	path, now := filepath.Join(t.TempDir(), "sekisho.db"), time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := openDated(t, path, &now)
	follow(t, s, many(100, "x"), fullGrace)
	opts := deltaGrace
	opts.Hold, opts.Guards = true, DirectoryGuards{Guards: Guards{MaxDeletes: 5}, Window: time.Hour}
	for n := range 5 {
		follow(t, s, tellings{n: ""}, opts)
		now = now.Add(5 * time.Minute)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openDated(t, path, &now)
	refused := func(n int) *HeldError {
		t.Helper()
		_, err := s.ApplyDirectory(t.Context(), By{Who: "sync"}, tellings{n: ""}.batch(t, s), opts)
		var held *HeldError
		if !errors.As(err, &held) || held.Guard.Is != 6 {
			t.Fatalf("%v", err)
		}
		return held
	}
	held := refused(50)
	if _, err := s.ApproveDirectory(t.Context(), By{Who: "boss"}, source, held.ID, ApproveOptions{Grace: true}); err != nil {
		t.Fatal(err)
	}
	for n := 60; n < 65; n++ {
		follow(t, s, tellings{n: ""}, opts)
	}
	refused(70)
	now = now.Add(62 * time.Minute)
	follow(t, s, tellings{70: ""}, opts)
}

// TestNothingIsAllowed: not even a few.
func TestNothingIsAllowed(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	follow(t, s, many(100, "x"), fullGrace)
	opts := deltaGrace
	opts.Guards = DirectoryGuards{Guards: Guards{MaxDeletePercent: -1}}
	_, err := s.ApplyDirectory(t.Context(), By{Who: "sync"}, tellings{1: ""}.batch(t, s), opts)
	var guard *GuardError
	if !errors.As(err, &guard) || guard.Text() != "max-delete-percent 0: 1% of 100 entries would be deleted" {
		t.Errorf("%v", err)
	}
}

// TestDirectoryModel follows a directory that changes at random, by differences
// and by comparisons, and wants the store to be the directory each time.
func TestDirectoryModel(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, direct int) {
		s := openTemp(t)
		s.direct, s.sortMemory = direct, 500
		dir := tellings{}
		for round := range 60 {
			change := tellings{}
			for range rand.IntN(12) {
				n := rand.IntN(40)
				// Accounts belong to one entry each: doubles have a test of their own.
				if rand.IntN(3) == 0 {
					delete(dir, n)
					change[n] = ""
				} else {
					dir[n] = fmt.Sprintf("a%d=%d b%d=%d", n*100+rand.IntN(2), rand.IntN(3), n*100+rand.IntN(2), rand.IntN(3))
					change[n] = dir[n]
				}
			}
			opts := DirectoryOptions{Full: round%5 == 0}
			if opts.Full {
				change = dir
			}
			follow(t, s, change, opts)
			var want []string
			for _, text := range dir {
				want = append(want, strings.Fields(text)...)
			}
			slices.Sort(want)
			var got []string
			for c, err := range s.AllContracts("") {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, c.Account+"="+c.Course)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("round %d, full %v\ngot  %v\nwant %v", round, opts.Full, got, want)
			}
			if n, _ := s.Count(); n != len(want) {
				t.Fatalf("counted %d, there are %d", n, len(want))
			}
			if state, _ := s.Directory(source); state.Entries != len(dir) {
				t.Fatalf("%d entries known of %d", state.Entries, len(dir))
			}
		}
	})
}

func TestApplyDirectoryEndsWithItsContext(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, direct int) {
		s := openTemp(t)
		s.direct = direct
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.ApplyDirectory(ctx, By{Who: "sync"}, many(5, "x").batch(t, s), fullGrace); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		expect(t, s, "")
	})
}
