package radius

import (
	"bytes"
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// duplicateKey is what makes two datagrams the same request, together with an
// equal Request Authenticator (RFC 5080 section 2.2.2). The port is in it
// because l2tpns and others send every request with identifier 0 from a socket
// of its own.
// The local address is in it because a wildcard listener is many.
type duplicateKey struct {
	client   netip.AddrPort
	local    netip.Addr
	listener uint16
	code, id byte
}

const shards = 64

// duplicates holds the transactions under way and, for a while, the answered
// ones, those too whose identifier the NAS has used for a new request. Their
// number is bounded by the limit given to admit.
type duplicates struct {
	hash   func(duplicateKey) uint64
	held   atomic.Int64
	shards [shards]shard
}

// shard holds the transactions whose keys have a hash that ends alike. They
// stand in the map by the hash and not by the key, which is long and has
// pointers in it: hundreds of thousands of keys would be a burden to caches and
// collector (BenchmarkDuplicates).
type shard struct {
	mu           sync.Mutex
	transactions map[uint64]*transaction // and behind each those of another key with the same hash
	answered     []*transaction          // the first to expire first
}

func newDuplicates() *duplicates {
	seed := maphash.MakeSeed()
	d := &duplicates{hash: func(k duplicateKey) uint64 { return maphash.Comparable(seed, k) }}
	for i := range d.shards {
		d.shards[i].transactions = map[uint64]*transaction{}
	}
	return d
}

func (d *duplicates) shard(t *transaction) *shard { return &d.shards[t.hash%shards] }

// find returns the transaction that stands under the key of this one.
func (s *shard) find(t *transaction) *transaction {
	other := s.transactions[t.hash]
	for other != nil && other.key() != t.key() {
		other = other.twin
	}
	return other
}

// put enters a transaction, under a key that is free.
func (s *shard) put(t *transaction) {
	t.twin = s.transactions[t.hash]
	s.transactions[t.hash] = t
}

// take takes a transaction out, if it is there.
func (s *shard) take(t *transaction) {
	first := s.transactions[t.hash]
	switch {
	case first == t && t.twin == nil:
		delete(s.transactions, t.hash)
	case first == t:
		s.transactions[t.hash] = t.twin
	}
	for ; first != nil && first != t; first = first.twin {
		if first.twin == t {
			first.twin = t.twin
		}
	}
	t.twin = nil
}

// admit enters a new transaction. If the same request is here already it is
// returned instead; a different one under the same key gives way and is
// abandoned, as RFC 5080 section 2.2.2 asks.
func (d *duplicates) admit(t *transaction, limit int) (same *transaction, why reason) {
	t.hash = d.hash(t.key())
	s := d.shard(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.find(t)
	if old != nil && bytes.Equal(old.request.authenticator(), t.request.authenticator()) && len(old.request) == len(t.request) {
		return old, dropDuplicate
	}
	if old != nil && old.leave(abandoned) {
		old.nas.counters.dropped[dropSuperseded].Add(1)
		old.recall(nil)
		d.remove(s, old)
	}
	if d.held.Load() >= int64(limit) {
		return nil, dropOverload
	}
	if old != nil {
		s.take(old) // its answer is held until it expires, but nobody can ask for it
	}
	d.held.Add(1)
	t.held = true
	s.put(t)
	return nil, forwarded
}

// remember keeps an answered transaction until it expires.
func (d *duplicates) remember(t *transaction) {
	s := d.shard(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	at := len(s.answered)
	for at > 0 && s.answered[at-1].expires.After(t.expires) {
		at-- // that one was answered under a configuration with a longer delay
	}
	s.answered = slices.Insert(s.answered, at, t)
}

// forget takes out a transaction that got no answer, so that a retransmission
// is a new attempt.
func (d *duplicates) forget(t *transaction) {
	s := d.shard(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	d.remove(s, t)
}

// remove lets go of a transaction, which may have been superseded before: it
// is held until then all the same.
func (d *duplicates) remove(s *shard, t *transaction) {
	s.take(t)
	if t.held {
		t.held = false
		d.held.Add(-1)
	}
}

// expire forgets the answers whose time is over.
func (d *duplicates) expire(now time.Time) {
	for i := range d.shards {
		d.shards[i].expire(d, now)
	}
}

func (s *shard) expire(d *duplicates, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(s.answered) && !s.answered[n].expires.After(now) {
		d.remove(s, s.answered[n])
		s.answered[n] = nil
		n++
	}
	s.answered = s.answered[n:]
	if len(s.answered) == 0 {
		s.answered = nil // give a burst's memory back
	}
}
