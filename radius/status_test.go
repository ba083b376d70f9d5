package radius

import "testing"

func TestStatusServerStaysUnansweredWhileTheStoreIsUnusable(t *testing.T) {
	t.Parallel()
	b, healthy := newBench(t), true
	b.healthy = func() bool { return healthy }
	status := func(what string, answered bool) {
		t.Helper()
		n := b.counters.nas("bras1")
		answers, dropped := n.answered[accessAccept].Load(), n.dropped[dropUnusable].Load()
		b.send(b.auth, assemble(statusServer, unhex(t, "501200000000000000000000000000000000"), zeroAuthenticator[:], b.nas))
		if got := n.answered[accessAccept].Load() > answers; got != answered || n.dropped[dropUnusable].Load() > dropped == answered {
			t.Errorf("%s: answered %t, want %t", what, got, answered)
		}
	}
	status("healthy", true)
	healthy = false
	status("not healthy", false)
	healthy = true
	b.aside.stuck.Store(maxStuck)
	status("decisions hang", false)
	b.healthy = nil
	status("not asked for", true)
	b.aside.stuck.Store(0)
}
