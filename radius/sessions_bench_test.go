package radius_test

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/session"
	"sekisho/store"

	"golang.org/x/sys/unix"
)

// tellTable makes a teller and the table that it tells, by a feed that runs
// until the benchmark ends.
func tellTable(b *testing.B) (*radius.Teller, *session.Feed, *session.Table) {
	table := session.NewTable(session.Options{Clock: func() time.Time { return radius.TellersTime }})
	feed := session.NewFeed(table, nil)
	inBackground(b, feed.Run)
	return radius.NewTeller(b, feed), feed, table
}

func inBackground(b testing.TB, run func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { run(ctx); close(ended) }()
	b.Cleanup(func() { cancel(); <-ended })
}

// tellAll tells of n subscribers, and waits for the table now and then.
func tellAll(b *testing.B, feed *session.Feed, n int, tell func(int)) {
	for i := range n {
		if tell(i); i%10_000 == 0 || i == n-1 {
			must(b, feed.Wait(b.Context()))
		}
	}
}

// BenchmarkWaitingLogins is what logins cost the table of sessions, whose Start
// does not come for a while: processor time of all that is done about one,
// collector included, and memory; then the same of their Starts, and of Starts
// that are repeated.
func BenchmarkWaitingLogins(b *testing.B) {
	const many = 200_000
	for b.Loop() {
		teller, feed, table := tellTable(b)
		measured := func(of string, tell func(int)) {
			before, began := allocations(), cpuTime()
			tellAll(b, feed, many, tell)
			used, after := cpuTime()-began, allocations()
			b.ReportMetric(float64(used.Nanoseconds())/many, "cpu-ns/"+of)
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/many, "allocs/"+of)
			b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/many, "B/"+of)
		}
		measured("login", teller.Login)
		if n := table.Stats().Waiting; n != many || feed.Dropped() != 0 {
			b.Fatalf("%d logins wait, %d packets were dropped", n, feed.Dropped())
		}
		measured("start", teller.Start)
		measured("repeated", teller.Start)
		if n := table.Stats().Joins["joined"]; n != many || table.Len() != many {
			b.Fatalf("%d joined, %d sessions", n, table.Len())
		}
	}
}

// BenchmarkAccountingAtPace sends 20,000 records a second, of which one in a
// hundred is a Start or a Stop, for ten seconds to a table of a million, with
// its writer running, and prints how long a packet waited, what was written
// and how the heap grew.
func BenchmarkAccountingAtPace(b *testing.B) {
	const many, pace, seconds = 1_000_000, 20_000, 10
	for b.Loop() {
		teller, feed, table := tellTable(b)
		tellAll(b, feed, many, func(i int) { teller.Login(i); teller.Start(i) })
		w := session.NewWriter(table, newShelf(b), nothingBought{}, 0, nil)
		w.Flush()
		inBackground(b, w.Run)
		before, cpu := allocations(), cpuTime()
		waits := tellAtPace(teller, many, pace, seconds)
		must(b, feed.Wait(b.Context()))
		b.ReportMetric((cpuTime()-cpu).Seconds()/seconds*100, "%CPU")
		after := allocations()
		b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/(1<<20), "MiB-growth")
		b.ReportMetric(float64(after.Mallocs-before.Mallocs)/(pace*seconds), "allocs/record")
		slices.Sort(waits)
		b.ReportMetric(float64(waits[len(waits)*999/1000].Microseconds()), "µs/p99.9")
		b.ReportMetric(float64(feed.Dropped()), "dropped")
		b.ReportMetric(float64(table.Stats().Unsaved), "unsaved")
	}
}

// tellAtPace tells of records, evenly, and returns how long each call took.
func tellAtPace(teller *radius.Teller, many, pace, seconds int) []time.Duration {
	waits := make([]time.Duration, 0, pace*seconds)
	began := time.Now()
	for i := range pace * seconds {
		for due := began.Add(time.Duration(i) * time.Second / time.Duration(pace)); time.Now().Before(due); {
			time.Sleep(200 * time.Microsecond)
		}
		subscriber, status := i*7%many, radius.StatusInterim
		if i%100 == 0 {
			subscriber, status = many+i/200, radius.StatusStart
			if i%200 != 0 {
				status = radius.StatusStop
			}
		}
		at := time.Now()
		teller.Record(subscriber, status)
		waits = append(waits, time.Since(at))
	}
	return waits
}

func newShelf(b *testing.B) *store.Store {
	s, err := store.Open(filepath.Join(b.TempDir(), "bench.db"), store.Options{})
	must(b, err)
	b.Cleanup(func() { s.Close() })
	return s
}

// nothingBought is contracts of which there are none.
type nothingBought struct{}

func (nothingBought) Contract(string) (engine.Contract, bool, error) {
	return engine.Contract{}, false, nil
}

func allocations() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

// cpuTime is what this process has used of its processors.
func cpuTime() time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
