package store

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sekisho/engine"
)

// TestOpenReadersTellWhatAFreshOneTells compares, after every change, the
// look-up by a reader that stays open with one in a transaction of its own.
func TestOpenReadersTellWhatAFreshOneTells(t *testing.T) {
	t.Parallel()
	s, _ := openAtNoon(t)
	random := rand.New(rand.NewPCG(1, 2))
	name := func() string { return fmt.Sprintf("u%d@atson.net", random.IntN(20)) }
	for range 100 {
		switch random.IntN(3) {
		case 0:
			mustImport(t, s, engine.Contract{Account: name(), Course: fmt.Sprintf("course %d", random.IntN(3)), Options: []string{"fixed-ip"}})
		case 1: // an account that is spelled unlike its key
			mustImport(t, s, engine.Contract{Account: "U" + name()[1:], Course: "c"})
		case 2:
			mustAdd(t, s, grant(name()))
		}
		for range 5 {
			compareReaders(t, s, name())
		}
	}
}

func compareReaders(t *testing.T, s *Store, account string) {
	t.Helper()
	var open, fresh engine.Facts
	if err := s.Subscriber(account, &open); err != nil {
		t.Fatal(err)
	}
	s.readers.bar()
	defer s.readers.lift()
	if err := s.Subscriber(account, &fresh); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fresh, open, knownOnly); diff != "" {
		t.Fatal(account, diff)
	}
}

// knownOnly compares what facts say, not the memory that they say it by.
var knownOnly = cmpopts.IgnoreUnexported(engine.Facts{})

// TestOpenReadersHoldUpNobody grows the file beyond its mapping, which waits
// for every read transaction, while others look up without a pause.
func TestOpenReadersHoldUpNobody(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "test.db"), Options{MmapSize: 1 << 16})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var beside sync.WaitGroup
	for range 3 {
		beside.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				var f engine.Facts
				if err := s.Subscriber(fmt.Sprintf("u%07dab@atson.net", i%20_000), &f); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		mustImport(t, s, typical(20_000)...)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("the import waits for readers")
	}
	close(stop)
	beside.Wait()
	var f engine.Facts
	if err := s.Subscriber("u0000007ab@atson.net", &f); err != nil || f.Contract == nil {
		t.Error("a reader does not see what was imported:", f.Contract, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestRowsInMemoryAreBounded(t *testing.T) {
	t.Parallel()
	all := make([]engine.Contract, 2*maxRows+10)
	for i := range all {
		all[i] = engine.Contract{Account: fmt.Sprintf("u%d", i), Course: fmt.Sprintf("course %d", i)}
	}
	s := openTemp(t, all...)
	for _, want := range all {
		var f engine.Facts
		if err := s.Subscriber(want.Account, &f); err != nil || !cmp.Equal(*f.Contract, want) {
			t.Fatal(want, f.Contract, err)
		}
		if n := len(s.readers.all[0].rows); n > maxRows {
			t.Fatal(n, "rows")
		}
	}
	mustIndex(t, s)
	for _, want := range all {
		compareReaders(t, s, want.Account)
	}
	if n := len(s.index.current.Load().rows); n > maxRows {
		t.Fatal(n, "rows of the index")
	}
}
