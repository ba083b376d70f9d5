package daemon

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/engine"
	"sekisho/store"
)

var contracts = flag.Int("contracts", 1_000_000, "over how many contracts BenchmarkImpactOfMillions goes")

const benchSite = `listen: {auth: "127.0.0.1:0"}
policy: asahi-net
nas:
  tokyo:   {source: 192.0.2.1, secret: a-secret-of-more-than-twelve, area: tokyo}
  okinawa: {source: 192.0.2.2, secret: a-secret-of-more-than-twelve, area: okinawa}
  quiet:   {source: 192.0.2.3, secret: a-secret-of-more-than-twelve}
aaa:
  servers: {home: {address: 192.0.2.9, secret: a-secret-of-more-than-twelve}}
  pools: {main: {servers: home}}
  realms: {"*": main}
`

// customers are contracts of all courses, in the spellings of a directory.
func customers(courses []engine.Course, n int) iter.Seq2[engine.Contract, error] {
	endings := []string{"", "コース", "(12M)"}
	options := [][]string{nil, {"fixed-ip"}, {"security-vpn"}}
	return func(yield func(engine.Contract, error) bool) {
		for i := range n {
			c := engine.Contract{
				Account: fmt.Sprintf("u%08dab", i), Course: courses[i%len(courses)].Name + endings[i/7%3], Address: "dynamic", Area: "tokyo",
				Segment: "personal", Options: options[i/11%3], Status: "active",
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// millions is a daemon with as many contracts, but without its sockets.
func millions(b *testing.B) *Daemon {
	b.Helper()
	conf, problems := config.Parse("site.yaml", []byte(benchSite))
	if err := problems.Err(); err != nil {
		b.Fatal(err)
	}
	s, err := store.Open(filepath.Join(b.TempDir(), "db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	if _, err := s.ImportContracts(context.Background(), store.By{Who: "bench"}, customers(conf.Policy.Courses(), *contracts), store.ImportOptions{}); err != nil {
		b.Fatal(err)
	}
	d := &Daemon{store: s, options: Options{Clock: func() time.Time { return time.Date(2007, 5, 1, 0, 0, 0, 0, time.UTC) }}}
	d.config.Store(conf)
	return d
}

// BenchmarkImpactOfMillions beside the bare reading of them; the heap
// is measured on the way, after the garbage went.
func BenchmarkImpactOfMillions(b *testing.B) {
	d := millions(b)
	b.Run("read", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n = 0
			for _, err := range d.store.AllContracts("") {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
		}
		report(b, n)
	})
	for _, q := range []admin.ImpactQuestion{{At: "2007-05-15"}, {Stages: []string{"all"}, Accounts: true}} {
		b.Run(fmt.Sprintf("at=%s,stages=%v", q.At, q.Stages), func(b *testing.B) {
			var totals *admin.ImpactTotals
			for b.Loop() {
				if err := d.Impact(b.Context(), q, func(l admin.ImpactLine) error { totals = l.Totals; return nil }); err != nil {
					b.Fatal(err)
				}
			}
			report(b, totals.Contracts)
			b.ReportMetric(float64(totals.Flipped), "flipped")
			b.StopTimer()
			b.ReportMetric(d.mostHeap(b, q), "heap-MB")
		})
	}
}

func report(b *testing.B, contracts int) {
	b.ReportMetric(float64(contracts)*float64(b.N)/b.Elapsed().Seconds(), "contracts/s")
}

// mostHeap is the most that is alive while an impact runs.
func (d *Daemon) mostHeap(b *testing.B, q admin.ImpactQuestion) float64 {
	var most uint64
	err := d.Impact(b.Context(), q, func(l admin.ImpactLine) error {
		if l.Progress != nil && l.Progress.Read%(*contracts/10) < progressEvery {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return float64(most) / (1 << 20)
}
