package radius_test

import (
	"fmt"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/radiustest"
)

// BenchmarkTransaction is one login from the router to the AAA and back with
// the policy on, a window of them under way at a time. Router and AAA are in
// the same process and take their share of what is measured.
func BenchmarkTransaction(b *testing.B) {
	const window = 64
	known := contracts{}
	for i := range 1000 {
		known[fmt.Sprintf("u%03d", i)] = engine.Contract{Course: "adsl"}
	}
	s := start(b, func(s *setup) {
		s.subscribers = known
		s.config.CleanupDelay = time.Millisecond
		s.answer = func(r *radiustest.Request) [][]byte { return [][]byte{r.Reply(radiustest.AccessAccept)} }
	})
	requests := make([][]byte, window)
	for i := range requests {
		requests[i] = access(b, byte(i), fmt.Sprintf("01 10 'u%03d@atson.net' 02 12 *16 04 06 c0000201 05 06 00000001 06 06 00000002 07 06 00000001", i))
	}
	send := func(i int) {
		s.timer.advance(20 * time.Microsecond)
		r := requests[i%window]
		r[4], r[5], r[6], r[7] = byte(i), byte(i>>8), byte(i>>16), byte(i>>24) // never a duplicate
		must(b, s.nas.Send(r))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range min(window, b.N) {
		send(i)
	}
	for i := range b.N {
		if _, err := s.nas.Receive(patience); err != nil {
			b.Fatal(err)
		}
		if next := i + window; next < b.N {
			send(next)
		}
	}
	b.StopTimer()
	if n := s.proxy.Stats().Decisions[radius.Ruling{Action: "block", Rule: "stage"}]; n != uint64(b.N) {
		b.Errorf("%d decisions for %d logins", n, b.N)
	}
}
