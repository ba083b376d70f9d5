package radius_test

import (
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/radius"
	"sekisho/radius/radiustest"
)

// server is an AAA server of a pool, whose answers a test can stop.
type server struct {
	*radiustest.AAA
	mute atomic.Bool
}

// pool is a site whose realm has several servers, asked in their order.
type pool struct {
	*site
	servers []*server
}

func startPool(t *testing.T, count int, change func(*radius.AAA)) *pool {
	t.Helper()
	p := &pool{}
	realm := &radius.Pool{Name: "tokyo"}
	for i := range count {
		one := &server{}
		var err error
		one.AAA, err = radiustest.NewAAA(aaaSecret, func(r *radiustest.Request) [][]byte {
			switch {
			case one.mute.Load():
				return nil
			case r.Code == radiustest.StatusServer:
				return [][]byte{r.Sign(&radiustest.Packet{Code: radiustest.AccessAccept, ID: r.ID, Attributes: []radiustest.Attribute{radiustest.MA()}})}
			}
			return accept()(r)
		})
		must(t, err)
		t.Cleanup(one.Close)
		entry := &radius.AAA{Name: string(rune('a' + i)), Auth: one.Addr, Acct: one.Addr, Secret: radius.NewSecret([]byte(aaaSecret))}
		if change != nil {
			change(entry)
		}
		realm.Servers = append(realm.Servers, entry)
		p.servers = append(p.servers, one)
	}
	p.site = start(t, func(s *setup) { s.config.Realms = map[string]*radius.Pool{"*": realm} })
	return p
}

// states are those of the servers, in their order.
func (p *pool) states() string {
	stats := p.proxy.Stats()
	var all []string
	for i := range p.servers {
		all = append(all, stats.AAA[string(rune('a'+i))].Ports[0].State)
	}
	return strings.Join(all, " ")
}

// requests counts what a server got, Status-Servers apart.
func (s *server) requests() (requests, statuses int) {
	for _, r := range s.Seen() {
		if r.Code == radiustest.StatusServer {
			statuses++
		} else {
			requests++
		}
	}
	return requests, statuses
}

func (p *pool) expect(what, states string, requests ...int) {
	p.Helper()
	if got := p.states(); got != states {
		p.Errorf("%s: the servers are %s, want %s", what, got, states)
	}
	for i, want := range requests {
		p.until(what, func() bool { n, _ := p.servers[i].requests(); return n >= want })
		if got, _ := p.servers[i].requests(); got != want {
			p.Errorf("%s: server %d got %d requests, want %d", what, i, got, want)
		}
	}
}

func (p *pool) pass(d time.Duration) {
	p.timer.advance(d)
	p.proxy.Sweep()
}

func TestRetransmissionGoesToTheNextServerWhenTheFirstKeepsSilent(t *testing.T) {
	t.Parallel()
	p := startPool(t, 2, nil)
	p.servers[0].mute.Store(true)
	request := access(t, 1, user)
	must(t, p.nas.Send(request))
	p.expect("at first", "alive alive", 1, 0)
	p.timer.advance(900 * time.Millisecond)
	must(t, p.nas.Send(request))
	p.until("the retransmission is counted", func() bool { return p.proxy.Stats().NAS["bras1"].Dropped["duplicate"] == 1 })
	p.expect("less than a second later", "alive alive", 1, 0)
	p.timer.advance(100 * time.Millisecond)
	match(t, "answer", attributesOf(p.exchange(p.nas, request)), accepted)
	p.expect("a second later", "alive alive", 1, 1)
	first, second := p.servers[0].Seen()[0], p.servers[1].Seen()[0]
	if first.Authenticator == second.Authenticator {
		t.Error("both servers got the same Request Authenticator")
	}
}

func TestRetransmissionLeavesAServerKnownToBeSilentAtOnce(t *testing.T) {
	t.Parallel()
	p := startPool(t, 2, func(a *radius.AAA) { a.ResponseWindow = 200 * time.Millisecond })
	p.servers[0].mute.Store(true)
	request := access(t, 1, user)
	must(t, p.nas.Send(request))
	p.expect("at first", "alive alive", 1, 0)
	p.pass(300 * time.Millisecond)
	p.expect("after the window", "zombie alive", 1, 0)
	match(t, "answer", attributesOf(p.exchange(p.nas, request)), accepted)
	p.expect("after the retransmission", "zombie alive", 1, 1)
}

func TestLateAnswerOfTheFirstServerCounts(t *testing.T) {
	t.Parallel()
	p := startPool(t, 2, nil)
	p.servers[0].mute.Store(true)
	p.servers[1].mute.Store(true)
	request := access(t, 1, user)
	must(t, p.nas.Send(request))
	p.expect("at first", "alive alive", 1, 0)
	p.timer.advance(time.Second)
	must(t, p.nas.Send(request))
	p.expect("after the retransmission", "alive alive", 1, 1)
	first, second := p.servers[0].Seen()[0], p.servers[1].Seen()[0]
	must(t, p.servers[0].Send(first.Reply(radiustest.AccessAccept), first.From))
	match(t, "answer", attributesOf(p.answer(p.nas, request)), accepted)
	must(t, p.servers[1].Send(second.Reply(radiustest.AccessReject), second.From))
	p.until("the other's answer is late", func() bool { return p.proxy.Stats().AAA["b"].Dropped["late"] == 1 })
	p.quiet(p.nas)
}

func TestIdentifiersOfEarlierAttemptsAreGivenBack(t *testing.T) {
	t.Parallel()
	p := startPool(t, 2, nil)
	p.servers[0].mute.Store(true)
	p.servers[1].mute.Store(true)
	request := access(t, 1, user)
	must(t, p.nas.Send(request))
	for i := range 3 { // back and forth
		p.until("it is sent", func() bool { a, b := p.outstanding(); return a+b == i+1 })
		p.timer.advance(time.Second)
		must(t, p.nas.Send(request))
	}
	p.expect("at last", "alive alive", 2, 2)
	asked := p.servers[1].Seen()[1]
	must(t, p.servers[1].Send(asked.Reply(radiustest.AccessAccept), asked.From))
	match(t, "answer", attributesOf(p.answer(p.nas, request)), accepted)
	p.until("all identifiers are free", func() bool { a, b := p.outstanding(); return a+b == 0 })
	late := p.servers[0].Seen()[0]
	must(t, p.servers[0].Send(late.Reply(radiustest.AccessReject), late.From))
	p.until("the other's answer is late", func() bool { return p.proxy.Stats().AAA["a"].Dropped["late"] == 1 })
	p.pass(radius.DefaultResponseWindow)
	p.expect("after the window: both have answered", "alive alive", 2, 2)
}

// outstanding are the identifiers in use towards two servers.
func (p *pool) outstanding() (a, b int) {
	stats := p.proxy.Stats().AAA
	return stats["a"].Outstanding, stats["b"].Outstanding
}

func TestServerThatAnswersOthersKeepsItsRequest(t *testing.T) {
	t.Parallel()
	p := startPool(t, 2, nil)
	request := access(t, 1, "01 07 'a@b.c'")
	p.servers[0].mute.Store(true)
	must(t, p.nas.Send(request))
	p.expect("at first", "alive alive", 1, 0)
	p.servers[0].mute.Store(false)
	p.timer.advance(time.Second)
	p.exchange(p.nas, access(t, 2, user))
	p.servers[0].mute.Store(true)
	must(t, p.nas.Send(request))
	p.expect("it has answered another", "alive alive", 3, 0)
}

func TestServerThatLeavesOnlyRetransmissionsUnansweredIsNoticed(t *testing.T) {
	t.Parallel()
	p := startPool(t, 2, nil)
	p.servers[0].mute.Store(true)
	answered, left := access(t, 1, user), access(t, 2, user)
	must(t, p.nas.Send(answered))
	must(t, p.nas.Send(left))
	p.expect("at first", "alive alive", 2, 0)
	p.timer.advance(time.Second)
	first := p.servers[0].Seen()[0]
	must(t, p.servers[0].Send(first.Reply(radiustest.AccessAccept), first.From)) // its last word
	p.answer(p.nas, answered)
	must(t, p.nas.Send(left))
	p.expect("after the retransmission", "alive alive", 3, 0)
	p.pass(radius.DefaultResponseWindow + 1)
	p.expect("after the window", "zombie alive", 3, 0)
	match(t, "answer", attributesOf(p.exchange(p.nas, left)), accepted)
}

func TestSilentServerBecomesZombieThenDeadAndComesBack(t *testing.T) {
	t.Parallel()
	p := startPool(t, 2, nil)
	p.servers[0].mute.Store(true)
	must(t, p.nas.Send(access(t, 1, user)))
	p.expect("at first", "alive alive", 1, 0)
	p.pass(radius.DefaultResponseWindow)
	p.expect("at the end of the window", "alive alive", 1, 0)
	p.pass(time.Millisecond)
	p.expect("after the window", "zombie alive", 1, 0)
	p.exchange(p.nas, access(t, 2, user))
	p.expect("a new request", "zombie alive", 1, 1)
	p.pass(radius.DefaultZombiePeriod + time.Millisecond)
	p.expect("after the zombie period", "dead alive", 1, 1)
	p.until("two Status-Servers came, unanswered", func() bool { _, n := p.servers[0].requests(); return n == 2 })
	p.servers[0].mute.Store(false)
	_, before := p.servers[0].requests()
	for i := range radius.DefaultAnswersToAlive {
		p.expect("before enough answers", []string{"dead alive", "zombie alive", "zombie alive"}[i])
		p.pass(radius.DefaultCheckInterval)
		p.until("a Status-Server is answered", func() bool { return p.proxy.Stats().AAA["a"].Received[2] == uint64(i+1) })
		if _, now := p.servers[0].requests(); now != before+i+1 {
			t.Errorf("%d Status-Servers after %d intervals, want %d", now-before, i+1, i+1)
		}
	}
	p.expect("after three answers", "alive alive", 1, 1)
	p.exchange(p.nas, access(t, 3, user))
	p.expect("a request of its own again", "alive alive", 2, 1)
}

func TestMissedStatusServerBeginsTheCountAnew(t *testing.T) {
	t.Parallel()
	p := startPool(t, 1, nil)
	p.servers[0].mute.Store(true)
	must(t, p.nas.Send(access(t, 1, user)))
	p.expect("at first", "alive", 1)
	p.pass(radius.DefaultResponseWindow + time.Millisecond)
	p.until("the first Status-Server comes, unanswered", func() bool { _, n := p.servers[0].requests(); return n == 1 })
	asked, answers := 1, uint64(0)
	probe := func(answered bool) {
		p.servers[0].mute.Store(!answered)
		p.pass(radius.DefaultCheckInterval)
		asked++
		p.until("a Status-Server comes", func() bool { _, n := p.servers[0].requests(); return n == asked })
		if answered {
			answers++
			p.until("its answer comes", func() bool { return p.proxy.Stats().AAA["a"].Received[2] == answers })
		}
	}
	probe(true)
	probe(true)
	probe(false)
	probe(true)
	probe(true)
	if p.states() == "alive" {
		t.Error("answers that were not in a row made it alive")
	}
	probe(true)
	p.expect("three in a row", "alive")
}

func TestAnyAnswerOfAZombieMakesItAlive(t *testing.T) {
	t.Parallel()
	p := startPool(t, 1, nil)
	p.servers[0].mute.Store(true)
	must(t, p.nas.Send(access(t, 1, user)))
	p.expect("at first", "alive", 1)
	p.pass(radius.DefaultResponseWindow + time.Millisecond)
	p.expect("after the window", "zombie", 1)
	p.servers[0].mute.Store(false)
	p.exchange(p.nas, access(t, 2, user)) // there is no other: the zombie is asked
	p.expect("after its answer", "alive", 2)
}

func TestNothingIsSentWhenAllAreDead(t *testing.T) {
	t.Parallel()
	p := startPool(t, 1, func(a *radius.AAA) { a.NoStatusCheck = true })
	p.servers[0].mute.Store(true)
	must(t, p.nas.Send(access(t, 1, user)))
	p.expect("at first", "alive", 1)
	p.pass(radius.DefaultResponseWindow + time.Millisecond)
	p.pass(radius.DefaultZombiePeriod + time.Millisecond)
	p.expect("all this time", "dead", 1)
	p.dropped("servers-dead", p.nas, access(t, 2, user))
	p.expect("nothing more was sent", "dead", 1)
	p.servers[0].mute.Store(false)
	p.pass(radius.DefaultReviveInterval + time.Millisecond)
	p.expect("after the revive interval", "zombie", 1)
	p.exchange(p.nas, access(t, 3, user))
	p.expect("after its answer", "alive", 2)
}

func TestConversationStaysWithTheServerThatIssuedItsState(t *testing.T) {
	t.Parallel()
	p := startPool(t, 2, nil)
	p.servers[0].mute.Store(true)
	p.servers[1].mute.Store(true)
	request := access(t, 1, user)
	must(t, p.nas.Send(request))
	p.expect("at first", "alive alive", 1, 0)
	p.timer.advance(time.Second)
	must(t, p.nas.Send(request))
	p.expect("the second server is asked", "alive alive", 1, 1)
	asked := p.servers[1].Seen()[0]
	must(t, p.servers[1].Send(asked.Reply(radiustest.AccessChallenge, radiustest.Attr(radiustest.State, "round 1")), asked.From))
	p.answer(p.nas, request)
	p.servers[0].mute.Store(false)
	p.servers[1].mute.Store(false)
	p.exchange(p.nas, access(t, 2, user+"18 09 'round 1'"))
	p.expect("the next round", "alive alive", 1, 2)
	p.exchange(p.nas, access(t, 3, user+"18 09 'unknown'"))
	p.expect("a State that nobody is known to have issued", "alive alive", 2, 2)
}

func TestAutoRequiresWhatItHasSeen(t *testing.T) {
	t.Parallel()
	latches := &memory{}
	s := start(t, func(s *setup) { s.nas.RequireMA = radius.Auto; s.latches = latches })
	s.exchange(s.nas, access(t, 1, user))
	s.exchange(s.nas, access(t, 2, user+"50 12 *16"))
	s.dropped("missing-message-authenticator", s.nas, access(t, 3, user))
	s.until("it is kept", func() bool { ok, _ := latches.Latched("nas/bras1"); return ok })
}

func TestAutoIgnoresEAP(t *testing.T) {
	t.Parallel()
	s := start(t, func(s *setup) { s.nas.RequireMA = radius.Auto })
	s.exchange(s.nas, access(t, 1, user+"4f 07 0201000501 50 12 *16"))
	s.exchange(s.nas, access(t, 2, user))
}

func TestAutoOutlivesARestart(t *testing.T) {
	t.Parallel()
	latches := &memory{}
	must(t, latches.Latch("nas/bras1"))
	s := start(t, func(s *setup) { s.nas.RequireMA = radius.Auto; s.latches = latches })
	s.dropped("missing-message-authenticator", s.nas, access(t, 1, user))
	s.setup.nas.RequireMA = radius.No
	s.inside().Reload(s.config())
	s.exchange(s.nas, access(t, 2, user))
	if ok, _ := latches.Latched("nas/bras1"); ok {
		t.Error("`no` did not forget what auto had learned")
	}
}

func TestAutoOfAServerRequiresWhatItHasSeen(t *testing.T) {
	t.Parallel()
	unsigned := atomic.Bool{}
	s := start(t, answering(func(r *radiustest.Request) [][]byte {
		if unsigned.Load() {
			return [][]byte{r.Sign(&radiustest.Packet{Code: radiustest.AccessAccept, ID: r.ID})}
		}
		return [][]byte{r.Reply(radiustest.AccessAccept)}
	}), func(s *setup) { s.server.RequireMA = radius.Auto })
	unsigned.Store(true)
	s.exchange(s.nas, access(t, 1, user))
	unsigned.Store(false)
	s.exchange(s.nas, access(t, 2, user))
	unsigned.Store(true)
	must(t, s.nas.Send(access(t, 3, user)))
	s.until("the unsigned answer is dropped", func() bool {
		return s.proxy.Stats().AAA["tokyo-1"].Dropped["missing-message-authenticator"] == 1
	})
	s.quiet(s.nas)
}

// memory keeps latches until the test ends.
type memory struct{ kept sync.Map }

func (m *memory) Latched(name string) (bool, error) { _, ok := m.kept.Load(name); return ok, nil }
func (m *memory) Latch(name string) error           { m.kept.Store(name, true); return nil }
func (m *memory) Unlatch(name string) error         { m.kept.Delete(name); return nil }

func TestReusedIdentifiersDoNotHideASilentServer(t *testing.T) {
	t.Parallel()
	p := startPool(t, 2, nil)
	p.servers[0].mute.Store(true)
	for i := range byte(4) { // each takes the place of the one before
		must(t, p.nas.Send(signedAccess(t, 1, "*15 0"+string('1'+i), user)))
		p.expect("a new request under the old identifier", "alive alive", int(i)+1, 0)
		p.pass(radius.DefaultResponseWindow / 4)
	}
	p.pass(time.Millisecond)
	p.expect("after the window", "zombie alive", 4, 0)
	p.exchange(p.nas, access(t, 2, user))
	p.expect("the next request", "zombie alive", 4, 1)
}

func TestServerThatCannotBeSentToIsLeft(t *testing.T) {
	t.Parallel()
	first := true
	p := startPool(t, 2, func(a *radius.AAA) {
		if first {
			a.Source = netip.MustParseAddr("192.0.2.77") // no address of this machine
		}
		first = false
	})
	match(t, "answer", attributesOf(p.exchange(p.nas, access(t, 1, user))), accepted)
	p.expect("at the first request", "zombie alive", 0, 1)
}

func TestServersThatCannotBeSentToAreEachTriedOnce(t *testing.T) {
	t.Parallel()
	left := 2
	p := startPool(t, 3, func(a *radius.AAA) {
		if left--; left >= 0 {
			a.Source = netip.MustParseAddr("192.0.2.77") // no address of this machine
		}
	})
	match(t, "answer", attributesOf(p.exchange(p.nas, access(t, 1, user))), accepted)
	p.expect("at the first request", "zombie zombie alive", 0, 0, 1)
	for _, name := range []string{"a", "b"} {
		if n := p.proxy.Stats().AAA[name].Dropped["send"]; n != 1 {
			t.Errorf("%s was tried %d times", name, n)
		}
	}
}

func TestStateThatIsIssuedAgainIsKeptAsLong(t *testing.T) {
	t.Parallel()
	p := startPool(t, 2, nil)
	p.servers[0].mute.Store(true)
	p.servers[1].mute.Store(true)
	challenge := func(id byte, at int) {
		request := access(t, id, user)
		must(t, p.nas.Send(request))
		p.expect("the first is asked", "alive alive", at, at-1)
		p.timer.advance(time.Second)
		must(t, p.nas.Send(request))
		p.expect("the second is asked", "alive alive", at, at)
		asked := p.servers[1].Seen()[at-1]
		must(t, p.servers[1].Send(asked.Reply(radiustest.AccessChallenge, radiustest.Attr(radiustest.State, "again")), asked.From))
		p.answer(p.nas, request)
		late := p.servers[0].Seen()[at-1] // the first lives: it only took its time
		must(t, p.servers[0].Send(late.Reply(radiustest.AccessReject), late.From))
		p.until("the late answer comes", func() bool { return p.proxy.Stats().AAA["a"].Received[3] == uint64(at) })
	}
	challenge(1, 1)
	p.timer.advance(50 * time.Second)
	challenge(2, 2)
	p.pass(15 * time.Second)
	p.servers[1].mute.Store(false)
	p.exchange(p.nas, access(t, 3, user+"18 07 'again'"))
	if n, _ := p.servers[1].requests(); n != 3 {
		t.Errorf("the server that issued the State got %d requests, want 3", n)
	}
}

func TestNothingIsDecidedAboutAnAdministratorsLogin(t *testing.T) {
	t.Parallel()
	h := &hanging{asked: make(chan string, 100), release: make(chan struct{})}
	defer close(h.release)
	s := start(t, answering(accept(radiustest.Number(6, 6))), func(s *setup) {
		s.subscribers = h
		s.profile.Fail = "block"
	})
	match(t, "answer", attributesOf(s.exchange(s.nas, access(t, 1, user))), "50 12 *16 06 06 00000006")
	if len(h.asked) > 0 {
		t.Error("the store was asked")
	}
	s.injections(map[string]uint64{"admin-login": 1})
}
