package radius_test

import (
	"encoding/binary"
	"testing"
	"time"

	"sekisho/radius/radiustest"
)

// packetOf makes a packet of the notation of its attributes, unsigned.
func packetOf(t testing.TB, code, id byte, authenticator, attributes string) []byte {
	t.Helper()
	b := append([]byte{code, id, 0, 0}, octets(t, authenticator)...)
	b = append(b, octets(t, attributes)...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// access makes an Access-Request as the router would send it; a
// Message-Authenticator written as 50 12 *16 is filled in.
func access(t testing.TB, id byte, attributes string) []byte {
	t.Helper()
	return signedAccess(t, id, authenticator, attributes)
}

func signedAccess(t testing.TB, id byte, authenticator, attributes string) []byte {
	t.Helper()
	b := packetOf(t, radiustest.AccessRequest, id, authenticator, attributes)
	radiustest.SignMA(b, b[4:20], []byte(nasSecret))
	return b
}

// accounting makes a signed Accounting-Request likewise.
func accounting(t testing.TB, id byte, attributes string) []byte {
	t.Helper()
	zeros := make([]byte, 16)
	b := packetOf(t, radiustest.AccountingRequest, id, "*16", attributes)
	radiustest.SignMA(b, zeros, []byte(nasSecret))
	radiustest.Sign(b, zeros, []byte(nasSecret))
	return b
}

// user is the smallest request that the policy blocks: u1@atson.net.
const user = " 01 0e 'u1@atson.net' "

// accepted is what its Accept is: Message-Authenticator first, then ours.
const accepted = " 50 12 *16 0b 07 'op25b'"

// exchange sends a request and returns the verified answer as the router got
// it.
func (s *site) exchange(n *radiustest.NAS, request []byte) []byte {
	s.Helper()
	must(s, n.Send(request))
	return s.answer(n, request)
}

// answer waits for the answer to a request that was sent.
func (s *site) answer(n *radiustest.NAS, request []byte) []byte {
	s.Helper()
	b, err := n.Receive(patience)
	if err != nil {
		s.Fatalf("no answer: %v", err)
	}
	if _, err := n.Verify(request, b); err != nil {
		s.Fatal(err)
	}
	return b
}

// seen returns the AAA's requests once there are as many; more are a failure.
func (s *site) seen(count int) []*radiustest.Request {
	s.Helper()
	s.until("the AAA has its requests", func() bool { return len(s.aaa.Seen()) >= count })
	requests := s.aaa.Seen()
	if len(requests) != count {
		s.Fatalf("the AAA saw %d requests, want %d", len(requests), count)
	}
	for _, r := range requests {
		if err := r.Check(); err != nil {
			s.Fatalf("the AAA finds: %v in %x", err, r.Raw)
		}
	}
	return requests
}

// until waits for a condition that something else makes true.
func (s *site) until(what string, holds func() bool) {
	s.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for over := time.After(patience); !holds(); {
		select {
		case <-over:
			s.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}

// dropped sends datagrams that must have no effect but the counter's, each
// once. from may differ from via, which proves the silence.
func (s *site) dropped(why string, via *radiustest.NAS, datagrams ...[]byte) {
	s.Helper()
	sent, before := s.sent(), s.drops(why)
	for _, d := range datagrams {
		must(s, via.Send(d))
	}
	s.quiet(via)
	if n := s.drops(why) - before; n != uint64(len(datagrams)) {
		s.Errorf("%d counted as %s, want %d", n, why, len(datagrams))
	}
	if n := s.sent() - sent; n != 0 {
		s.Errorf("%d packets went upstream", n)
	}
}

// quiet proves that nothing is on its way to a router: the listener works off
// what arrives in turn, so the answer to a Status-Server comes after whatever
// the datagrams before it caused there.
func (s *site) quiet(via *radiustest.NAS) {
	s.Helper()
	status := via.Request(radiustest.StatusServer, radiustest.MA())
	must(s, via.Send(status))
	b, err := via.Receive(patience)
	if err != nil {
		s.Fatalf("no answer to Status-Server: %v", err)
	}
	if _, err := via.Verify(status, b); err != nil {
		s.Fatalf("got %x, want silence (%v)", b, err)
	}
}

// drops counts what was dropped for a reason, whoever it came from.
func (s *site) drops(why string) uint64 {
	stats := s.proxy.Stats()
	return stats.Unknown[why] + stats.NAS["bras1"].Dropped[why]
}

// sent counts the packets sent upstream.
func (s *site) sent() (n uint64) {
	for _, sent := range s.proxy.Stats().AAA["tokyo-1"].Sent {
		n += sent
	}
	return n
}

// refused waits until replies of the AAA have been dropped for a reason that
// many times.
func (s *site) refused(why string, times uint64) {
	s.Helper()
	s.until("a reply is dropped: "+why, func() bool { return s.proxy.Stats().AAA["tokyo-1"].Dropped[why] >= times })
}

// attributesOf is what follows a packet's header.
func attributesOf(packet []byte) []byte { return packet[20:] }
