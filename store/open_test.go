package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

func openTemp(t testing.TB, contracts ...engine.Contract) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "test.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Check(); err != nil && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	mustImport(t, s, contracts...)
	return s
}

func mustImport(t testing.TB, s *Store, contracts ...engine.Contract) {
	t.Helper()
	if _, err := s.ImportContracts(context.Background(), By{Who: "test"}, each(contracts...), ImportOptions{}); err != nil {
		t.Fatal(err)
	}
}

// each is a sequence without errors.
func each(contracts ...engine.Contract) func(func(engine.Contract, error) bool) {
	return func(yield func(engine.Contract, error) bool) {
		for _, c := range contracts {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func numbered(n int, course string) []engine.Contract {
	all := make([]engine.Contract, n)
	for i := range all {
		all[i] = engine.Contract{Account: "u" + strconv.Itoa(1_000_000+i) + "@atson.net", Course: course + "-" + strconv.Itoa(i), Address: "dynamic"}
	}
	return all
}

func TestOpenCreates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "new.db")
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if n, err := s.Count(); n != 0 || err != nil {
		t.Errorf("Count() = %d, %v", n, err)
	}
}

func TestOpenKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	s := openTemp(t, engine.Contract{Account: "a@x", Course: "c"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(s.Path(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, found, err := again.Contract("a@x"); !found || err != nil {
		t.Errorf("after reopening: found %v, %v", found, err)
	}
}

// storeBytes is a store file with enough in it to have pages of every type.
func storeBytes(t *testing.T) []byte {
	t.Helper()
	s := openTemp(t, numbered(2000, "course")...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func bboltBytes(t *testing.T, fill func(*bolt.Tx) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "b.db")
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(fill), db.Close()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	whole := storeBytes(t)
	page := os.Getpagesize()
	used := len(bytes.TrimRight(whole, "\x00"))
	overwritten := bytes.Clone(whole)
	for i := 2 * page; i < len(overwritten); i++ {
		overwritten[i] = 0xA5
	}
	tests := []struct {
		name    string
		content []byte
		is      error
		says    string
	}{
		{"an empty file", nil, ErrDamaged, "the file is empty"},
		{"a text file", bytes.Repeat([]byte("policy: asahi-net\n"), 1000), ErrForeign, "not a bbolt file"},
		{"a short text file", []byte("hello"), ErrForeign, "not a bbolt file"},
		{"a bbolt file of another program", bboltBytes(t, func(tx *bolt.Tx) error {
			_, err := tx.CreateBucket([]byte("moby"))
			return err
		}), ErrForeign, "another program"},
		{"a bbolt file with another meta bucket", bboltBytes(t, func(tx *bolt.Tx) error {
			_, err := tx.CreateBucket(metaBucket)
			return err
		}), ErrForeign, "another program"},
		{"a file of a newer schema", bboltBytes(t, func(tx *bolt.Tx) error {
			return putSchema(tx, 99)
		}), ErrNewer, "99, while this program knows " + strconv.Itoa(len(migrations))},
		{"a file without its end", whole[:(used-1)&^(page-1)], ErrDamaged, "restore a backup"},
		{"a file without all but its beginning", whole[:2*page], ErrDamaged, "restore a backup"},
		{"a file overwritten after its beginning", overwritten, ErrDamaged, "restore a backup"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.db")
			if err := os.WriteFile(path, test.content, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(path, Options{})
			if err == nil {
				t.Fatal("opened", s.Close())
			}
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %q, want %q with %q", err, test.is, test.says)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, test.content) {
				t.Error("the refused file was changed")
			}
		})
	}
}

// TestTruncatedFileIsFoundByItsLength also where the pages that Open itself
// reads are all there.
func TestTruncatedFileIsFoundByItsLength(t *testing.T) {
	t.Parallel()
	s := openTemp(t, numbered(2000, "c")...)
	defer s.Close() // before the check at the end, which would meet the missing pages
	var used int64
	err := s.view(func(tx *bolt.Tx) error {
		used = tx.Size()
		return nil
	})
	if err := errors.Join(err, s.refuseTruncated()); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(s.Path(), used-1); err != nil {
		t.Fatal(err)
	}
	if err := s.refuseTruncated(); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "truncated") {
		t.Errorf("error %v", err)
	}
}

// TestFileThatIsEmptiedUnderTheStore as by a copy over it: nobody may wait for
// the locks that bbolt keeps when it misses the beginning.
func TestFileThatIsEmptiedUnderTheStore(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(*Store) error{
		"reading": func(s *Store) error { _, _, err := s.Contract("c1"); return err },
		"writing": func(s *Store) error { return s.Latch("nas/bras1") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(filepath.Join(t.TempDir(), "test.db"), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(s.Path(), 0); err != nil {
				t.Fatal(err)
			}
			for i, do := range []func(*Store) error{ask, ask, (*Store).Close} {
				if err := do(s); !errors.Is(err, ErrDamaged) {
					t.Errorf("call %d: %v", i+1, err)
				}
			}
		})
	}
}

// TestWritersThatWaitedForOneThatWasLost have asked before anybody knew.
func TestWritersThatWaitedForOneThatWasLost(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "test.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	const writers = 8
	errs := make(chan error, writers)
	s.writing.Lock() // so that all of them stand in line
	for i := range writers {
		go func() { errs <- s.Latch("nas/bras" + strconv.Itoa(i)) }()
	}
	for s.readers.barred.Load() < writers {
		runtime.Gosched()
	}
	if err := os.Truncate(s.Path(), 0); err != nil {
		t.Fatal(err)
	}
	s.writing.Unlock()
	for range writers {
		if err := <-errs; !errors.Is(err, ErrDamaged) {
			t.Errorf("got %v", err)
		}
	}
	if err := s.Close(); !errors.Is(err, ErrDamaged) {
		t.Errorf("closing: %v", err)
	}
}

func TestOpenNeedsTheDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "missing")
	_, err := Open(filepath.Join(dir, "x.db"), Options{})
	if err == nil || !strings.Contains(err.Error(), "directory "+dir+" does not exist") {
		t.Errorf("error %v", err)
	}
}

func TestOpenNamesTheHolder(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	_, err := Open(s.Path(), Options{Timeout: 1})
	if !errors.Is(err, ErrLocked) {
		t.Fatalf("error %v, want %v", err, ErrLocked)
	}
	for _, part := range []string{s.Path(), "(pid " + strconv.Itoa(os.Getpid()) + ", "} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func TestOpeningPIDFindsTheProcess(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "held"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	other := exec.Command("cat") // waits for the end of its input
	other.ExtraFiles = []*os.File{f}
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Wait()  //nolint:errcheck // how cat ends is not the question
	defer stdin.Close() //nolint:errcheck // as above
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if pid := openingPID(info); pid != other.Process.Pid {
		t.Errorf("openingPID = %d, want %d", pid, other.Process.Pid)
	}
}

func TestFindLock(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, lines string
		want        int
	}{
		{"holder", "1: FLOCK  ADVISORY  WRITE 4711 fe:00:12 0 EOF", 4711},
		{"other files first", "1: FLOCK  ADVISORY  WRITE 1 fe:00:1 0 EOF\n2: FLOCK  ADVISORY  WRITE 2 fe:00:12 0 EOF", 2},
		{"a waiter is no holder", "1: -> FLOCK  ADVISORY  WRITE 4711 fe:00:12 0 EOF", 0},
		{"another kind of lock", "1: POSIX  ADVISORY  WRITE 4711 fe:00:12 0 EOF", 0},
		{"outside our pid namespace", "1: FLOCK  ADVISORY  WRITE -1 fe:00:12 0 EOF", 0},
		{"short line", "1: FLOCK", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if pid := findLock(scan(test.lines), "fe:00:12"); pid != test.want {
				t.Errorf("pid %d, want %d", pid, test.want)
			}
		})
	}
}
