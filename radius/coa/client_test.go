package coa_test

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/radius"
	"sekisho/radius/coa"
	"sekisho/radius/radiustest"
)

const secret = "testing123"

// midnight is when the stage of the tests begins.
var midnight = time.Date(2007, 5, 15, 0, 0, 0, 0, time.UTC)

// wait is how long a test waits for what must happen.
const wait = 10 * time.Second

// pair is a client and a router.
type pair struct {
	testing.TB
	client *coa.Client
	router *radiustest.Router
	nas    *coa.NAS
	clock  *radiustest.Clock
}

func newPair(t testing.TB, answer func(*radiustest.Request) [][]byte) *pair {
	t.Helper()
	router, err := radiustest.NewRouter(secret, answer)
	must(t, err)
	t.Cleanup(router.Close)
	p := &pair{TB: t, router: router, clock: radiustest.NewClock(midnight)}
	p.client = coa.NewClient(coa.ClientOptions{Clock: p.clock, Rand: func() float64 { return 0.5 }})
	t.Cleanup(p.client.Close)
	p.nas = &coa.NAS{Name: "bras1", Address: router.Addr, Secret: radius.NewSecret([]byte(secret))}
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	must(t, err)
	return b
}

// change is Filter-Id op25b-off.in for the session 0000001A.
func change(t testing.TB) coa.Request {
	return coa.Request{Identification: unhex(t, "2c0a 3030303030303141"), Attributes: unhex(t, "0b0e 6f703235622d6f66662e696e")}
}

// send sends a request; its end comes through the channel.
func (p *pair) send(r coa.Request) chan coa.Reply {
	p.Helper()
	replies := make(chan coa.Reply, 1)
	must(p, p.client.Send(p.nas, r, func(r coa.Reply) { replies <- r }))
	return replies
}

func (p *pair) ask(r coa.Request) coa.Reply {
	p.Helper()
	return p.await(p.send(r))
}

func (p *pair) await(replies chan coa.Reply) coa.Reply {
	p.Helper()
	select {
	case r := <-replies:
		return r
	case <-time.After(wait):
		p.Fatal("the exchange does not end")
		return coa.Reply{}
	}
}

// seen waits until the router has received that many requests.
func (p *pair) seen(n int) []*radiustest.Request {
	p.Helper()
	until(p, "requests at the router", func() bool { return len(p.router.Seen()) >= n })
	return p.router.Seen()
}

// until waits for what another goroutine must bring about.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(wait); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: waited in vain", what)
		}
	}
}

func TestGoldenCoARequestOnTheWire(t *testing.T) {
	t.Parallel()
	p := newPair(t, func(r *radiustest.Request) [][]byte { return [][]byte{r.ACK()} })
	p.nas.MessageAuthenticator = true
	for range 9 {
		p.ask(change(t)) // identifiers 0 to 8
	}
	if got := p.ask(change(t)); got.Outcome != coa.Done || got.Tries != 1 || got.String() != "CoA-ACK" {
		t.Errorf("got %+v", got)
	}
	const golden = "2b09003e56c36921bc8a22832ffee41f1c75af515012f8eb3ece3fb2bf7686bbd445ff41bd822c0a30303030303031410b0e6f703235622d6f66662e696e"
	if got := hex.EncodeToString(p.seen(10)[9].Raw); got != golden {
		t.Errorf("got  %s\nwant %s", got, golden)
	}
}

func TestEventTimestampByChoice(t *testing.T) {
	t.Parallel()
	p := newPair(t, func(r *radiustest.Request) [][]byte { return [][]byte{r.ACK()} })
	p.nas.EventTimestamp = true
	p.ask(change(t))
	want := unhex(t, "2c0a 3030303030303141 3706 4648f800 0b0e 6f703235622d6f66662e696e") // 2007-05-15T00:00:00Z
	if got := p.seen(1)[0].Raw[20:]; !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

func TestCase40EveryReplyHasItsMeaning(t *testing.T) {
	t.Parallel()
	for cause, want := range map[uint32]struct {
		outcome coa.Outcome
		general bool
		text    string
	}{
		0:   {coa.Refused, false, "CoA-NAK without Error-Cause"},
		401: {coa.Refused, true, "CoA-NAK 401 Unsupported-Attribute"},
		402: {coa.Refused, true, "CoA-NAK 402 Missing-Attribute"},
		403: {coa.Refused, true, "CoA-NAK 403 NAS-Identification-Mismatch"},
		404: {coa.Refused, true, "CoA-NAK 404 Invalid-Request"},
		405: {coa.Refused, true, "CoA-NAK 405 Unsupported-Service"},
		406: {coa.Refused, true, "CoA-NAK 406 Unsupported-Extension"},
		407: {coa.Refused, true, "CoA-NAK 407 Invalid-Attribute-Value"},
		501: {coa.Refused, true, "CoA-NAK 501 Administratively-Prohibited"},
		502: {coa.Refused, true, "CoA-NAK 502 Proxy-Request-Not-Routable"},
		503: {coa.Gone, false, "CoA-NAK 503 Session-Context-Not-Found"},
		504: {coa.Refused, false, "CoA-NAK 504 Session-Context-Not-Removable"},
		505: {coa.Later, false, "CoA-NAK 505 Proxy-Processing-Error"},
		506: {coa.Later, false, "CoA-NAK 506 Resources-Unavailable"},
		507: {coa.Reauthorizing, false, "CoA-NAK 507 Request-Initiated"},
		508: {coa.Refused, false, "CoA-NAK 508 Multiple-Session-Selection-Unsupported"},
		510: {coa.Refused, true, "CoA-NAK 510 Missing-Message-Authenticator"},
		999: {coa.Refused, false, "CoA-NAK 999"},
	} {
		p := newPair(t, func(r *radiustest.Request) [][]byte { return [][]byte{r.NAK(cause)} })
		got := p.ask(change(t))
		if got.Outcome != want.outcome || got.General() != want.general || got.String() != want.text || got.Tries != 1 {
			t.Errorf("cause %d: %+v, %q, general %v", cause, got, got.String(), got.General())
		}
		p.clock.Advance(time.Hour)
		if n := len(p.router.Seen()); n != 1 || p.clock.Waiting() != 0 {
			t.Errorf("cause %d: sent %d times, %d timers", cause, n, p.clock.Waiting())
		}
	}
}

func TestCase40SilenceEndsAfterFiveSendsOfTheSameOctets(t *testing.T) {
	t.Parallel()
	p := newPair(t, func(*radiustest.Request) [][]byte { return nil })
	p.nas.EventTimestamp = true
	replies := p.send(change(t))
	for i, after := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 14 * time.Second} {
		p.seen(i + 1)
		p.clock.Advance(after - time.Millisecond)
		if n := len(p.router.Seen()); n != i+1 {
			t.Fatalf("%d sends before %s have passed", n, after)
		}
		p.clock.Advance(time.Millisecond)
	}
	all := p.seen(5)
	select {
	case r := <-replies:
		t.Fatalf("ended too early: %v", r)
	default:
	}
	p.clock.Advance(2 * time.Second)
	if got := p.await(replies); got.Outcome != coa.Later || got.Tries != 5 || got.String() != "no answer to 5 requests within 30s" {
		t.Errorf("got %+v, %q", got, got.String())
	}
	p.clock.Advance(time.Hour)
	for _, r := range all {
		if !bytes.Equal(r.Raw, all[0].Raw) || r.From != all[0].From {
			t.Errorf("a retransmission differs:\n%x from %s\n%x from %s", r.Raw, r.From, all[0].Raw, all[0].From)
		}
	}
	if n := len(p.router.Seen()); n != 5 {
		t.Errorf("%d sends", n)
	}
}

func TestCase41RepliesThatProveNothing(t *testing.T) {
	t.Parallel()
	bad := []byte("another secret")
	for name, forge := range map[string]struct {
		reply  func(*radiustest.Request) []byte
		reason string
	}{
		"authenticator": {func(r *radiustest.Request) []byte {
			octets := r.ACK()
			radiustest.Sign(octets, r.Authenticator[:], bad)
			return octets
		}, "bad-authenticator"},
		"message authenticator": {func(r *radiustest.Request) []byte {
			p := &radiustest.Packet{Code: radiustest.CoAACK, ID: r.ID, Attributes: []radiustest.Attribute{radiustest.MA()}}
			octets := p.Encode()
			radiustest.SignMA(octets, r.Authenticator[:], bad)
			radiustest.Sign(octets, r.Authenticator[:], r.Secret)
			return octets
		}, "bad-message-authenticator"},
		"identifier": {func(r *radiustest.Request) []byte {
			return r.Sign(&radiustest.Packet{Code: radiustest.CoAACK, ID: r.ID + 1})
		}, "unmatched"},
		"code": {func(r *radiustest.Request) []byte {
			return r.Sign(&radiustest.Packet{Code: radiustest.DisconnectACK, ID: r.ID})
		}, "code"},
		"framing": {func(*radiustest.Request) []byte { return []byte{radiustest.CoAACK} }, "malformed"},
	} {
		p := newPair(t, func(r *radiustest.Request) [][]byte { return [][]byte{forge.reply(r), r.NAK(503), r.ACK()} })
		if got := p.ask(change(t)); got.Outcome != coa.Gone {
			t.Errorf("%s: the right reply that came after it was not taken: %v", name, got)
		}
		if n := p.client.Dropped()[forge.reason]; n < 1 {
			t.Errorf("%s: counted %v", name, p.client.Dropped())
		}
	}
}

func TestCase41MessageAuthenticatorIsVerifiedNotDemanded(t *testing.T) {
	t.Parallel()
	p := newPair(t, func(r *radiustest.Request) [][]byte {
		return [][]byte{r.Sign(&radiustest.Packet{Code: radiustest.CoAACK, ID: r.ID, Attributes: []radiustest.Attribute{radiustest.MA()}})}
	})
	if got := p.ask(change(t)); got.Outcome != coa.Done {
		t.Errorf("with a right one: %v", got)
	}
}

func TestCase43DisconnectSaysOnlyWhichSession(t *testing.T) {
	t.Parallel()
	lines := radiustest.NewLines("op25b", "0000001A")
	p := newPair(t, lines.Answer)
	request := change(t)
	request.Kind = coa.Disconnect
	if err := p.client.Send(p.nas, request, nil); err == nil || len(p.router.Seen()) > 0 {
		t.Errorf("a Disconnect-Request with Filter-Id was sent: %v", err)
	}
	request.Attributes = nil
	if got := p.ask(request); got.Outcome != coa.Done || got.String() != "Disconnect-ACK" {
		t.Errorf("got %v", got)
	}
	if got := p.seen(1)[0].Raw; got[0] != 40 || !bytes.Equal(got[20:], request.Identification) {
		t.Errorf("sent %x", got)
	}
	if got := p.ask(request); got.Outcome != coa.Gone || got.String() != "Disconnect-NAK 503 Session-Context-Not-Found" {
		t.Errorf("the second time: %v", got)
	}
}

func TestRefusedPortConcernsThatRouterOnly(t *testing.T) {
	t.Parallel()
	p := newPair(t, func(*radiustest.Request) [][]byte { return nil })
	held := p.send(change(t))
	p.seen(1)
	deaf, err := radiustest.NewRouter(secret, nil)
	must(t, err)
	deaf.Close()
	nobody := *p.nas
	nobody.Name, nobody.Address = "bras2", deaf.Addr
	replies := make(chan coa.Reply, 1)
	must(t, p.client.Send(&nobody, change(t), func(r coa.Reply) { replies <- r }))
	if got := p.await(replies); got.Outcome != coa.Unreachable || got.String() != deaf.Addr.String()+": connection refused" {
		t.Errorf("got %+v", got)
	}
	select {
	case r := <-held:
		t.Errorf("the other router's exchange ended as well: %v", r)
	default:
	}
}

func TestMoreThan256UnderWayTakeAnotherSocket(t *testing.T) {
	t.Parallel()
	p := newPair(t, func(*radiustest.Request) [][]byte { return nil })
	for range 300 {
		p.send(change(t))
	}
	from := map[netip.AddrPort]map[byte]bool{}
	for _, r := range p.seen(300) {
		if from[r.From] == nil {
			from[r.From] = map[byte]bool{}
		}
		if from[r.From][r.ID] {
			t.Fatalf("identifier %d of %s is used twice", r.ID, r.From)
		}
		from[r.From][r.ID] = true
	}
	if len(from) != 2 {
		t.Errorf("%d sockets", len(from))
	}
}

func TestSocketsAreBounded(t *testing.T) {
	t.Parallel()
	p := newPair(t, func(*radiustest.Request) [][]byte { return nil })
	p.client = coa.NewClient(coa.ClientOptions{Clock: p.clock, MaxSockets: 1})
	t.Cleanup(p.client.Close)
	for range 256 {
		p.send(change(t))
	}
	if err := p.client.Send(p.nas, change(t), nil); err != coa.ErrBusy {
		t.Errorf("got %v", err)
	}
	p.client.Close()
	if err := p.client.Send(p.nas, change(t), nil); err != coa.ErrClosed || p.clock.Waiting() != 0 {
		t.Errorf("after Close: %v, %d timers", err, p.clock.Waiting())
	}
}

func TestTooLongARequestIsNotSent(t *testing.T) {
	t.Parallel()
	p := newPair(t, func(*radiustest.Request) [][]byte { return nil })
	r := change(t)
	r.Attributes = bytes.Repeat(append([]byte{11, 255}, make([]byte, 253)...), 16)
	if err := p.client.Send(p.nas, r, nil); err != coa.ErrTooBig {
		t.Errorf("got %v", err)
	}
}
