package radius_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"sekisho/radius"
	"sekisho/radius/session"
)

// fed is a table behind a feed that does not run yet.
func fed() (*session.Feed, *session.Table) {
	table := session.NewTable(session.Options{Clock: func() time.Time { return radius.TellersTime }})
	return session.NewFeed(table, nil), table
}

// TestAFeedTakesInEverything holds that packets from many goroutines arrive in
// the table, those of each in their order.
func TestAFeedTakesInEverything(t *testing.T) {
	t.Parallel()
	const goroutines, each = 4, 3000 // some hundred fill a page
	feed, table := fed()
	inBackground(t, feed.Run)
	var all sync.WaitGroup
	for g := range goroutines {
		teller := radius.NewTeller(t, feed)
		all.Go(func() {
			for i := g * each; i < (g+1)*each; i++ {
				teller.Login(i)
				teller.Record(i, radius.StatusStart)
				if i%3 == 0 {
					teller.Record(i, radius.StatusStop)
				}
			}
		})
	}
	all.Wait()
	must(t, feed.Wait(t.Context()))
	s := table.Stats()
	if s.Joins["joined"] != goroutines*each || s.Records["stop"] != goroutines*each/3 || table.Len() != goroutines*each*2/3 || s.Waiting != 0 || feed.Dropped() != 0 {
		t.Errorf("%d sessions, %d dropped: %+v", table.Len(), feed.Dropped(), s)
	}
	got, ok := table.Get(session.ID{NAS: "bras1", AcctSession: "0000000000000001"})
	if !ok || got.Account != "f.uf0000001ab" || got.Applied != "block" || got.Address.String() != "192.0.2.254" {
		t.Errorf("session 1 is %+v", got)
	}
}

// TestAFeedDropsWhatFindsItFull holds that a queue which nobody empties ends
// somewhere, and that what is in it is taken in at last.
func TestAFeedDropsWhatFindsItFull(t *testing.T) {
	t.Parallel()
	feed, table := fed()
	teller := radius.NewTeller(t, feed)
	told := uint64(0)
	for ; feed.Dropped() < 10 && told < 1_000_000; told++ {
		teller.Record(0, radius.StatusInterim)
	}
	if feed.Dropped() != 10 || told < 60_000 {
		t.Fatalf("%d packets were told, %d dropped: want room for three seconds at 20,000/s", told, feed.Dropped())
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	feed.Run(over)
	if n := table.Stats().Records["interim"]; n != told-10 {
		t.Errorf("%d records were taken in, want %d", n, told-10)
	}
	teller.Record(0, radius.StatusInterim)
	if feed.Dropped() != 10 {
		t.Error("the empty queue has no room")
	}
}
