package store

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	bolt "go.etcd.io/bbolt"
)

// fullSession has something in every field, and octets that are no text.
func fullSession() Session {
	return Session{
		NAS: "bras1", Box: "\x00box\xff", AcctSession: "1A\xff",
		Area: "tokyo", Account: "u1", UserName: "u1\x83@x", Name: "outer", Realm: "x", Form: "plain",
		Started: 1, Updated: 2, Since: 3, Interval: 4, Addresses: [][]byte{{}, {1, 2}}, Interface: 5,
		Identity: "\x00\x2c\x02\xff\xfe", Request: [][2]Octets{{"NAS-Port-Type", "ISDN\xff"}},
		Applied: "block", Rule: "stage", Override: "o1", AppliedAt: 6, Proof: 2, Wanted: "open", WantedBy: "override", WantedFor: "o2",
		Until: 7, Course: "ADSLアッカ", Exempt: "kept", Why: "NAK 401", Flags: 3, Event: 8,
	}
}

func savedSessions(t *testing.T, s *Store) (all []Session, errs []error) {
	t.Helper()
	for row, err := range s.AllSessions() {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, row)
	}
	return all, errs
}

func save(t *testing.T, s *Store, b SessionBatch) {
	t.Helper()
	if err := s.SaveSessions(b); err != nil {
		t.Fatal(err)
	}
}

func TestSessionsAreSaved(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	first, second := fullSession(), Session{NAS: "bras1", AcctSession: "2B"}
	save(t, s, SessionBatch{Put: []Session{first, second}})
	second.Account = "u2"
	save(t, s, SessionBatch{Put: []Session{second}, Delete: []SessionKey{{"bras1", "\x00box\xff", "nobody"}}})
	all, errs := savedSessions(t, s)
	if diff := cmp.Diff([]Session{second, first}, all); diff != "" || errs != nil {
		t.Error(diff, errs)
	}
	save(t, s, SessionBatch{Delete: []SessionKey{{first.NAS, first.Box, first.AcctSession}}})
	if all, _ := savedSessions(t, s); len(all) != 1 || all[0].AcctSession != "2B" {
		t.Errorf("left: %v", all)
	}
}

func TestADamagedSessionDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	save(t, s, SessionBatch{Put: []Session{{NAS: "bras1", AcctSession: "1A"}, {NAS: "bras1", AcctSession: "2B"}}})
	err := s.update(func(tx *bolt.Tx) error {
		b := tx.Bucket(sessionsBucket)
		return errors.Join(b.Put(SessionKey{NAS: "bras1", AcctSession: "1B"}.bytes(), []byte{0xff}), b.Put([]byte{200, 1}, nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	all, errs := savedSessions(t, s)
	if len(all) != 2 || len(errs) != 2 || !errors.Is(errs[0], ErrDamaged) || !strings.Contains(errs[0].Error(), `session "1B" of bras1`) {
		t.Errorf("%d sessions, errors %v", len(all), errs)
	}
}

func day(d, hour int) time.Time { return time.Date(2007, 5, d, hour, 0, 0, 0, time.UTC) }

func stretch(address, account string, from, until time.Time) Stretch {
	return Stretch{Address: netip.MustParsePrefix(address), Account: account, From: from, Until: until, NAS: "bras1", AcctSession: account + "-1"}
}

var comparable = cmp.Options{cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}), cmpopts.EquateApproxTime(0)}

func TestWhoHad(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	rich := stretch("198.51.100.7/32", "u1", day(1, 10), day(3, 9))
	rich.UserName, rich.Course, rich.Action, rich.Rule, rich.Override, rich.Box, rich.Ended = "u1\xff", "ADSLアッカ", "open", "override", "o1", "b", "stop"
	save(t, s, SessionBatch{Past: []Stretch{
		rich,
		stretch("198.51.100.7/32", "u2", day(3, 9), day(3, 10)),
		stretch("198.51.100.7/32", "u3", day(3, 8), day(5, 0)), // at another router: the same address twice
		stretch("198.51.100.8/32", "u4", day(1, 0), day(9, 0)),
		stretch("2001:db8:1::/48", "p1", day(1, 0), day(2, 0)),
		stretch("2001:db8:1:2::/64", "p2", day(1, 0), day(2, 0)),
		stretch("2001:db8:1:2::7/128", "p3", day(1, 0), day(2, 0)),
		stretch("2001:db8:1:3::/64", "p4", day(1, 0), day(2, 0)),
	}})
	for name, c := range map[string]struct {
		address string
		at      time.Time
		want    []string
	}{
		"before":           {"198.51.100.7", day(1, 9), nil},
		"at its beginning": {"198.51.100.7", day(1, 10), []string{"u1"}},
		"days later":       {"198.51.100.7", day(2, 0), []string{"u1"}},
		"two at once":      {"198.51.100.7", day(3, 8), []string{"u3", "u1"}},
		"at its end":       {"198.51.100.7", day(3, 9), []string{"u2", "u3"}},
		"after":            {"198.51.100.7", day(5, 0), nil},
		"of a prefix":      {"2001:db8:1:2::7", day(1, 1), []string{"p1", "p2", "p3"}},
		"of another":       {"2001:db8:1:9::7", day(1, 1), []string{"p1"}},
		"of nobody":        {"2001:db8:9::7", day(1, 1), nil},
	} {
		found, err := s.WhoHad(netip.MustParseAddr(c.address), c.at)
		var accounts []string
		for _, h := range found {
			accounts = append(accounts, h.Account)
		}
		if diff := cmp.Diff(c.want, accounts, cmpopts.SortSlices(func(a, b string) bool { return c.address[0] == '2' && a < b })); diff != "" || err != nil {
			t.Errorf("%s: %s %v", name, diff, err)
		}
	}
	found, err := s.WhoHad(netip.MustParseAddr("198.51.100.7"), day(2, 0))
	if diff := cmp.Diff([]Stretch{rich}, found, comparable); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestHistoryIsForgottenALittleAtATime(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	var past []Stretch
	for d := 1; d <= 4; d++ {
		for _, account := range []string{"a", "b", "c"} {
			past = append(past, stretch("198.51.100.7/32", account, day(d, 1), day(d, 2)))
		}
	}
	save(t, s, SessionBatch{Past: past})
	for i, want := range []int{4, 4, 1, 0} {
		if n, err := s.ForgetHistory(day(4, 12), 4); n != want || err != nil {
			t.Errorf("call %d: %d forgotten, want %d; %v", i, n, want, err)
		}
	}
	for d, want := range []int{0, 0, 0, 0, 3} {
		if found, err := s.WhoHad(netip.MustParseAddr("198.51.100.7"), day(d, 1)); len(found) != want || err != nil {
			t.Errorf("day %d: %d stretches, want %d; %v", d, len(found), want, err)
		}
	}
}

// FuzzSessionRows holds that no row, however damaged, is more than an error,
// and that what can be read is written back as it was.
func FuzzSessionRows(f *testing.F) {
	full := fullSession()
	s, h := SessionBatch{Put: []Session{full}}, stretch("198.51.100.7/32", "u1", day(1, 0), day(2, 0))
	f.Add(SessionKey{full.NAS, full.Box, full.AcctSession}.bytes(), marshalled(f, s.Put[0]))
	f.Add(h.key(), marshalled(f, stretchRow{Until: 5, Account: "u1", UserName: "\xff"}))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		if s, err := decodeSession(key, value); err == nil {
			again, err := decodeSession(SessionKey{s.NAS, s.Box, s.AcctSession}.bytes(), marshalled(t, s))
			if diff := cmp.Diff(s, again, cmpopts.EquateEmpty()); diff != "" || err != nil {
				t.Error(diff, err)
			}
		}
		if h, err := decodeStretch(key, value); err == nil {
			if _, err := decodeStretch(h.key(), value); err != nil {
				t.Error(err)
			}
		}
	})
}

func marshalled(t testing.TB, v any) []byte {
	t.Helper()
	value, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
