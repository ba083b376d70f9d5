package radius

import (
	"runtime"
	"testing"
	"weak"
)

// TestRequestThatStaysKeepsFewOthers has one of a hundred requests wait for a
// server that keeps silent, while the others are answered and forgotten.
func TestRequestThatStaysKeepsFewOthers(t *testing.T) {
	t.Parallel()
	const usual, stay = 220, 20
	r := &room{}
	var stays []*transaction
	var others []weak.Pointer[byte]
	for i := range 100 * stay {
		tr, a := r.transactions.next(), r.attempts.next()
		tr.request = append(r.octets.next(usual), make([]byte, usual)...)
		a.transaction, a.wire = tr, append(r.octets.next(usual), make([]byte, usual)...)
		if i%100 > 0 {
			others = append(others, weak.Make(&tr.request[0]))
			continue
		}
		tr.attempt.Store(a)
		stays = append(stays, tr)
	}
	runtime.GC()
	kept := 0
	for _, o := range others {
		if o.Value() != nil {
			kept++
		}
	}
	if each := kept / stay; each > 30 {
		t.Errorf("each request that stays keeps %d others in memory", each)
	}
	runtime.KeepAlive(stays)
}
