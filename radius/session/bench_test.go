package session_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/session"
	"sekisho/store"
)

// many is how many sessions the benchmarks have live: those of a large ISP, on
// a hundred routers.
const many = 1_000_000

// subscriber is the i-th subscriber's session, with what a BRAS tells of one.
func subscriber(i int, now time.Time) radius.Sighting {
	user := fmt.Sprintf("f.uf%07dab@atson.net", i)
	s := radius.Sighting{
		NAS: fmt.Sprintf("bras-%d", i%100), Area: []string{"tokyo", "osaka", "okinawa"}[i%3], At: now,
		Session: fmt.Sprintf("%016X", i), UserName: user, Name: user,
		Login:   engine.Login{Account: fmt.Sprintf("uf%07dab", i), Realm: "atson.net", Form: "fixed"},
		Address: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}),
		Request: []engine.Attribute{{Name: "NAS-Port-Type", Value: "Ethernet"}},
	}
	port := binary.BigEndian.AppendUint32(nil, uint32(i))
	prefix := [16]byte{0x20, 0x01, 0x0d, 0xb8, byte(i >> 16), byte(i >> 8), byte(i)}
	s.Prefix = netip.PrefixFrom(netip.AddrFrom16(prefix), 64)
	s.Identity = []radius.Attribute{
		attr(4, "\x0a\x00\x00\x01"), attr(5, string(port)), attr(32, s.NAS), attr(44, s.Session),
		attr(87, fmt.Sprintf("ge-0/0/%d.%d:%d", i%8, i%4000, i%4000)), attr(31, fmt.Sprintf("00:00:5e:%02x:%02x:%02x", i>>16&255, i>>8&255, i&255)),
	}
	return s
}

func startOf(i int, now time.Time) *radius.Record {
	return &radius.Record{Sighting: subscriber(i, now), Status: radius.StatusStart}
}

func interimOf(i int, now time.Time) *radius.Record {
	return &radius.Record{Sighting: subscriber(i, now), Status: radius.StatusInterim, Lasted: now.Sub(noon)}
}

// full fills a table by Accepts and Starts.
func full(t *session.Table) {
	for i := range many {
		s := subscriber(i, noon)
		t.LoggedIn(asRead{login: &radius.Login{
			Sighting: s, Decision: engine.Decision{Action: "block", Rule: "stage-2", Until: noon.Add(time.Hour)}, Told: "block", Asked: s.UserName,
		}}, nil)
		t.Accounting(startOf(i, noon))
		t.Decided(session.ID{NAS: s.NAS, AcctSession: s.Session}, engine.Decision{Action: "block", Rule: "stage-2", Until: noon.Add(time.Hour)}, noon)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkMillionSessions prints what a million sessions cost: memory, and
// processor time, that of the collector included, for a record of each kind, a
// walk over all of them, writing and reading them.
func BenchmarkMillionSessions(b *testing.B) {
	now := noon
	clock := func() time.Time { return now }
	for b.Loop() {
		now = noon
		before := heap()
		t := session.NewTable(session.Options{Clock: clock})
		full(t)
		now = now.Add(time.Hour)
		t.Sweep() // the Accepts have joined
		b.ReportMetric(float64(heap()-before)/many, "B/session")
		report(b, "Interim", 200_000, func(i int) *radius.Record { return interimOf(i*5, now) }, t)
		report(b, "Start", 200_000, func(i int) *radius.Record { return startOf(many+i, now) }, t)
		report(b, "Stop", 200_000, func(i int) *radius.Record {
			return &radius.Record{Sighting: subscriber(many+i, now), Status: radius.StatusStop, Lasted: time.Minute}
		}, t)
		began := cpuTime()
		n := 0
		for range t.All(session.Filter{}) {
			n++
		}
		b.ReportMetric((cpuTime() - began).Seconds(), "cpu-s/walk")
		began, n = cpuTime(), 0
		for page := t.Page(session.Filter{}, session.ID{}, 1000); len(page) > 0; page = t.Page(session.Filter{}, page[len(page)-1].ID, 1000) {
			n += len(page)
		}
		b.ReportMetric((cpuTime() - began).Seconds(), "cpu-s/pages")
		s := openStore(b)
		began = cpuTime()
		session.NewWriter(t, s, &bought{}, 0, nil).Flush()
		b.ReportMetric((cpuTime() - began).Seconds(), "cpu-s/write")
		n, t = t.Len(), nil
		heap()
		restore(b, s, n, clock)
	}
}

// report measures records that are made beforehand.
func report(b *testing.B, name string, n int, make func(i int) *radius.Record, t *session.Table) {
	var records []*radius.Record
	for i := range n {
		records = append(records, make(i))
	}
	began := cpuTime()
	for _, r := range records {
		t.Accounting(r)
	}
	b.ReportMetric(float64((cpuTime()-began).Nanoseconds())/float64(n), "cpu-ns/"+name)
}

// restore reads all sessions back.
func restore(b *testing.B, s *store.Store, want int, clock func() time.Time) {
	t := session.NewTable(session.Options{Clock: clock})
	began, cpu := time.Now(), cpuTime()
	t.Restoring(s)
	n, err := s.CountSessions()
	if err != nil {
		b.Fatal(err)
	}
	t.Expect(n)
	b.ReportMetric(time.Since(began).Seconds(), "s/count")
	for row, err := range s.AllSessions() {
		if err != nil {
			b.Fatal(err)
		}
		t.Restore(row)
	}
	t.Restored()
	b.ReportMetric(time.Since(began).Seconds(), "s/restore")
	b.ReportMetric((cpuTime() - cpu).Seconds(), "cpu-s/restore")
	if t.Len() != want {
		b.Fatalf("%d sessions came back of %d", t.Len(), want)
	}
}

func openStore(b *testing.B) *store.Store {
	s, err := store.Open(filepath.Join(b.TempDir(), "bench.db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}
