package radius_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"sekisho/radius/radiustest"
)

// noise makes datagrams from random octets to packets that are right but for
// one bit.
type noise struct{ *rand.Rand }

func (n noise) octets(count int) []byte {
	b := make([]byte, count)
	for i := range b {
		b[i] = byte(n.Uint32())
	}
	return b
}

func (n noise) datagram() []byte {
	b := n.octets(n.IntN(300))
	if len(b) < 20 || n.IntN(4) == 0 {
		return b
	}
	b[0] = []byte{1, 2, 3, 4, 5, 11, 12, 52}[n.IntN(8)]
	b[2], b[3] = byte(len(b)>>8), byte(len(b))
	for at := 20; at+1 < len(b); at += int(b[at+1]) {
		room := len(b) - at
		b[at+1] = byte(2 + n.IntN(min(room-1, 40)))
		if room-int(b[at+1]) == 1 {
			b[at+1]++
		}
		if n.IntN(4) == 0 {
			b[at] = []byte{1, 2, 3, 26, 33, 79, 80}[n.IntN(7)]
		}
	}
	if n.IntN(2) == 0 {
		radiustest.Sign(b, make([]byte, 16), []byte(nasSecret)) // right for accounting
	}
	if n.IntN(4) == 0 {
		b[4+n.IntN(len(b)-4)] ^= 1 << n.IntN(8) // lengths of attributes among them
	}
	if len(b) > 22 && n.IntN(16) == 0 {
		b[21] = byte(n.IntN(2)) // what a careless reader never gets past
	}
	return b
}

// TestCase48RandomDatagrams is not parallel: it counts goroutines.
func TestCase48RandomDatagrams(t *testing.T) {
	s := start(t, func(s *setup) { s.config.CleanupDelay = time.Second })
	s.exchange(s.nas, access(t, 1, user))
	s.exchange(s.acct, accounting(t, 1, user))
	upstream := s.seen(2)[0].From
	before := s.goroutines()
	random := noise{rand.New(rand.NewPCG(48, 48))}
	s.tellSize("before")
	rounds := noiseRounds(t)
	for round := range rounds {
		s.storm(random, upstream)
		if round%(rounds/5+1) == 0 {
			s.tellSize(fmt.Sprintf("after %d datagrams", (round+1)*99))
		}
	}
	if now := s.goroutines(); now > before+3 { // the pool may have grown
		t.Errorf("%d goroutines, %d before", now, before)
	}
	s.until("what is under way is answered", func() bool {
		stats := s.proxy.Stats()
		return stats.NAS["bras1"].Outstanding == 0 && stats.AAA["tokyo-1"].Outstanding == 0
	})
	s.timer.advance(time.Hour)
	s.until("the answers are forgotten", func() bool { s.proxy.Sweep(); return s.proxy.Stats().Held == 0 })
	if stats := s.proxy.Stats(); stats.Held != 0 || stats.NAS["bras1"].Outstanding != 0 || stats.AAA["tokyo-1"].Outstanding != 0 {
		t.Errorf("something is left: %+v", stats)
	}
	s.exchange(s.router(netip.AddrPort{}, s.authAddr), access(t, 2, user))
	s.exchange(s.router(netip.AddrPort{}, s.acctAddr), accounting(t, 2, user))
}

// noiseRounds is a thousand, or SEKISHO_NOISE for a long run.
func noiseRounds(t *testing.T) int {
	text := os.Getenv("SEKISHO_NOISE")
	if text == "" {
		return 1000
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	return n
}

// storm sends a hundred datagrams, few enough for the kernel's buffers.
func (s *site) storm(random noise, upstream netip.AddrPort) {
	for range 33 {
		must(s, s.nas.Send(random.datagram()))
		must(s, s.acct.Send(random.datagram()))
		must(s, s.aaa.Send(random.datagram(), upstream))
	}
	s.drain(s.nas)
	s.drain(s.acct)
}

// tellSize logs what a daemon needs: -v shows it.
func (s *site) tellSize(when string) {
	if d, ok := s.proxy.(*daemon); ok {
		s.Logf("%s: %d goroutines, %d MiB resident", when, d.goroutines(), d.resident())
	}
}

// goroutines counts those of the process in which the proxy runs.
func (s *site) goroutines() int {
	if d, ok := s.proxy.(*daemon); ok {
		return d.goroutines()
	}
	return runtime.NumGoroutine()
}

// drain waits until a listener has worked off what was sent to it, whatever
// it answers.
func (s *site) drain(n *radiustest.NAS) {
	s.Helper()
	status := n.Request(radiustest.StatusServer, radiustest.MA())
	must(s, n.Send(status))
	for {
		b, err := n.Receive(patience)
		if err != nil {
			s.Fatal(err)
		}
		if _, err := n.Verify(status, b); err == nil {
			return
		}
	}
}
