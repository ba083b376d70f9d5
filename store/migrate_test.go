package store

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

func scan(text string) *bufio.Scanner { return bufio.NewScanner(strings.NewReader(text)) }

// closedStore is a store of the current schema with one contract.
func closedStore(t *testing.T) string {
	t.Helper()
	s := openTemp(t, engine.Contract{Account: "a@x", Course: "old"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.Path()
}

func withStep(apply func(*bolt.Tx) error) []migration {
	return append(migrations[:len(migrations):len(migrations)], migration{"next", apply})
}

func TestMigrationRunsOnceAfterABackup(t *testing.T) {
	t.Parallel()
	path, runs := closedStore(t), 0
	steps := withStep(func(tx *bolt.Tx) error {
		runs++
		_, err := tx.CreateBucket([]byte("next"))
		return err
	})
	for range 2 {
		s, err := open(path, Options{}, steps)
		if err != nil {
			t.Fatal(err)
		}
		if version, err := s.schema(); version != uint64(len(steps)) || err != nil {
			t.Errorf("schema %d, %v; want %d", version, err, len(steps))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if runs != 1 {
		t.Errorf("the step ran %d times", runs)
	}
	checkBackup(t, fmt.Sprintf("%s.before-schema-%d", path, len(steps)))
}

// checkBackup opens a backup with the program of before the migration.
func checkBackup(t *testing.T, name string) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("mode of the backup: %v, want 0600", info.Mode())
	}
	s, err := Open(name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if c, found, err := s.Contract("a@x"); !found || c.Course != "old" || err != nil {
		t.Errorf("in the backup: %+v, %v, %v", c, found, err)
	}
}

func TestNewStoreNeedsNoBackup(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	if _, err := os.Stat(s.Path() + ".before-schema-1"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("backup of a new store: %v", err)
	}
}

func TestFailedMigrationChangesNothing(t *testing.T) {
	t.Parallel()
	path := closedStore(t)
	broken := errors.New("broken")
	_, err := open(path, Options{}, withStep(func(tx *bolt.Tx) error {
		return errors.Join(tx.DeleteBucket(metaBucket), broken)
	}))
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), fmt.Sprintf("migration %d (next)", len(migrations)+1)) {
		t.Errorf("error %v", err)
	}
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, found, err := s.Contract("a@x"); !found || err != nil {
		t.Errorf("after the failed migration: %v, %v", found, err)
	}
}
