package radius_test

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/radiustest"
)

func TestReloadTakesEffectForNewRequests(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent))
	request := access(t, 1, user)
	must(t, s.nas.Send(request))
	old := s.seen(1)[0]

	const newSecret = "another secret of the router"
	s.setup.nas.Secret = radius.NewSecret([]byte(newSecret))
	s.setup.policy.Rules[2].Then = "limit"
	s.inside().Reload(s.config())

	must(t, s.aaa.Send(old.Reply(radiustest.AccessAccept), old.From))
	match(t, "by the old secret and policy", attributesOf(s.answer(s.nas, request)), accepted)
	newer := s.router(netip.AddrPort{}, s.authAddr)
	newer.Secret = []byte(newSecret)
	request = newer.Request(radiustest.AccessRequest, radiustest.PAP("u1@atson.net", "himitsu")...)
	must(t, newer.Send(request))
	r := s.seen(2)[1]
	if !r.KnowsPassword("himitsu") {
		t.Error("the password was not read with the new secret")
	}
	must(t, s.aaa.Send(r.Reply(radiustest.AccessAccept), r.From))
	match(t, "by the new secret and policy", attributesOf(s.answer(newer, request)), "50 12 *16 0b 0d 'op25b-limit'")
}

func TestReloadKeepsTheSocketsOfServersThatStay(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.exchange(s.nas, access(t, 1, user))
	s.setup.server.ResponseWindow = time.Minute
	s.inside().Reload(s.config())
	s.exchange(s.nas, access(t, 2, user))
	if seen := s.seen(2); seen[0].From != seen[1].From || seen[1].ID != 1 {
		t.Errorf("from %s with identifier %d, want %s and the next", seen[1].From, seen[1].ID, seen[0].From)
	}
}

func TestReloadRetiresServersThatGo(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent))
	request := access(t, 1, user)
	must(t, s.nas.Send(request))
	old := s.seen(1)[0]
	other, err := radiustest.NewAAA(aaaSecret, accept())
	must(t, err)
	t.Cleanup(other.Close)
	s.setup.server.Auth, s.setup.server.Acct = other.Addr, other.Addr
	s.inside().Reload(s.config())
	s.exchange(s.nas, access(t, 2, user))
	if n := len(other.Seen()); n != 1 {
		t.Errorf("the new server saw %d requests", n)
	}
	s.proxy.Sweep() // closes nothing that waits
	must(t, s.aaa.Send(old.Reply(radiustest.AccessAccept), old.From))
	s.answer(s.nas, request)
	s.until("the retired socket is closed", func() bool {
		s.proxy.Sweep()
		free, err := radiustest.NewAAAAt(old.From, aaaSecret, silent) // its port can be had
		if err == nil {
			free.Close()
		}
		return err == nil
	})
}

func TestReloadToAnotherPool(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.setup.config.Realms = map[string]*radius.Pool{"atson.net": {Name: "empty"}}
	s.inside().Reload(s.config())
	s.dropped("no-server", s.nas, access(t, 1, user))
	s.dropped("no-realm", s.nas, access(t, 2, "01 09 'u@other'"), access(t, 3, "01 03 'u'"), access(t, 4, ""))
	s.dropped("no-server", s.acct, accounting(t, 1, user))
}

func TestRetransmissionTurnsToTheServersOfTheNewConfiguration(t *testing.T) {
	t.Parallel()
	p := startPool(t, 3, nil)
	servers := p.setup.config.Realms["*"].Servers
	p.reloadTo(servers[0], servers[1])
	p.servers[0].mute.Store(true)
	request := access(t, 1, user)
	must(t, p.nas.Send(request))
	p.until("it is sent", func() bool { n, _ := p.servers[0].requests(); return n == 1 })
	p.reloadTo(servers[2])
	p.pass(time.Second) // nothing waits for the second server: its sockets are closed
	match(t, "answer", attributesOf(p.exchange(p.nas, request)), accepted)
	if n, _ := p.servers[2].requests(); n != 1 {
		t.Errorf("the new server got %d requests", n)
	}
}

func TestRetransmissionStaysWithItsServerOverAReload(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent))
	request := access(t, 1, user)
	must(t, s.nas.Send(request))
	first := s.seen(1)[0]
	s.inside().Reload(s.config()) // the server is the same by its address, though another value
	s.timer.advance(time.Second)
	must(t, s.nas.Send(request))
	if again := s.seen(2)[1]; !bytes.Equal(again.Raw, first.Raw) {
		t.Errorf("the retransmission differs:\n got %x\nwant %x", again.Raw, first.Raw)
	}
}

// reloadTo makes these servers the whole pool.
func (p *pool) reloadTo(servers ...*radius.AAA) {
	p.Helper()
	p.setup.config.Realms = map[string]*radius.Pool{"*": {Name: "tokyo", Servers: servers}}
	p.inside().Reload(p.config())
}

func TestReloadsUnderLoad(t *testing.T) {
	t.Parallel()
	s := start(t)
	configs := [2]*radius.Config{s.config(), s.config()}
	stop := make(chan struct{})
	var reloading sync.WaitGroup
	reloading.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				s.inside().Reload(configs[i%2])
				s.proxy.Sweep()
				s.proxy.Stats()
			}
		}
	})
	for i := range 500 {
		s.exchange(s.nas, access(t, byte(i), user+attribute(44, []byte{byte(i), byte(i >> 8)})))
	}
	close(stop)
	reloading.Wait()
}

func TestShutdownWaitsForAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent))
	request := access(t, 1, user)
	must(t, s.nas.Send(request))
	r := s.seen(1)[0]
	done := make(chan error)
	go func() { done <- s.inside().Shutdown(context.Background()) }()
	s.until("nothing is taken any more", func() bool {
		probe := s.router(netip.AddrPort{}, s.authAddr)
		must(t, probe.Send(probe.Request(radiustest.StatusServer, radiustest.MA())))
		_, err := probe.Receive(10 * time.Millisecond)
		return err != nil
	})
	must(t, s.aaa.Send(r.Reply(radiustest.AccessAccept), r.From))
	match(t, "answer", attributesOf(s.answer(s.nas, request)), accepted)
	must(t, <-done)
	must(t, s.inside().Shutdown(context.Background())) // once more does no harm
	if held := s.proxy.Stats().NAS["bras1"].Outstanding; held != 0 {
		t.Errorf("%d requests wait", held)
	}
}

// slow lets a look-up go on when it is told to.
type slow struct {
	contracts
	asked, goOn chan struct{}
}

func (s slow) Subscriber(account string, f *engine.Facts) error {
	s.asked <- struct{}{}
	<-s.goOn
	return s.contracts.Subscriber(account, f)
}

func TestShutdownWaitsForAnAnswerThatIsBeingMade(t *testing.T) {
	t.Parallel()
	store := slow{subscribers, make(chan struct{}), make(chan struct{})}
	s := start(t, func(s *setup) { s.subscribers = store })
	request := access(t, 1, user)
	must(t, s.nas.Send(request))
	<-store.asked
	done := make(chan error)
	go func() { done <- s.inside().Shutdown(context.Background()) }()
	close(store.goOn)
	match(t, "answer", attributesOf(s.answer(s.nas, request)), accepted)
	must(t, <-done)
}

func TestShutdownKnowsOfAnAnswerThatIsBeingMade(t *testing.T) {
	t.Parallel()
	store := slow{subscribers, make(chan struct{}), make(chan struct{})}
	s := start(t, func(s *setup) { s.subscribers = store })
	must(t, s.nas.Send(access(t, 1, user)))
	<-store.asked
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.inside().Shutdown(over); err == nil {
		t.Error("Shutdown left a decision behind and says nothing")
	}
	close(store.goOn)
}

func TestShutdownDoesNotWaitForWhatNobodyWants(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent))
	first, next := access(t, 1, user), signedAccess(t, 1, second, user)
	must(t, s.nas.Send(first))
	must(t, s.nas.Send(next))
	r := s.seen(2)[1]
	must(t, s.aaa.Send(r.Reply(radiustest.AccessAccept), r.From))
	s.answer(s.nas, next)
	must(t, s.inside().Shutdown(context.Background())) // the superseded request is still under way
}

func TestShutdownGivesUp(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent))
	must(t, s.nas.Send(access(t, 1, user)))
	s.seen(1)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	err := s.inside().Shutdown(over)
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "1 requests left") {
		t.Errorf("got %v", err)
	}
}

func TestStartWithoutAnAddress(t *testing.T) {
	t.Parallel()
	s := start(t)
	taken := s.config()
	taken.Auth = []netip.AddrPort{s.authAddr}
	if _, err := radius.Start(taken, radius.Options{}); err == nil || !strings.Contains(err.Error(), s.authAddr.String()) {
		t.Errorf("an address in use: %v", err)
	}
	none := s.config()
	none.Auth, none.Acct = nil, nil
	if _, err := radius.Start(none, radius.Options{}); err == nil {
		t.Error("no address: no error")
	}
}
