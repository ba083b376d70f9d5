package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// mustIndex builds an index unless there is one.
func mustIndex(t testing.TB, s *Store) {
	t.Helper()
	if err := s.buildIndex(1<<30, nil); err != nil {
		t.Fatal(err)
	}
	if s.index.current.Load() == nil {
		t.Fatal("no index was built")
	}
}

// TestIndexTellsWhatTheFileTells changes contracts in every way there is, and
// compares look-ups, which use the index, with ones in a transaction of their own.
func TestIndexTellsWhatTheFileTells(t *testing.T) {
	t.Parallel()
	for _, direct := range []int{0, 5, 1000} { // rewrites always, sometimes, never
		t.Run(strconv.Itoa(direct), func(t *testing.T) {
			t.Parallel()
			s := openTemp(t)
			s.direct = direct
			random := rand.New(rand.NewPCG(3, uint64(direct)))
			for range 80 {
				changeAtRandom(t, s, random)
				if random.IntN(3) == 0 { // not after each rewrite
					mustIndex(t, s)
				}
				for i := range 30 {
					compareReaders(t, s, name(i))
				}
			}
		})
	}
}

func name(i int) string { return fmt.Sprintf("u%d@atson.net", i) }

func changeAtRandom(t *testing.T, s *Store, random *rand.Rand) {
	t.Helper()
	some := func(n int) (all []engine.Contract) {
		for _, i := range random.Perm(30)[:n] {
			all = append(all, engine.Contract{Account: name(i), Course: strconv.Itoa(random.IntN(4)), Options: []string{"fixed-ip"}})
		}
		return all
	}
	switch random.IntN(5) {
	case 0:
		mustImport(t, s, some(1+random.IntN(9))...)
	case 1: // an account that is spelled unlike its key
		mustImport(t, s, engine.Contract{Account: "U" + name(random.IntN(30))[1:], Course: "odd"})
	case 2:
		all := ImportOptions{Replace: true}
		if _, err := s.ImportContracts(t.Context(), By{Who: "test"}, each(some(20+random.IntN(10))...), all); err != nil {
			t.Fatal(err)
		}
	case 3:
		n := random.IntN(30)
		follow(t, s, tellings{n: name(n) + "=" + strconv.Itoa(random.IntN(4))}, DirectoryOptions{})
	case 4:
		follow(t, s, tellings{random.IntN(30): ""}, DirectoryOptions{})
	}
}

// TestIndexFollowsChangesWhileItIsBuilt wants every look-up to tell what was
// acknowledged last, while an index is built, used and dropped over and over.
func TestIndexFollowsChangesWhileItIsBuilt(t *testing.T) {
	t.Parallel()
	s := openTemp(t, typical(5000)...)
	stop := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() {
		for !stopping(stop) {
			if err := s.buildIndex(1<<30, stop); err != nil && !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
			_ = s.updateContracts(nil, func(*bolt.Tx) error { return nil })
		}
	})
	built := 0
	for i := range 150 {
		c := typical(5000)[i*17%5000]
		c.Course = strconv.Itoa(i)
		mustImport(t, s, c)
		if s.index.current.Load() != nil {
			built++
		}
		var f engine.Facts
		if err := s.Subscriber(c.Account, &f); err != nil || f.Contract == nil || f.Contract.Course != c.Course {
			t.Fatalf("%+v %v, want course %s", f.Contract, err, c.Course)
		}
	}
	close(stop)
	beside.Wait()
	t.Log(built, "look-ups with an index")
}

// TestIndexIsToldWhatComesLate changes contracts between the two ends of
// building: the builder has read them before.
func TestIndexIsToldWhatComesLate(t *testing.T) {
	t.Parallel()
	s := openTemp(t, typical(100)...)
	x, err := newIndex(100)
	if err != nil {
		t.Fatal(err)
	}
	if !s.index.begin() {
		t.Fatal("there is an index")
	}
	if err := s.readInto(x, nil); err != nil {
		t.Fatal(err)
	}
	late := engine.Contract{Account: "u0000007ab@atson.net", Course: "late"}
	mustImport(t, s, late)
	if !s.index.end(x) {
		t.Fatal("it was refused")
	}
	var f engine.Facts
	if err := s.Subscriber(late.Account, &f); err != nil || !cmp.Equal(*f.Contract, late) {
		t.Error(f.Contract, err)
	}
}

func TestIndexIsGivenUp(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	tests := map[string]func(t *testing.T, s *Store){
		"when it is full": func(t *testing.T, s *Store) { mustImport(t, s, typical(200)...) },
		"when a change may be on the disk or not": func(t *testing.T, s *Store) {
			if err := s.updateContracts(slices.Values([]change{}), func(*bolt.Tx) error { return failed }); !errors.Is(err, failed) {
				t.Error(err)
			}
		},
		"when contracts are written anew": func(t *testing.T, s *Store) {
			s.direct = 0
			mustImport(t, s, engine.Contract{Account: "u0000007ab@atson.net", Course: "new"})
		},
		"when the store is closed": func(t *testing.T, s *Store) {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openTemp(t, typical(10)...)
			mustIndex(t, s)
			change(t, s)
			if s.index.current.Load() != nil {
				t.Error("there is one still")
			}
		})
	}
}

func TestIndexOfAHashThatTwoHave(t *testing.T) {
	t.Parallel()
	x, err := newIndex(10)
	if err != nil {
		t.Fatal(err)
	}
	defer x.free()
	row, err := encodeContract("a", engine.Contract{Account: "a", Course: "c"})
	if err != nil {
		t.Fatal(err)
	}
	x.add([]byte("a"), row)
	if c, ask := x.contract("a"); ask || c == nil || c.Course != "c" {
		t.Errorf("%+v, ask %v", c, ask)
	}
	x.add([]byte("a"), row) // as another account would be
	for _, what := range [][]byte{row, nil} {
		x.set([]byte("a"), what)
		if _, ask := x.contract("a"); !ask {
			t.Error("which of the two it is only the file knows")
		}
	}
}

// TestIndexIsKeptWarm has the daemon's way to it build one anew after a rewrite.
func TestIndexIsKeptWarm(t *testing.T) {
	t.Parallel()
	path := coldFile(t)
	s, bytes := openWarmable(t, path, Options{})
	s.direct = 0
	s.KeepWarm(1 << 40)
	<-bytes
	if s.index.current.Load() == nil {
		t.Error("no index after the start")
	}
	mustImport(t, s, engine.Contract{Account: "u0000007ab@atson.net", Course: "new"})
	for s.index.current.Load() == nil {
		<-bytes
	}
	compareReaders(t, s, "u0000007ab@atson.net")
}

// BenchmarkIndexed is the look-up of a login with an index and without.
func BenchmarkIndexed(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		all := typical(n)
		for i := range all {
			all[i].Account = fmt.Sprintf("u%08dab@atson.net", i)
		}
		s := openTemp(b, all...)
		rand.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, how := range []string{"file", "index"} {
			if how == "index" {
				mustIndex(b, s)
			}
			b.Run(fmt.Sprintf("%d/%s", n, how), func(b *testing.B) {
				var f engine.Facts
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if err := s.Subscriber(all[i%n].Account, &f); err != nil || f.Contract == nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
