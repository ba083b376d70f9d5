package radius

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"
)

// remembered is what a test knows of an answer that is kept.
type remembered struct {
	t     *transaction
	key   []byte
	given int64
}

// TestShelfKeepsWhatAListWouldKeep does the same to a shelf and to a list.
func TestShelfKeepsWhatAListWouldKeep(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var s shelf
	var list []remembered
	last := map[uint64]remembered{}
	for now := range int64(20000) {
		if burst := now / 2000; burst%2 == 0 { // and then none for a while
			tr := waitingTransaction(byte(random.IntN(256)), byte(random.IntN(3)))
			tr.reply = bytes.Repeat([]byte{byte(now)}, headerLen+random.IntN(4076)>>random.IntN(12))
			tr.serial, tr.hash = uint64(now), uint64(random.IntN(300))
			r := remembered{tr, tr.appendKey(nil), now}
			s.put(tr, r.given, r.key)
			list, last[tr.hash] = append(list, r), r
		}
		for len(list) > 0 && list[0].given <= now-900 {
			if last[list[0].t.hash].t == list[0].t {
				delete(last, list[0].t.hash)
			}
			list = list[1:]
		}
		s.expire(now - 900)
		if now%50 == 0 {
			s.compare(t, last, len(list))
		}
	}
	if s.pages != nil || s.spare != nil || s.places != nil {
		t.Errorf("%d pages are left of nothing", len(s.pages))
	}
}

func (s *shelf) compare(t *testing.T, want map[uint64]remembered, size int) {
	t.Helper()
	if s.size() != size || len(s.places) != len(want) {
		t.Fatalf("%d answers, %d to be found, want %d and %d", s.size(), len(s.places), size, len(want))
	}
	for hash, r := range want {
		k := s.find(hash, r.t.request, r.key)
		if k == nil || !bytes.Equal(k.reply(), r.t.reply) || k.serial() != r.t.serial || k.hash() != hash || k.given() != r.given {
			t.Fatalf("kept as %x, want number %d at %d: %x", k, r.t.serial, r.given, r.t.reply)
		}
		other := waitingTransaction(r.t.request.id(), r.t.request[4]+1)
		longer := append(r.t.request[:headerLen:headerLen], 0)
		if s.find(hash, other.request, r.key) != nil || s.find(hash, longer, r.key) != nil || s.find(hash, r.t.request, append(r.key, 0)) != nil {
			t.Fatal("the answer to another request")
		}
	}
}

// TestDelayedCopyOfAnAnsweredRequest arrives when its identifier stands for
// another request already: that one goes on.
func TestDelayedCopyOfAnAnsweredRequest(t *testing.T) {
	t.Parallel()
	start := time.Unix(1000, 0)
	d := newDuplicates(start)
	first, second := waitingTransaction(1, 1), waitingTransaction(1, 2)
	d.admit(first, 10)
	first.nas.counters.outstanding.Add(1)
	first.leave(answering)
	first.reply, first.serial = []byte("the answer"), 5
	d.remember(first, start.Add(time.Second))
	d.admit(second, 10)
	copied := waitingTransaction(1, 1)
	if same, why := d.admit(copied, 10); same != copied || why != dropDuplicate || string(copied.reply) != "the answer" || copied.serial != 5 {
		t.Errorf("the copy: %v, %q, by number %d", why, copied.reply, copied.serial)
	}
	if same, _ := d.admit(waitingTransaction(1, 2), 10); same != second || second.state.Load() != waiting {
		t.Error("the newer request is not under way any more")
	}
	if d.forget(first); d.held.Load() != 2 { // as after a panic
		t.Errorf("%d held, want the answer and the newer request", d.held.Load())
	}
}
