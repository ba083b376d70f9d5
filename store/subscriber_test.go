package store

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// severalKinds are accounts with and without contracts, overrides, and a key of
// another spelling, and what is to be told of them.
func severalKinds(t *testing.T, s *Store) map[string]engine.Facts {
	t.Helper()
	var all []engine.Contract
	for i := range 200 {
		c := engine.Contract{Account: fmt.Sprintf("u%d@x", i), Course: fmt.Sprint("course ", i%5)}
		switch {
		case i%2 == 0:
			c.Area, c.Segment, c.Options, c.Status = "tokyo", "personal", []string{fmt.Sprint("option-", i%3)}, "active"
		case i%10 == 1:
			c.Account = "U" + c.Account[1:]
		}
		all = append(all, c)
	}
	mustImport(t, s, all...)
	want := map[string]engine.Facts{}
	for i := range 300 {
		account := fmt.Sprintf("u%d@x", i)
		if i%7 == 0 {
			mustAdd(t, s, grant(account))
		}
		var f engine.Facts
		if err := s.Subscriber(account, &f); err != nil {
			t.Fatal(err)
		}
		want[account] = f
	}
	return want
}

// TestFactsThatAreUsedAgain tells one subscriber after another by the same
// facts, in every way of looking them up: nothing of one may show in the next.
func TestFactsThatAreUsedAgain(t *testing.T) {
	t.Parallel()
	s, _ := openAtNoon(t)
	want := severalKinds(t, s)
	for _, how := range []string{"file", "index"} {
		if how == "index" {
			mustIndex(t, s)
		}
		var asking sync.WaitGroup
		for g := range 4 {
			asking.Go(func() {
				var f engine.Facts
				random := rand.New(rand.NewPCG(1, uint64(g)))
				for range 2000 {
					account := fmt.Sprintf("u%d@x", random.IntN(300))
					if err := s.Subscriber(account, &f); err != nil {
						t.Error(err)
					}
					if diff := cmp.Diff(want[account], f, knownOnly); diff != "" {
						t.Errorf("%s: %s: %s", how, account, diff)
						return
					}
				}
			})
		}
		for range 20 { // meanwhile some look for themselves
			if err := s.updateContracts(func(func(change) bool) {}, func(*bolt.Tx) error { return nil }); err != nil {
				t.Error(err)
			}
		}
		asking.Wait()
	}
}

func TestSubscriberDoesNotAllocate(t *testing.T) {
	s := openTemp(t, typical(100)...)
	for _, how := range []string{"file", "index"} {
		if how == "index" {
			mustIndex(t, s)
		}
		for _, account := range []string{"u0000007ab@atson.net", "nobody@atson.net"} {
			var f engine.Facts
			if n := testing.AllocsPerRun(100, func() {
				if err := s.Subscriber(account, &f); err != nil {
					t.Fatal(err)
				}
			}); n != 0 {
				t.Errorf("%s, %s: %v allocations", how, account, n)
			}
		}
	}
}
