package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// filled is a closed store with something of everything, and many free pages.
func filled(t *testing.T) string {
	t.Helper()
	s, _ := openAtNoon(t)
	mustImport(t, s, numbered(3000, "old")...)
	if _, err := s.ImportContracts(t.Context(), tester, each(numbered(5, "new")...), ImportOptions{Replace: true}); err != nil {
		t.Fatal(err)
	}
	o := grant("a@x")
	o.Key = "k"
	made := mustAdd(t, s, o)
	mustAdd(t, s, grant("b@x"))
	if _, err := s.RevokeOverride(tester, made.ID, 1, "r"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddToken(tester, Token{Name: "noc", Role: "viewer"}); err != nil {
		t.Fatal(err)
	}
	if report, err := s.VerifyAudit(); err != nil || !report.OK() {
		t.Fatal(report, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.Path()
}

// holds fails the test unless the file holds what filled has put there, and so
// many entries of the audit.
func holds(t *testing.T, path string, audited uint64) FileReport {
	t.Helper()
	report, err := CheckFile(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Contracts != 5 || report.Overrides != 2 || report.Tokens != 1 || report.Audit.Entries != audited || report.Schema != uint64(len(migrations)) {
		t.Errorf("%+v", report)
	}
	return report
}

func TestCheckFileChangesNothing(t *testing.T) {
	t.Parallel()
	path := filled(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, path, 6)
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}

func TestCheckFileFinds(t *testing.T) {
	t.Parallel()
	first := func(b *bolt.Bucket) []byte {
		k, _ := b.Cursor().First()
		return k
	}
	tests := []struct {
		name  string
		spoil func(*bolt.Tx) error
		says  string
	}{
		{"a wrong count", func(tx *bolt.Tx) error { return putUint64(tx.Bucket(metaBucket), metaContractsN, 4) }, "5 contracts, where 4 were counted"},
		{"an override that is not found", func(tx *bolt.Tx) error {
			return tx.Bucket(byAccountBucket).Delete(first(tx.Bucket(byAccountBucket)))
		}, "is not found by its account"},
		{"an override that does not stand", func(tx *bolt.Tx) error {
			return tx.Bucket(standingBucket).Delete(first(tx.Bucket(standingBucket)))
		}, "revoked false, among those that stand false"},
		{"one too many", func(tx *bolt.Tx) error { return tx.Bucket(standingBucket).Put([]byte("x"), nil) }, "2 overrides that stand, of 1"},
		{"a lost key", func(tx *bolt.Tx) error { return tx.Bucket(keysBucket).Delete([]byte("k")) }, `is not found by its key "k"`},
		{"a lost hash", func(tx *bolt.Tx) error {
			return tx.Bucket(tokenHashesBucket).Delete(make([]byte, 32))
		}, `token "noc" is not found by its hash`},
		{"an override that is none", func(tx *bolt.Tx) error {
			return tx.Bucket(overridesBucket).Put(first(tx.Bucket(overridesBucket)), []byte{1})
		}, "cannot unmarshal"},
		{"an edited audit", func(tx *bolt.Tx) error {
			return rewrite(tx.Bucket(auditBucket), 2, func(e *Entry) { e.Who = "nobody" })
		}, "audit edited at 2"},
		{"a lost generation", func(tx *bolt.Tx) error { return tx.DeleteBucket(tx.Bucket(metaBucket).Get(metaContracts)) }, "no contracts bucket"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filled(t)
			spoil(t, path, test.spoil)
			if _, err := CheckFile(path, Options{}); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want %q", err, test.says)
			}
		})
	}
}

func spoil(t *testing.T, path string, change func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestCheckFileOfAnOlderSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "old.db")
	s, err := open(path, Options{}, migrations[:2])
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if report, err := CheckFile(path, Options{}); report.Schema != 2 || err != nil {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestAHeldFileIsLeftAlone: whatever db verbs do, not while the daemon runs.
func TestAHeldFileIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	backup := filled(t)
	calls := map[string]func() error{
		"CheckFile": func() error { _, err := CheckFile(s.Path(), Options{Timeout: 1}); return err },
		"Compact":   func() error { _, _, err := Compact(s.Path(), Options{Timeout: 1}); return err },
		"Restore":   func() error { _, _, err := Restore(tester, backup, s.Path(), Options{Timeout: 1}); return err },
	}
	for name, call := range calls {
		err := call()
		if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "(pid "+strconv.Itoa(os.Getpid())+", ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, _ := os.ReadDir(filepath.Dir(s.Path())); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	mustImport(t, s, contract("a", "c"))
}

func TestCompact(t *testing.T) {
	t.Parallel()
	path := filled(t)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	was := holds(t, path, 6)
	before, after, err := Compact(path, Options{})
	if err != nil || after >= before {
		t.Errorf("from %d to %d bytes, %v", before, after, err)
	}
	if is := holds(t, path, 6); is.Audit.Head != was.Audit.Head {
		t.Error("another audit")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o640 || info.Size() != after {
		t.Errorf("%v, %v", info, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mustAdd(t, s, Override{Account: "c", Kind: Grant, Action: "open", Reason: "r"})
}

// TestOpenWaitsForTheFileInPlace: a daemon that waits while the file is
// replaced opens the file that is there then, not the one that it waited for.
func TestOpenWaitsForTheFileInPlace(t *testing.T) {
	t.Parallel()
	path, backup := filled(t), closedStore(t)
	release, err := lock(path)
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan error)
	go func() {
		s, err := Open(path, Options{Timeout: time.Minute})
		if err == nil {
			_, found, errFound := s.Contract("a@x")
			if !found {
				err = errors.New("the file that is gone was opened")
			}
			err = errors.Join(err, errFound, s.Close())
		}
		opened <- err
	}()
	waitFor(t, path)
	copied, err := copyBeside(backup, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := copied.CloseAtomicallyReplace(); err != nil {
		t.Fatal(err)
	}
	release()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// waitFor returns when somebody beside the holder has the file open.
func waitFor(t *testing.T, path string) {
	t.Helper()
	for n := 0; n < 2; {
		n = 0
		links, err := filepath.Glob("/proc/self/fd/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range links {
			if name, _ := os.Readlink(link); name == path {
				n++
			}
		}
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	backup := filled(t)
	for name, old := range map[string][]byte{"in place of nothing": nil, "in place of a damaged file": []byte("no store"), "in place of a store": storeBytes(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "s.db")
			if old != nil {
				if err := os.WriteFile(path, old, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			kept, report, err := Restore(tester, backup, path, Options{})
			if err != nil || report.Contracts != 5 {
				t.Fatalf("%+v, %v", report, err)
			}
			toldOfRestore(t, path, report)
			holds(t, path, 7)
			holds(t, backup, 6)
			if old == nil {
				if kept != "" {
					t.Errorf("kept %s of nothing", kept)
				}
				return
			}
			if is, err := os.ReadFile(kept); !bytes.Equal(is, old) || err != nil || !strings.HasPrefix(kept, path) {
				t.Errorf("the old file is not kept in %q: %v", kept, err)
			}
			if again, _, err := Restore(tester, backup, path, Options{}); again == kept || err != nil {
				t.Errorf("a second time: kept as %s, %v", again, err)
			}
		})
	}
}

// toldOfRestore holds that the trail ends with who put the file there.
func toldOfRestore(t *testing.T, path string, report FileReport) {
	t.Helper()
	if now, err := CheckFile(path, Options{}); err != nil || now.Audit.Head != report.Audit.Head || now.Audit.Entries != report.Audit.Entries {
		t.Errorf("told %+v, is %+v, %v", report.Audit, now.Audit, err)
	}
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	last := Entry{}
	for e, err := range s.AllAudit(AuditFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		last = e
	}
	if last.Op != "db.restore" || last.Who != tester.Who || last.Seq != report.Audit.Last {
		t.Errorf("the last entry is %+v", last)
	}
}

func TestRestoreRefusesABadBackup(t *testing.T) {
	t.Parallel()
	bad := filled(t)
	spoil(t, bad, func(tx *bolt.Tx) error { return tx.Bucket(auditBucket).Delete(seqKey(6)) })
	path := filled(t)
	for backup, is := range map[string]error{bad: ErrDamaged, path + ".missing": os.ErrNotExist} {
		if _, _, err := Restore(tester, backup, path, Options{}); !errors.Is(err, is) {
			t.Errorf("error %v, want %v", err, is)
		}
	}
	holds(t, path, 6)
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}
