// Package storetest gives tests a store of their own.
package storetest

import (
	"errors"
	"path/filepath"
	"testing"

	"sekisho/engine"
	"sekisho/store"
)

// Open makes a store in a temporary directory, holding the contracts given.
// When the test ends, the whole file is checked and closed; the test may have
// closed it before, and then there is no check.
func Open(t testing.TB, contracts ...engine.Contract) *store.Store {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { finish(t, s) })
	fill(t, s, contracts)
	return s
}

func fill(t testing.TB, s *store.Store, contracts []engine.Contract) {
	t.Helper()
	rows := func(yield func(engine.Contract, error) bool) {
		for _, c := range contracts {
			if !yield(c, nil) {
				return
			}
		}
	}
	if _, err := s.ImportContracts(t.Context(), store.By{Who: "test"}, rows, store.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
}

func finish(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Check(); err != nil && !errors.Is(err, store.ErrClosed) {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
