package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sekisho/engine"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var tester = By{Who: "root (uid 0)", From: "socket"}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// openAtNoon is a store whose clock stands at noon until it is moved. At the end
// the audit is verified, too.
func openAtNoon(t testing.TB, contracts ...engine.Contract) (*Store, *clock) {
	t.Helper()
	c := &clock{at: noon}
	s, err := Open(filepath.Join(t.TempDir(), "test.db"), Options{Clock: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		report, err := s.VerifyAudit()
		if err != nil && !errors.Is(err, ErrClosed) || !report.OK() {
			t.Error(report.Faults, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	mustImport(t, s, contracts...)
	return s, c
}

func grant(account string) Override {
	return Override{Account: account, Kind: Grant, Action: "open", Reason: "support call", Until: noon.Add(72 * time.Hour)}
}

func mustAdd(t testing.TB, s *Store, o Override) Override {
	t.Helper()
	made, existed, err := s.AddOverride(tester, o)
	if err != nil || existed {
		t.Fatal(existed, err)
	}
	return made
}

func TestOverrideFromBirthToRevocation(t *testing.T) {
	t.Parallel()
	s, clock := openAtNoon(t)
	o := grant("U1@atson.net")
	o.Ticket, o.Area = "T-17", "tokyo"
	made := mustAdd(t, s, o)
	want := o
	want.ID, want.Author, want.Created, want.Version = made.ID, tester.Who, noon, 1
	if diff := cmp.Diff(want, made); diff != "" {
		t.Error(diff)
	}
	clock.set(noon.Add(time.Hour))
	until := noon.Add(100 * time.Hour)
	renewed, err := s.RenewOverride(By{Who: "token noc"}, strings.ToLower(made.ID), 1, until, "not mended yet")
	if err != nil {
		t.Fatal(err)
	}
	want.Until, want.Version = until, 2
	want.History = []Revision{{Version: 1, Until: o.Until, At: noon.Add(time.Hour), Author: "token noc", Reason: "not mended yet"}}
	if diff := cmp.Diff(want, renewed); diff != "" {
		t.Error(diff)
	}
	revoked, err := s.RevokeOverride(tester, made.ID, 0, "mended")
	if err != nil {
		t.Fatal(err)
	}
	want.Version, want.Revoked = 3, &Revocation{noon.Add(time.Hour), tester.Who, "mended"}
	found, err := s.Override(made.ID)
	if diff := cmp.Diff(want, found) + cmp.Diff(want, revoked); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestOverrideRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxField+1)
	tests := []struct {
		name   string
		change func(*Override)
		says   string
	}{
		{"no account", func(o *Override) { o.Account = " " }, "account is empty"},
		{"no reason", func(o *Override) { o.Reason = "　" }, "reason is empty"},
		{"no action", func(o *Override) { o.Action = "" }, "action is empty"},
		{"no kind", func(o *Override) { o.Kind = "" }, "kind is empty"},
		{"another kind", func(o *Override) { o.Kind = "allow" }, `kind "allow" is none of grant, restrict`},
		{"a line break", func(o *Override) { o.Reason = "a\nb" }, "reason \"a\\nb\" contains the control character U+000A"},
		{"too long", func(o *Override) { o.Ticket = long }, "ticket is 1025 bytes long; at most 1024 fit"},
		{"ends in the past", func(o *Override) { o.Until = noon }, "until 2026-11-22T12:00:00Z is in the past, it is 2026-11-22T12:00:00Z"},
		{"ends before it begins", func(o *Override) { o.From = o.Until }, "until 2026-11-25T12:00:00Z is not after from, 2026-11-25T12:00:00Z"},
		{"a time out of range", func(o *Override) { o.Until = noon.AddDate(300, 0, 0) }, "until 2326-11-22T12:00:00Z is not between 1971 and 2200"},
		{"too long a time", func(o *Override) { o.Until = noon.AddDate(0, 0, 15) },
			"until 2026-12-07T12:00:00Z is too late; at most 14 days from 2026-11-22T12:00:00Z, until 2026-12-06T12:00:00Z"},
		{"without an end", func(o *Override) { o.Until = time.Time{} }, "until is required here; at most 14 days from"},
	}
	s, _ := openAtNoon(t)
	s.SetOverrideLimits(OverrideLimits{14 * 24 * time.Hour, true}, OverrideLimits{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := grant("a@x")
			test.change(&o)
			var bad FieldErrors
			if _, _, err := s.AddOverride(tester, o); !errors.As(err, &bad) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want %q", err, test.says)
			}
		})
	}
	if page, _, err := s.Overrides(OverrideFilter{Limit: 9}); len(page) != 0 || err != nil {
		t.Errorf("kept %v, %v", page, err)
	}
	o := grant("a@x")
	o.Until = noon.AddDate(0, 0, 14).Add(time.Minute - 1)
	mustAdd(t, s, o) // 14 days, to the minute
	o.Kind, o.Until = Restrict, time.Time{}
	mustAdd(t, s, o) // has limits of its own
}

// TestRenewalsDoNotAddUp counts the greatest length from the beginning of an
// override, however often it was renewed.
func TestRenewalsDoNotAddUp(t *testing.T) {
	t.Parallel()
	s, clock := openAtNoon(t)
	s.SetOverrideLimits(OverrideLimits{14 * 24 * time.Hour, true}, OverrideLimits{})
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	now, later := grant("now"), grant("later")
	now.Until, later.From, later.Until = day(10), day(5), day(10)
	now, later = mustAdd(t, s, now), mustAdd(t, s, later)
	clock.set(day(8))
	for _, tt := range []struct {
		o     Override
		until time.Time
		says  string
	}{
		{now, day(15), "until 2026-12-07T12:00:00Z is too late; at most 14 days from 2026-11-22T12:00:00Z, until 2026-12-06T12:00:00Z"},
		{now, time.Time{}, "until is required here; at most 14 days from 2026-11-22T12:00:00Z, until 2026-12-06T12:00:00Z"},
		{later, day(20), "until 2026-12-12T12:00:00Z is too late; at most 14 days from 2026-11-27T12:00:00Z, until 2026-12-11T12:00:00Z"},
		{now, day(14), ""},
		{later, day(19), ""},
	} {
		_, err := s.RenewOverride(tester, tt.o.ID, 1, tt.until, "more")
		var bad FieldErrors
		if tt.says == "" && err != nil || tt.says != "" && (!errors.As(err, &bad) || bad.Error() != tt.says) {
			t.Errorf("%s until %s: error %v, want %q", tt.o.Account, tt.until, err, tt.says)
		}
	}
	begun := grant("begun") // before it is made, as in a file of those that stand elsewhere
	begun.From, begun.Until = day(0), day(15)
	if _, _, err := s.AddOverride(tester, begun); err == nil || !strings.Contains(err.Error(), "at most 14 days from 2026-11-22T12:00:00Z") {
		t.Errorf("15 days: %v", err)
	}
}

func TestChangeRefused(t *testing.T) {
	t.Parallel()
	s, clock := openAtNoon(t)
	stands, over, ended := mustAdd(t, s, grant("a")), mustAdd(t, s, grant("b")), grant("c")
	ended.Until = noon.Add(time.Minute)
	ended = mustAdd(t, s, ended)
	if _, err := s.RevokeOverride(tester, over.ID, 1, "over"); err != nil {
		t.Fatal(err)
	}
	clock.set(noon.Add(time.Minute))
	tests := []struct {
		name, id, reason string
		version          int
		is               error
	}{
		{"unknown", "01K00000000000000000000000", "r", 0, ErrNotFound},
		{"no ULID", "a%2F..", "r", 0, ErrNotFound},
		{"another version", stands.ID, "r", 2, ErrVersion},
		{"revoked", over.ID, "r", 2, ErrRevoked},
		{"ended", ended.ID, "r", 1, ErrEnded},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := s.RevokeOverride(tester, test.id, test.version, test.reason); !errors.Is(err, test.is) {
				t.Errorf("revoke: %v", err)
			}
			if _, err := s.RenewOverride(tester, test.id, test.version, noon.Add(9*time.Hour), test.reason); !errors.Is(err, test.is) {
				t.Errorf("renew: %v", err)
			}
		})
	}
	var bad FieldErrors
	if _, err := s.RevokeOverride(tester, stands.ID, 1, " "); !errors.As(err, &bad) {
		t.Errorf("without a reason: %v", err)
	}
	if _, err := s.RenewOverride(tester, stands.ID, 1, noon, "r"); !errors.As(err, &bad) {
		t.Errorf("into the past: %v", err)
	}
	if after, err := s.Override(stands.ID); after.Version != 1 || err != nil {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s, clock := openAtNoon(t)
	o := grant("a@x")
	o.Key = "call-17"
	made := mustAdd(t, s, o)
	clock.set(o.Until.Add(time.Hour)) // also when it could not be made any more
	o.Account, o.Action = "Ａ@X", "OPEN"
	again, existed, err := s.AddOverride(By{Who: "somebody else"}, o)
	if diff := cmp.Diff(made, again); diff != "" || !existed || err != nil {
		t.Errorf("existed %v, %v\n%s", existed, err, diff)
	}
	o.Reason = "another"
	if _, _, err := s.AddOverride(tester, o); !errors.Is(err, ErrKeyUsed) || !strings.Contains(err.Error(), made.ID) {
		t.Errorf("error %v", err)
	}
}

// TestSubscriber: one look-up has the contract, and the overrides that may
// matter.
func TestSubscriber(t *testing.T) {
	t.Parallel()
	s, clock := openAtNoon(t, contract("a@x", "c"), contract("a@xx", "d"))
	pending := grant("A@x")
	pending.From, pending.Until, pending.NAS = noon.Add(time.Hour), time.Time{}, "bras-1"
	soon, revoked, other := grant("a@x"), grant("a@x"), grant("a@xx")
	soon.Until = noon.Add(time.Minute)
	pending, soon, revoked = mustAdd(t, s, pending), mustAdd(t, s, soon), mustAdd(t, s, revoked)
	mustAdd(t, s, other)
	if _, err := s.RevokeOverride(tester, revoked.ID, 1, "r"); err != nil {
		t.Fatal(err)
	}
	fact := func(o Override) engine.Override {
		return engine.Override{ID: o.ID, Action: o.Action, From: o.From, Until: o.Until, Reason: o.Reason, Area: o.Area, NAS: o.NAS}
	}
	want := engine.Facts{Contract: &engine.Contract{Account: "a@x", Course: "c"}, Overrides: []engine.Override{fact(soon), fact(pending)}}
	tests := []struct {
		name, account string
		at            time.Time
		want          engine.Facts
	}{
		{"now", "Ａ@x", noon, want},
		{"a little after the end of one", "a@x", noon.Add(time.Hour), want},
		{"a day after", "a@x", soon.Until.Add(25 * time.Hour), engine.Facts{Contract: want.Contract, Overrides: want.Overrides[1:]}},
		{"of nobody", "b@x", noon, engine.Facts{}},
		{"with what ends an account in a key", "a@x\x00", noon, engine.Facts{}},
	}
	for _, test := range tests {
		clock.set(test.at)
		got := engine.Facts{Contract: &engine.Contract{}, Overrides: make([]engine.Override, 3)}
		err := s.Subscriber(test.account, &got)
		if diff := cmp.Diff(test.want, got, knownOnly); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", test.name, err, diff)
		}
	}
}

func TestOverridesFilters(t *testing.T) {
	t.Parallel()
	s, clock := openAtNoon(t)
	add := func(account string, change func(*Override)) Override {
		o := grant(account)
		change(&o)
		return mustAdd(t, s, o)
	}
	add("b1", func(o *Override) { o.Ticket = "T-1" })
	add("A1", func(o *Override) { o.Kind, o.Action, o.Until = Restrict, "block", time.Time{} })
	add("a2", func(o *Override) { o.From = noon.Add(48 * time.Hour) })
	add("a1", func(o *Override) { o.Until = noon.Add(time.Hour) })
	over := add("a3", func(*Override) {})
	if _, err := s.RevokeOverride(tester, over.ID, 1, "r"); err != nil {
		t.Fatal(err)
	}
	clock.set(noon.Add(time.Hour))
	standing := []State{Active, Pending}
	tests := []struct {
		name string
		f    OverrideFilter
		want string
	}{
		{"all", OverrideFilter{}, "A1/restrict a1/grant a2/grant a3/grant b1/grant"},
		{"those that stand", OverrideFilter{States: standing}, "A1/restrict a2/grant b1/grant"},
		{"those that have stood", OverrideFilter{States: []State{Ended, Revoked}}, "a1/grant a3/grant"},
		{"those that stood before", OverrideFilter{States: standing, Now: noon}, "a1/grant A1/restrict a2/grant b1/grant"},
		{"an account", OverrideFilter{Account: "Ａ1"}, "A1/restrict a1/grant"},
		{"no account", OverrideFilter{Account: "a"}, ""},
		{"accounts by prefix", OverrideFilter{Prefix: "A", States: []State{Pending}}, "a2/grant"},
		{"kind", OverrideFilter{Kind: Restrict}, "A1/restrict"},
		{"action", OverrideFilter{Action: "BLOCK"}, "A1/restrict"},
		{"ticket", OverrideFilter{Ticket: "t-1"}, "b1/grant"},
		{"author", OverrideFilter{Author: "nobody"}, ""},
		{"end", OverrideFilter{EndsBefore: noon.Add(2 * time.Hour)}, "a1/grant"},
	}
	for _, test := range tests {
		for _, limit := range []int{1, 2, 9} {
			t.Run(fmt.Sprint(test.name, limit), func(t *testing.T) {
				if got := strings.Join(pages(t, s, test.f, limit), " "); got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
			})
		}
	}
	if _, _, err := s.Overrides(OverrideFilter{After: "../", Limit: 1}); err == nil {
		t.Error("an After of no page")
	}
}

// pages reads all pages of a filter.
func pages(t *testing.T, s *Store, f OverrideFilter, limit int) (all []string) {
	t.Helper()
	f.Limit = limit
	for {
		page, next, err := s.Overrides(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page {
			all = append(all, o.Account+"/"+o.Kind)
		}
		if f.After = next; next == "" {
			return all
		}
	}
}

func TestStandingOverridesAreLimited(t *testing.T) {
	t.Parallel()
	s, _ := openAtNoon(t)
	var last Override
	for range maxStanding {
		last = mustAdd(t, s, grant("a"))
	}
	if _, _, err := s.AddOverride(tester, grant("A")); !errors.Is(err, ErrTooMany) {
		t.Errorf("error %v", err)
	}
	mustAdd(t, s, grant("b"))
	if _, err := s.RevokeOverride(tester, last.ID, 0, "r"); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, s, grant("a"))
}

func TestWatch(t *testing.T) {
	t.Parallel()
	s, _ := openAtNoon(t)
	var told []Changed
	s.Watch(func(c Changed) { told = append(told, c) })
	o := grant("Ａ")
	o.Key = "k"
	made := mustAdd(t, s, o)
	if _, existed, err := s.AddOverride(tester, o); !existed || err != nil {
		t.Fatal(existed, err)
	}
	if _, err := s.RenewOverride(tester, made.ID, 1, noon.Add(time.Hour), "r"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RenewOverride(tester, made.ID, 1, noon.Add(time.Hour), "r"); err == nil {
		t.Fatal("a version that is over")
	}
	mustImport(t, s, contract("B", "c"), contract("c", "c"))
	s.direct = 1
	mustImport(t, s, contract("B", "d"), contract("c", "d"))
	want := []Changed{{Accounts: []string{"a"}}, {Accounts: []string{"a"}}, {Accounts: []string{"b", "c"}}, {Accounts: []string{"b", "c"}}}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}

// TestManyAtOnce: of many changes of the same version one is made, whatever
// transaction they share.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s, _ := openAtNoon(t)
	made := mustAdd(t, s, grant("a"))
	const callers = 64
	var wait sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range callers {
		wait.Go(func() {
			if _, _, err := s.AddOverride(tester, grant(fmt.Sprint("b", i))); err != nil {
				t.Error(err)
			}
			_, err := s.RenewOverride(tester, made.ID, 1, noon.Add(time.Duration(i+1)*time.Hour), "r")
			if err == nil {
				mu.Lock()
				won++
				mu.Unlock()
			} else if !errors.Is(err, ErrVersion) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	page, _, err := s.Overrides(OverrideFilter{Limit: 2 * callers})
	if won != 1 || len(page) != callers+1 || err != nil {
		t.Errorf("%d renewals of 1, %d overrides of %d, %v", won, len(page), callers+1, err)
	}
	if report, err := s.VerifyAudit(); report.Entries != callers+2 || err != nil {
		t.Errorf("%d entries in the audit of %d, %v", report.Entries, callers+2, err)
	}
}
