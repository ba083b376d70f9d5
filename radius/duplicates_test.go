package radius

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"
)

func waitingTransaction(id byte, authenticator byte) *transaction {
	request := make(packet, headerLen)
	request[0], request[1], request[4] = accessRequest, id, authenticator
	return &transaction{
		listener: &listener{},
		nas:      &nasEntry{counters: new(nasCounters)},
		client:   netip.MustParseAddrPort("192.0.2.1:1000"),
		request:  request,
	}
}

// TestHeldNeverDrifts does to a cache what listeners, sockets and the sweep do
// to it, all at once, and checks that nothing stays.
func TestHeldNeverDrifts(t *testing.T) {
	t.Parallel()
	start := time.Unix(1000, 0)
	d := newDuplicates(start)
	var all sync.WaitGroup
	underWay := make(chan *transaction, 64)
	for seed := range uint64(2) { // as listeners
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, 1))
			for range 20000 {
				tr := waitingTransaction(byte(random.IntN(8)), byte(random.IntN(3)))
				tr.listener.number = uint16(seed)
				if same, why := d.admit(tr, 12); same == nil && why == forwarded {
					tr.nas.counters.outstanding.Add(1)
					underWay <- tr
				}
			}
		})
	}
	var ends sync.WaitGroup
	for seed := range uint64(2) { // as sockets and the sweep
		ends.Go(func() {
			random := rand.New(rand.NewPCG(seed, 2))
			for tr := range underWay {
				switch {
				case random.IntN(2) == 0 && tr.leave(abandoned):
					d.forget(tr)
				case tr.leave(answering):
					d.remember(tr, start)
					tr.state.Store(answered)
				}
				if random.IntN(10) == 0 {
					d.expire(start)
				}
			}
		})
	}
	all.Wait()
	close(underWay)
	ends.Wait()
	if held, there := d.held.Load(), d.size(); held != int64(there) {
		t.Errorf("%d counted, %d there", held, there)
	}
	d.expire(start)
	if held, there := d.held.Load(), d.size(); held != 0 || there != 0 {
		t.Errorf("at the end %d counted, %d there", held, there)
	}
}

// size counts the requests that are held, by where they are kept.
func (d *duplicates) size() (n int) {
	for i := range d.shards {
		for _, t := range d.shards[i].underWay {
			for ; t != nil; t = t.twin {
				n++
			}
		}
		n += d.shards[i].answers.size()
	}
	return n
}

func (s *shelf) size() (n int) {
	begin := s.begin
	for i, page := range s.pages {
		for begin < len(page) {
			begin += len(s.at(place{page: s.base + uint32(i), offset: uint16(begin)}))
			n++
		}
		begin = 0
	}
	return n
}

func TestAnsweredRequestsUnderOneIdentifierCountEach(t *testing.T) {
	t.Parallel()
	const limit = 3
	d := newDuplicates(time.Unix(1000, 0))
	for i := range byte(limit + 1) {
		tr := waitingTransaction(1, i)
		want := forwarded
		if i == limit {
			want = dropOverload
		}
		if _, why := d.admit(tr, limit); why != want {
			t.Errorf("number %d: %s, want %s", i+1, why, want)
		}
		if tr.leave(answering) && i < limit {
			d.remember(tr, time.Unix(1000, 0))
		}
	}
	if d.expire(time.Unix(1000, 0)); d.held.Load() != 0 {
		t.Errorf("%d held at the end", d.held.Load())
	}
}

func TestAnswersExpireInTheirOrder(t *testing.T) {
	t.Parallel()
	start := time.Unix(1000, 0)
	d := newDuplicates(start)
	for i := range byte(3) {
		tr := waitingTransaction(i*shards, 0) // the same shard
		d.admit(tr, 10)
		tr.leave(answering)
		d.remember(tr, start.Add(time.Duration(i)*time.Second))
	}
	for i, want := range []int{2, 1, 0} {
		if d.expire(start.Add(time.Duration(i) * time.Second)); d.size() != want {
			t.Errorf("after %d s: %d held, want %d", i, d.size(), want)
		}
	}
}

// TestKeysOfOneHashAreNotMixedUp lets all requests have the same hash.
func TestKeysOfOneHashAreNotMixedUp(t *testing.T) {
	t.Parallel()
	d := newDuplicates(time.Unix(1000, 0))
	d.cut = 0
	var all []*transaction
	admit := func(id, authenticator byte) *transaction {
		tr := waitingTransaction(id, authenticator)
		same, _ := d.admit(tr, 100)
		return same
	}
	for id := range byte(5) {
		if admit(id, 1) != nil {
			t.Fatalf("request %d is held for another one", id)
		}
		all = append(all, d.shard(&transaction{}).underWay[0])
	}
	for _, gone := range []int{4, 2, 0} { // the one that stands first, one in the middle, the last
		d.forget(all[gone])
		for id := range all {
			same := admit(byte(id), 1)
			if was := all[id]; was != nil && id != gone && same != was {
				t.Errorf("after %d was forgotten, %d is held for %v", gone, id, same)
			}
			if id == gone && same != nil {
				t.Errorf("%d is known after it was forgotten", gone)
			}
		}
		all[gone] = nil
	}
}

// TestAnswersUnderAnIdentifierThatWasUsedAgainAreNotSearched keeps what a busy
// router's identifiers come to within the time that answers are kept for.
func TestAnswersUnderAnIdentifierThatWasUsedAgainAreNotSearched(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	d := newDuplicates(now)
	var last *transaction
	for authenticator := range byte(200) {
		last = waitingTransaction(7, authenticator)
		if same, why := d.admit(last, 1000); same != nil || why != forwarded {
			t.Fatalf("request %d: %v", authenticator, why)
		}
		last.nas.counters.outstanding.Add(1)
		last.leave(answering)
		last.reply = []byte{authenticator}
		d.remember(last, now.Add(time.Duration(authenticator)))
		last.state.Store(answered)
	}
	if known := len(d.shard(last).answers.places); known != 1 {
		t.Errorf("%d answers can be found, want the last", known)
	}
	d.expire(now.Add(198))
	same, _ := d.admit(waitingTransaction(7, 199), 1000)
	if same == nil || string(same.reply) != "\xc7" || d.held.Load() != 1 {
		t.Errorf("the last one is known as %+v, %d are held", same, d.held.Load())
	}
	d.expire(now.Add(time.Second))
	if held, known := d.held.Load(), len(d.shard(last).answers.places); held != 0 || known != 0 {
		t.Errorf("%d held and %d known at the end", held, known)
	}
}
