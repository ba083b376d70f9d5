package radius

import (
	"sync"
	"testing"
	"time"
)

// TestWhoLeavesHasEntered takes decisions aside at the moment they end: nothing
// of one may be left behind.
func TestWhoLeavesHasEntered(t *testing.T) {
	t.Parallel()
	var p Proxy
	var s socket
	for range 100 {
		var all sync.WaitGroup
		p.aside.mu.Lock() // so that they stand in line
		for range 200 {
			a := &attempt{socket: &s}
			all.Go(func() { p.aside.enter(a) })
			all.Go(func() { p.readsOn(a) })
		}
		p.aside.mu.Unlock()
		all.Wait()
	}
	if left, running := len(p.aside.attempts), p.aside.running.Load(); left != 0 || running != 0 {
		t.Errorf("%d are still aside, %d counted", left, running)
	}
}

func TestOneThatWaitsForAProcessorIsNotOverruled(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, test := range map[string]struct {
		yield func(a *attempt)
		want  int
	}{
		"it ends as soon as it runs":  {func(a *attempt) { a.stage.CompareAndSwap(deciding, decided) }, 0},
		"it waits for something else": {func(*attempt) {}, 1},
		"it has left when others ran": {nil, 0},
	} {
		a := &attempt{heard: now.Add(-time.Second)}
		a.stage.Store(deciding)
		s := &aside{most: 1}
		s.yield = func() {
			if test.yield == nil {
				s.leave(a)
				return
			}
			test.yield(a)
		}
		if !s.enter(a) {
			t.Fatal(name)
		}
		if over := s.overdue(now); len(over) != test.want || int(s.stuck.Load()) != test.want {
			t.Errorf("%s: %d overruled, %d stuck, want %d", name, len(over), s.stuck.Load(), test.want)
		}
	}
}
