package daemon_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/radius/radiustest"
)

// BenchmarkLoginBesideTheDoor is how long a login takes through the whole
// daemon, one after the other, while nobody asks at the door; while each of 64
// clients grants, revokes and lists four times a second, some 800 requests a
// second; and while they do so without a pause. All clients, the fake NAS and
// the fake AAA share the machine's processors with the daemon: without a pause
// it is those that are measured, not the store.
func BenchmarkLoginBesideTheDoor(b *testing.B) {
	for _, bench := range []struct {
		name    string
		clients int
		pause   time.Duration
	}{
		{"idle", 0, 0},
		{"64-clients", 64, 250 * time.Millisecond},
		{"64-clients-without-a-pause", 64, 0},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := open(b)
			s.at(b, "2007-05-16T12:00:00+09:00")
			s.invite(b)
			over, end := context.WithCancel(b.Context())
			var crowd sync.WaitGroup
			for n := range bench.clients {
				crowd.Go(func() { s.busy(over, b, n, bench.pause) })
			}
			s.measureLogins(b)
			end()
			crowd.Wait()
		})
	}
}

// invite gives each of the crowd an account.
func (s *site) invite(b *testing.B) {
	var csv strings.Builder
	csv.WriteString("account,course\n")
	for n := range 64 {
		fmt.Fprintf(&csv, "crowd%d,ADSL\n", n)
	}
	if _, err := s.client.ImportContracts(b.Context(), "crowd.csv", strings.NewReader(csv.String()), admin.ImportOptions{}); err != nil {
		b.Fatal(err)
	}
}

func (s *site) busy(ctx context.Context, b *testing.B, n int, pause time.Duration) {
	c := admin.Dial(s.socket())
	defer c.Close()
	for round := 0; ctx.Err() == nil; round++ {
		s.grantAndRevoke(b, c, fmt.Sprintf("crowd%d", n), fmt.Sprint(n, "-", round))
		if _, err := c.Overrides(b.Context(), admin.OverrideQuery{States: []string{"active"}}, "", 100); err != nil {
			b.Error(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// measureLogins reports the median and the 99th percentile beside the mean.
func (s *site) measureLogins(b *testing.B) {
	auth, _ := s.daemon.Addresses()
	nas, err := radiustest.NewNAS(netip.MustParseAddrPort(auth[0]), nasSecret)
	if err != nil {
		b.Fatal(err)
	}
	defer nas.Close()
	address := radiustest.Attribute{Type: radiustest.NASIPAddress, Value: netip.MustParseAddr("192.0.2.1").AsSlice()}
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := nas.Exchange(nas.Request(radiustest.AccessRequest, radiustest.PAP("ua700aa007g@atson.net", "himitsu", address)...), patience); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}
