package radius

import (
	"sync"
	"testing"
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
