package store

import (
	"path/filepath"
	"testing"
)

func TestLatchesOutliveTheProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.db")
	reopen := func() *Store {
		t.Helper()
		s, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := reopen()
	if err := s.Latch("nas/bras-1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen()
	defer s.Close()
	for name, want := range map[string]bool{"nas/bras-1": true, "nas/bras-2": false, "aaa/bras-1": false} {
		if set, err := s.Latched(name); err != nil || set != want {
			t.Errorf("%s: %v, %v, want %v", name, set, err, want)
		}
	}
	if err := s.Unlatch("nas/bras-1"); err != nil {
		t.Fatal(err)
	}
	if set, _ := s.Latched("nas/bras-1"); set {
		t.Error("the latch is still set")
	}
}
