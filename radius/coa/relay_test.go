package coa

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/radiustest"
	"sekisho/radius/session"
	"sekisho/store"
)

// Now and the others make the table of the simulation the relay's.
func (t *table) Now(netip.Addr) []store.Stretch { return nil }

const (
	nasSecret = "kyoto-bras-1"
	aaaSecret = "tokyo-aaa-secret"
)

// crossing is a relay between an AAA server and a router.
type crossing struct {
	testing.TB
	relay  *Relay
	router *radiustest.Router
	aaa    *radiustest.NAS // the fake that sends requests
	table  *table
	book   *book
	clock  *radiustest.Clock
	held   atomic.Value // string: that the session is kept at
	passed atomic.Value // Place: of the request that the keeper was told of last
	early  atomic.Bool  // not all sessions are known
	action atomic.Value // string: that the policy wants for everybody
}

func (c *crossing) Decide(*session.Session, time.Time) (engine.Decision, error) {
	return engine.Decision{Action: c.action.Load().(string)}, nil
}

// Held is the keeper.
func (c *crossing) Held(*session.Session) string { return c.held.Load().(string) }

// pace is the keeper, too.
func (c *crossing) pace(at Place) {
	c.passed.Store(at)
}

func newCrossing(t testing.TB, answer func(*radiustest.Request) [][]byte, change ...func(*Router)) *crossing {
	t.Helper()
	c := &crossing{TB: t, book: newBook(), clock: radiustest.NewClock(time.Unix(1e9, 0)), table: &table{all: map[session.ID]*session.Session{}, ended: map[session.ID]string{}}}
	c.action.Store("block")
	c.held.Store("")
	router, err := radiustest.NewRouter(nasSecret, answer)
	must(t, err)
	t.Cleanup(router.Close)
	c.router = router
	r := Router{
		Name: "bras1", Address: netip.MustParseAddr("192.0.2.1"), Profile: simProfile(t, dict.CoASpec{}), Dictionary: dict.Standard(),
		CoA: &NAS{Name: "bras1", Address: router.Addr, Secret: radius.NewSecret([]byte(nasSecret))},
	}
	for _, f := range change {
		f(&r)
	}
	id := session.ID{NAS: "bras1", AcctSession: "0000001A"}
	c.table.all[id] = &session.Session{ID: id, Account: "u1", UserName: "u1@isp.example", Applied: "block"}
	client := NewClient(ClientOptions{Clock: c.clock})
	t.Cleanup(client.Close)
	c.relay, err = StartRelay(RelayConfig{
		Listen:  []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Clients: []RelayClient{{Name: "tokyo-1", Address: netip.MustParseAddr("127.0.0.1"), Secret: radius.NewSecret([]byte(aaaSecret))}},
	}, []Router{r}, RelayOptions{
		Client: client, Sessions: c.table, Decider: c, Held: c, Passed: c.pace, Journal: c.book, Timers: c.clock, Ready: func() bool { return !c.early.Load() },
		Account: func(name string) string { account, _, _ := strings.Cut(name, "@"); return account },
	})
	must(t, err)
	t.Cleanup(c.relay.Close)
	c.aaa, err = radiustest.NewNAS(c.relay.Addresses()[0], aaaSecret)
	must(t, err)
	t.Cleanup(c.aaa.Close)
	return c
}

// Attributes of the tests in hexadecimal.
const (
	nasIP     = "0406c0000201"
	acct      = "2c0a3030303030303141"
	userName  = "01107531406973702e6578616d706c65"
	theirs    = "0b046f6e" // Filter-Id "on"
	ours      = "0b076f70323562"
	timeout   = "1b0600000e10" // Session-Timeout
	theirMark = "210401022104ff00"
)

// request makes a signed request of the AAA server.
func (c *crossing) request(code byte, attributes string) []byte {
	c.Helper()
	raw, err := hex.DecodeString(attributes)
	must(c, err)
	octets := append([]byte{code, 7, 0, byte(20 + len(raw))}, make([]byte, 16)...)
	octets = append(octets, raw...)
	radiustest.SignMA(octets, make([]byte, 16), []byte(aaaSecret))
	radiustest.Sign(octets, make([]byte, 16), []byte(aaaSecret))
	return octets
}

// pass sends a request and returns what the router got, without our
// Proxy-State, and the attributes of the answer.
func (c *crossing) pass(code byte, attributes string) (atRouter string, answer string) {
	c.Helper()
	request := c.request(code, attributes)
	got, err := c.aaa.Exchange(request, 10*time.Second)
	must(c, err)
	seen := c.router.Seen()
	if len(seen) == 0 {
		return "", hex.EncodeToString(append([]byte{got.Code}, encode(got.Attributes)...))
	}
	last := seen[len(seen)-1]
	at := len(last.Raw) - 10
	if !bytes.Equal(last.Raw[at:at+2], []byte{33, 10}) || bytes.Equal(last.Raw[4:20], request[4:20]) {
		c.Errorf("the router got %x", last.Raw)
	}
	return hex.EncodeToString(append([]byte{last.Code}, last.Raw[20:at]...)), hex.EncodeToString(append([]byte{got.Code}, encode(got.Attributes)...))
}

func encode(attributes []radiustest.Attribute) []byte {
	return (&radiustest.Packet{Attributes: attributes}).Encode()[20:]
}

func acks(r *radiustest.Request) [][]byte { return [][]byte{r.ACK()} }

func TestRelayReplacesWhatThePolicyDecides(t *testing.T) {
	t.Parallel()
	c := newCrossing(t, acks)
	c.action.Store("limit")
	got, answer := c.pass(43, nasIP+acct+theirs+timeout+theirMark)
	limit := "0b0d" + hex.EncodeToString([]byte("op25b-limit"))
	if want := "2b" + nasIP + acct + timeout + theirMark + limit; got != want {
		t.Errorf("the router got\n %s, want\n %s", got, want)
	}
	if answer != "2c"+theirMark {
		t.Errorf("the AAA server got %s", answer)
	}
	if l, _ := c.table.Get(session.ID{NAS: "bras1", AcctSession: "0000001A"}); l.Applied != "limit" || l.Proof != session.Acknowledged {
		t.Errorf("the session is %+v", l)
	}
	if at := c.passed.Load(); at != (Place{NAS: "bras1"}) {
		t.Errorf("the keeper is told of a request to %v", at)
	}
	if s := c.relay.Stats(); s.Replaced["bras1"] != 1 || s.Relayed["bras1"]["done"] != 1 {
		t.Errorf("counted %+v", s)
	}
}

// TestRelayKeepsWhatIsHeld has a session kept open, as by a campaign that was
// undone, while the policy says block.
func TestRelayKeepsWhatIsHeld(t *testing.T) {
	t.Parallel()
	c := newCrossing(t, acks)
	c.held.Store("open")
	open := "0b0b" + hex.EncodeToString([]byte("op25b-off"))
	if got, _ := c.pass(43, nasIP+acct+theirs+timeout); got != "2b"+nasIP+acct+timeout+open {
		t.Errorf("the router got\n %s", got)
	}
	if l, _ := c.table.Get(session.ID{NAS: "bras1", AcctSession: "0000001A"}); l.Applied != "open" || l.Words != `Filter-Id = "op25b-off"` {
		t.Errorf("the session is %+v", l)
	}
}

func TestRelayPassesTheRestUnchanged(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		code             byte
		attributes, want string
	}{
		"CoA without a filter": {43, nasIP + userName + timeout, "2b" + nasIP + userName + timeout},
		"Disconnect":           {40, nasIP + acct + theirs, "28" + nasIP + acct + theirs},
		"by session alone":     {40, acct + userName, "28" + acct + userName},
		"session not known":    {43, nasIP + "2c043030" + timeout, "2b" + nasIP + "2c043030" + timeout},
	} {
		c := newCrossing(t, acks)
		if got, answer := c.pass(test.code, test.attributes); got != test.want || answer[:2] != hex.EncodeToString([]byte{test.code + 1}) {
			t.Errorf("%s: the router got\n %s, want\n %s; answer %s", name, got, test.want, answer)
		}
	}
}

func TestRelayRefusesForTheRouter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		code       byte
		attributes string
		cause      string
	}{
		"another NAS":                   {43, "0406c00002fe" + acct, "00000193"},       // 403
		"NAS unlike its identifier":     {43, nasIP + "2006" + "6f746872", "00000193"}, // 403
		"nowhere to go":                 {40, "2c043030", "000001f6"},                  // 502
		"filter for an unknown session": {43, nasIP + "2c043030" + theirs, "000001f7"}, // 503
		"somebody else's session":       {43, nasIP + acct + "01047532" + theirs, "000001f7"},
	} {
		c := newCrossing(t, acks)
		got, answer := c.pass(test.code, test.attributes+theirMark)
		want := hex.EncodeToString([]byte{test.code + 2}) + "6506" + test.cause + theirMark
		if got != "" || answer != want {
			t.Errorf("%s: the router got %q; the AAA server %s, want %s", name, got, answer, want)
		}
	}
}

func TestRelayRetransmissions(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	c := newCrossing(t, func(r *radiustest.Request) [][]byte { <-hold; return acks(r) })
	request := c.request(43, nasIP+acct+timeout)
	must(t, c.aaa.Send(request))
	waitFor(t, func() bool { return len(c.router.Seen()) == 1 })
	c.clock.Advance(20 * time.Second) // nothing goes out by itself
	must(t, c.aaa.Send(request))
	waitFor(t, func() bool { return c.relay.Stats().Dropped["duplicate"] == 1 })
	close(hold)
	first, err := c.aaa.Receive(10 * time.Second)
	must(t, err)
	must(t, c.aaa.Send(request))
	again, err := c.aaa.Receive(10 * time.Second)
	must(t, err)
	if !bytes.Equal(first, again) {
		t.Errorf("answers differ:\n%x\n%x", first, again)
	}
	waitFor(t, func() bool { return len(c.router.Seen()) >= 2 }) // the repetition may overtake the first answer
	seen := c.router.Seen()
	if len(seen) != 2 || !bytes.Equal(seen[0].Raw, seen[1].Raw) {
		t.Errorf("the router got %d requests", len(seen))
	}
}

func TestRelayDropsWhatIsNotAuthentic(t *testing.T) {
	t.Parallel()
	c := newCrossing(t, acks)
	forged := c.request(43, nasIP+acct)
	forged[19]++
	badMA := c.request(43, "5012"+strings.Repeat("00", 16)+nasIP+acct)
	badMA[30]++
	radiustest.Sign(badMA, make([]byte, 16), []byte(aaaSecret))
	for reason, octets := range map[string][]byte{
		"bad-authenticator": forged, "bad-message-authenticator": badMA,
		"code": c.request(1, nasIP), "malformed": {43, 1, 0},
	} {
		must(t, c.aaa.Send(octets))
		waitFor(t, func() bool { return c.relay.Stats().Dropped[reason] == 1 })
	}
	c.relay.Configure(RelayConfig{}, nil)
	must(t, c.aaa.Send(c.request(43, nasIP+acct)))
	waitFor(t, func() bool { return c.relay.Stats().Dropped["unknown-aaa"] == 1 })
	if n := len(c.router.Seen()); n != 0 {
		t.Errorf("the router got %d requests", n)
	}
}

// TestRelayDropsWhatSomebodyMayHaveRecorded holds RFC 5176 section 6.3: five
// minutes either way, where a request says when it was made.
func TestRelayDropsWhatSomebodyMayHaveRecorded(t *testing.T) {
	t.Parallel()
	c := newCrossing(t, acks)
	for _, at := range []int64{1e9 - 301, 1e9 + 301} {
		must(t, c.aaa.Send(c.request(40, nasIP+acct+fmt.Sprintf("3706%08x", at))))
	}
	waitFor(t, func() bool { return c.relay.Stats().Dropped["stale"] == 2 })
	for _, at := range []int64{1e9 - 300, 1e9 + 300} {
		when := fmt.Sprintf("3706%08x", at)
		if got, answer := c.pass(40, nasIP+acct+when); got != "28"+nasIP+acct+when || answer != "29" {
			t.Errorf("the router got %s, the AAA server %s", got, answer)
		}
	}
	if n := len(c.router.Seen()); n != 2 {
		t.Errorf("the router got %d requests", n)
	}
}

func TestRelaySignsTheAnswerAsItWasAsked(t *testing.T) {
	t.Parallel()
	c := newCrossing(t, func(r *radiustest.Request) [][]byte { return [][]byte{r.NAK(503)} })
	_, answer := c.pass(43, "5012"+strings.Repeat("00", 16)+nasIP+acct+timeout)
	if !strings.HasPrefix(answer, "2d5012") || !strings.HasSuffix(answer, "6506000001f7") { // Exchange has verified it
		t.Errorf("answer %s", answer)
	}
}

func TestRelayToARouterThatForgetsItsFilter(t *testing.T) {
	t.Parallel()
	c := newCrossing(t, acks, func(r *Router) { r.Profile = simProfile(t, dict.CoASpec{Complete: true}) })
	if got, _ := c.pass(43, nasIP+acct+timeout); got != "2b"+nasIP+acct+timeout+ours {
		t.Errorf("the router got %s", got)
	}
}

func waitFor(t testing.TB, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}

// TestRelayedRequestWithoutAnAnswer may have arrived: nobody knows then what
// the router does. It is on disk that it was on its way.
func TestRelayedRequestWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	id := session.ID{NAS: "bras1", AcctSession: "0000001A"}
	for action, applied := range map[string]string{"block": "block", "limit": ""} {
		c := newCrossing(t, func(*radiustest.Request) [][]byte { return nil })
		c.action.Store(action)
		must(t, c.aaa.Send(c.request(43, nasIP+acct+theirs)))
		waitFor(t, func() bool { return len(c.router.Seen()) == 1 })
		if !c.book.stands(id) {
			t.Errorf("%s: the router was told before that was on disk", action)
		}
		c.clock.Advance(patience)
		waitFor(t, func() bool { return !c.book.stands(id) })
		if l, _ := c.table.Get(id); l.Applied != applied {
			t.Errorf("%s: the session is %+v", action, l)
		}
	}
}

// TestRelayAnswersNothingBeforeTheSessionsAreKnown since a refusal would say
// that there is no such session.
func TestRelayAnswersNothingBeforeTheSessionsAreKnown(t *testing.T) {
	t.Parallel()
	c := newCrossing(t, acks)
	c.early.Store(true)
	request := c.request(43, nasIP+acct+timeout)
	must(t, c.aaa.Send(request))
	waitFor(t, func() bool { return c.relay.Stats().Dropped["not-ready"] == 1 })
	c.early.Store(false)
	got, err := c.aaa.Exchange(request, 10*time.Second)
	if must(t, err); got.Code != radiustest.CoAACK {
		t.Errorf("the AAA server got code %d", got.Code)
	}
}
