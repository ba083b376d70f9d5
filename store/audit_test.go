package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

// trail is a store with n entries in its audit, an hour apart.
func trail(t *testing.T, n int) *Store {
	t.Helper()
	s, clock := openTrail(t)
	for i := 1; i <= n; i++ {
		clock.set(noon.Add(time.Duration(i) * time.Hour))
		e := Entry{By: By{Who: []string{"root", "sync"}[i%2]}, Op: "config.reload", Subject: fmt.Sprint("site-", i)}
		if err := s.Record(e); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// openTrail is openAtNoon for a trail that will be spoilt.
func openTrail(t *testing.T) (*Store, *clock) {
	t.Helper()
	s, c := openTemp(t), &clock{at: noon}
	s.now = c.now
	return s, c
}

func TestVerifyAuditFinds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(audit, meta *bolt.Bucket) error
		want  []string
	}{
		{"nothing", func(_, _ *bolt.Bucket) error { return nil }, nil},
		{"an edited entry", func(b, _ *bolt.Bucket) error {
			return rewrite(b, 4, func(e *Entry) { e.Who = "nobody" })
		}, []string{"4 edited"}},
		{"an entry written anew", func(b, _ *bolt.Bucket) error {
			return rewrite(b, 4, func(e *Entry) { e.Who = "nobody"; e.Hash = e.digest() })
		}, []string{"5 edited"}},
		{"the last entry written anew", func(b, _ *bolt.Bucket) error {
			return rewrite(b, 9, func(e *Entry) { e.Who = "nobody"; e.Hash = e.digest() })
		}, []string{"9 edited"}},
		{"a missing entry", func(b, _ *bolt.Bucket) error { return b.Delete(seqKey(4)) }, []string{"4 missing"}},
		{"the first entry missing", func(b, _ *bolt.Bucket) error { return b.Delete(seqKey(1)) }, []string{"1 missing"}},
		{"a missing entry, the others moved up", func(b, _ *bolt.Bucket) error {
			for i := uint64(4); i < 9; i++ {
				if err := rewriteAs(b, i+1, i, func(e *Entry) { e.Seq = i; e.Hash = e.digest() }); err != nil {
					return err
				}
			}
			return b.Delete(seqKey(9))
		}, []string{"4 edited", "5 edited", "6 edited", "7 edited", "8 edited", "9 truncated"}},
		{"two entries that changed places", func(b, _ *bolt.Bucket) error {
			four, five := clone(b, 4), clone(b, 5)
			return firstError(b.Put(seqKey(4), five), b.Put(seqKey(5), four))
		}, []string{"4 reordered", "5 reordered"}},
		{"a lost end", func(b, _ *bolt.Bucket) error {
			return firstError(b.Delete(seqKey(8)), b.Delete(seqKey(9)))
		}, []string{"8 truncated"}},
		{"all of it lost", func(b, _ *bolt.Bucket) error {
			for i := uint64(1); i <= 9; i++ {
				if err := b.Delete(seqKey(i)); err != nil {
					return err
				}
			}
			return nil
		}, []string{"1 truncated"}},
		{"an entry past the head", func(b, _ *bolt.Bucket) error {
			return rewriteAs(b, 9, 10, func(e *Entry) { e.Seq, e.Prev = 10, e.Hash; e.Hash = e.digest() })
		}, []string{"10 edited"}},
		{"octets that are no entry", func(b, _ *bolt.Bucket) error { return b.Put(seqKey(4), []byte{1}) }, []string{"4 damaged"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := trail(t, 9)
			if err := s.update(func(tx *bolt.Tx) error { return test.spoil(tx.Bucket(auditBucket), tx.Bucket(metaBucket)) }); err != nil {
				t.Fatal(err)
			}
			report, err := s.VerifyAudit()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range report.Faults {
				got = append(got, fmt.Sprintf("%d %s", f.Seq, f.What))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n%+v", diff, report.Faults)
			}
		})
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func clone(b *bolt.Bucket, seq uint64) []byte { return append([]byte(nil), b.Get(seqKey(seq))...) }

func rewrite(b *bolt.Bucket, seq uint64, change func(*Entry)) error {
	return rewriteAs(b, seq, seq, change)
}

func rewriteAs(b *bolt.Bucket, seq, as uint64, change func(*Entry)) error {
	e, err := decodeEntry(b.Get(seqKey(seq)))
	if err != nil {
		return err
	}
	change(&e)
	value, err := encodeEntry(e)
	return firstError(err, b.Put(seqKey(as), value))
}

func TestAuditFilters(t *testing.T) {
	t.Parallel()
	s := trail(t, 9)
	tests := []struct {
		name string
		f    AuditFilter
		want string
	}{
		{"all", AuditFilter{}, "1 2 3 4 5 6 7 8 9"},
		{"the last first", AuditFilter{Newest: true}, "9 8 7 6 5 4 3 2 1"},
		{"who", AuditFilter{Who: "SYNC"}, "1 3 5 7 9"},
		{"op", AuditFilter{Op: "config.reload", Subject: "site-2"}, "2"},
		{"group of ops", AuditFilter{Op: "config", Who: "root", Newest: true}, "8 6 4 2"},
		{"no group of ops", AuditFilter{Op: "conf"}, ""},
		{"time", AuditFilter{From: noon.Add(3 * time.Hour), Until: noon.Add(5 * time.Hour)}, "3 4"},
	}
	for _, test := range tests {
		for _, limit := range []int{1, 2, 50} {
			t.Run(fmt.Sprint(test.name, limit), func(t *testing.T) {
				t.Parallel()
				f := test.f
				f.Limit = limit
				var got []string
				for {
					page, next, err := s.Audit(f)
					if err != nil {
						t.Fatal(err)
					}
					for _, e := range page {
						got = append(got, fmt.Sprint(e.Seq))
					}
					if f.After = next; next == 0 {
						break
					}
				}
				if strings.Join(got, " ") != test.want {
					t.Errorf("got %v, want %s", got, test.want)
				}
			})
		}
	}
}

func TestEveryChangeIsAudited(t *testing.T) {
	t.Parallel()
	s, _ := openAtNoon(t)
	made := mustAdd(t, s, grant("a"))
	if _, err := s.RenewOverride(tester, made.ID, 1, noon.Add(time.Hour), "longer"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RevokeOverride(tester, made.ID, 2, "over"); err != nil {
		t.Fatal(err)
	}
	mustImport(t, s, contract("a", "c"))
	if _, err := s.ImportContracts(t.Context(), tester, each(contract("b", "c")), ImportOptions{Replace: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddToken(tester, Token{Name: "noc", Role: "viewer", Hash: [32]byte{1}}); err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeToken(tester, "noc"); err != nil {
		t.Fatal(err)
	}
	page, _, err := s.Audit(AuditFilter{Limit: 99})
	if err != nil {
		t.Fatal(err)
	}
	id := made.ID
	const grantText = `"kind":"grant","action":"open","reason":"support call","author":"root (uid 0)","until":`
	want := []string{
		`override.grant a "support call" null {"id":"` + id + `",` + grantText + `"2026-11-25T12:00:00Z","version":1}`,
		`override.renew a "longer" {"id":"` + id + `",` + grantText + `"2026-11-25T12:00:00Z","version":1} {"id":"` + id + `",` + grantText + `"2026-11-22T13:00:00Z","version":2}`,
		`override.revoke a "over" {"id":"` + id + `",` + grantText + `"2026-11-22T13:00:00Z","version":2} {"id":"` + id + `",` + grantText + `"2026-11-22T13:00:00Z","version":3,"revoked":"2026-11-22T12:00:00Z"}`,
		`contracts.import contracts "" {"contracts":0} {"contracts":1,"added":1,"changed":0,"unchanged":0,"deleted":0,"diff":{"changes":[{"account":"a","after":{"account":"a","course":"c"}}]},"sha256":"*"}`,
		`contracts.replace contracts "" {"contracts":1} {"contracts":1,"added":1,"changed":0,"unchanged":0,"deleted":1,"diff":{"changes":[{"account":"a","before":{"account":"a","course":"c"}},{"account":"b","after":{"account":"b","course":"c"}}]},"sha256":"*"}`,
		`token.create noc "" null {"role":"viewer"}`,
		`token.revoke noc "" {"role":"viewer"} {"role":"viewer","revoked":"2026-11-22T12:00:00Z"}`,
	}
	var got []string
	for _, e := range page {
		got = append(got, fmt.Sprintf("%s %s %q %s %s", e.Op, e.Subject, e.Why, orNull(e.Before), withoutSum(orNull(e.After))))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func orNull(text json.RawMessage) string {
	if text == nil {
		return "null"
	}
	return string(text)
}

func withoutSum(text string) string {
	if before, _, found := strings.Cut(text, `"sha256":`); found {
		return before + `"sha256":"*"}`
	}
	return text
}
