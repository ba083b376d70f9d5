package radius_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"sekisho/radius"
)

// gated are latches whose writing waits until it is let go.
type gated struct {
	memory
	writing, goOn chan struct{}
}

func (g *gated) Latch(name string) error {
	g.writing <- struct{}{}
	<-g.goOn
	return g.memory.Latch(name)
}

func TestWhatIsForgottenIsNotWrittenAfterwards(t *testing.T) {
	t.Parallel()
	latches := &gated{writing: make(chan struct{}, 10), goOn: make(chan struct{})}
	s := start(t, func(s *setup) {
		s.server.RequireMA, s.nas.RequireMA, s.latches = radius.Auto, radius.Auto, latches
	})
	s.exchange(s.nas, access(t, 1, user)) // the server's Accept is signed
	<-latches.writing
	s.exchange(s.nas, access(t, 2, user+"50 12 *16")) // the router's is queued behind it
	s.setup.nas.RequireMA = radius.No
	s.inside().Reload(s.config())
	s.setup.nas.Name, s.setup.nas.RequireMA = "bras2", radius.Auto // the end of the queue
	s.inside().Reload(s.config())
	s.exchange(s.nas, access(t, 3, user+"50 12 *16"))
	close(latches.goOn)
	s.until("the queue is worked off", func() bool { ok, _ := latches.Latched("nas/bras2"); return ok })
	for name, want := range map[string]bool{"nas/bras1": false, "aaa/tokyo-1": true} {
		if ok, _ := latches.Latched(name); ok != want {
			t.Errorf("%s is kept: %t, want %t", name, ok, want)
		}
	}
}

// stalled are latches that are slow to read once they are told to be.
type stalled struct {
	memory
	slow    atomic.Bool
	reading chan struct{}
	goOn    chan struct{}
}

func (s *stalled) Latched(name string) (bool, error) {
	if s.slow.Load() {
		s.reading <- struct{}{}
		<-s.goOn
	}
	return s.memory.Latched(name)
}

func TestAReloadThatWaitsForTheStoreStopsNobody(t *testing.T) {
	t.Parallel()
	latches := &stalled{reading: make(chan struct{}, 10), goOn: make(chan struct{})}
	goOn := sync.OnceFunc(func() { close(latches.goOn) })
	defer goOn()
	var store slow
	s := start(t, func(s *setup) { store, s.latches = slowly(s), latches })
	latches.slow.Store(true)
	reloaded := make(chan struct{})
	go func() { defer close(reloaded); s.inside().Reload(s.config()) }()
	<-latches.reading
	sent := s.logIn(store, 3)
	s.asked(store, 3)
	s.timer.advance(radius.DefaultDecisionBudget + 1)
	s.answers(s.nas, sent, limited)
	s.proxy.Sweep()
	goOn()
	<-reloaded
	close(store.goOn)
}
