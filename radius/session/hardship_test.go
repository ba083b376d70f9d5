package session_test

import (
	"fmt"
	"testing"
)

// TestVeryManySessionsOfOneAccount ends them, the oldest first, in a moment and
// not in minutes: there are accounts that everybody uses.
func TestVeryManySessionsOfOneAccount(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	const many = 30_000
	l := u1
	l.address, l.calling = "", ""
	for i := range many {
		l.session = fmt.Sprint(i)
		n.start(l)
	}
	if found := len(n.Account("u1")); found != many {
		t.Errorf("%d sessions", found)
	}
	spent := cpuTime()
	for i := range many - 1 {
		l.session = fmt.Sprint(i)
		n.stop(l)
	}
	if spent = cpuTime() - spent; spent > 5_000_000_000 {
		t.Errorf("ending them took %v", spent)
	}
	if left := n.Account("u1"); len(left) != 1 || left[0].AcctSession != fmt.Sprint(many-1) {
		t.Errorf("left are %v", left)
	}
}
