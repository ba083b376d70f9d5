package radius

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// appendKey writes what makes two datagrams the same request, together with an
// equal Request Authenticator (RFC 5080 section 2.2.2). The port is in it
// because l2tpns and others send every request with identifier 0 from a socket
// of its own. The local address is in it because a wildcard listener is many.
func (t *transaction) appendKey(to []byte) []byte {
	to = append(to, byte(t.listener.number>>8), byte(t.listener.number), t.request.code(), t.request.id())
	to, _ = t.client.AppendBinary(to) // never fails (net/netip)
	to, _ = t.local.Addr().AppendBinary(to)
	return to
}

// usualKey is room for every key but those with a very long name of a zone.
const usualKey = 64

// keyed reports whether a transaction has the same key as another one.
func (t *transaction) keyed(other *transaction) bool {
	var mine, others [usualKey]byte
	return bytes.Equal(t.appendKey(mine[:0]), other.appendKey(others[:0]))
}

const shards = 64

// duplicates holds the transactions under way and, for a while, the answers to
// others, those too whose identifier the NAS has used for a new request. Their
// number is bounded by the limit given to admit.
type duplicates struct {
	seed   maphash.Seed
	cut    uint64    // what remains of a hash; less in a test
	began  time.Time // what the times of answers count from
	held   atomic.Int64
	shards [shards]shard
}

// shard holds what has a key with a hash that ends alike. It is found by the
// hash and not by the key, which is long and has pointers in it
// (BenchmarkDuplicates).
type shard struct {
	mu       sync.Mutex
	underWay map[uint64]*transaction // and behind each those of another key with the same hash
	answers  shelf
}

func newDuplicates(now time.Time) *duplicates {
	d := &duplicates{seed: maphash.MakeSeed(), cut: ^uint64(0), began: now}
	for i := range d.shards {
		d.shards[i].underWay = map[uint64]*transaction{}
	}
	return d
}

func (d *duplicates) hash(key []byte) uint64 { return maphash.Bytes(d.seed, key) & d.cut }

func (d *duplicates) shard(t *transaction) *shard { return &d.shards[t.hash%shards] }

// find returns the transaction under way that stands under the key of this one.
func (s *shard) find(t *transaction) *transaction {
	other := s.underWay[t.hash]
	for other != nil && !other.keyed(t) {
		other = other.twin
	}
	return other
}

// put enters a transaction, under a key that is free.
func (s *shard) put(t *transaction) {
	t.twin = s.underWay[t.hash]
	s.underWay[t.hash] = t
}

// take takes a transaction out, if it is there.
func (s *shard) take(t *transaction) {
	first := s.underWay[t.hash]
	switch {
	case first == t && t.twin == nil:
		delete(s.underWay, t.hash)
	case first == t:
		s.underWay[t.hash] = t.twin
	}
	for ; first != nil && first != t; first = first.twin {
		if first.twin == t {
			first.twin = t.twin
		}
	}
	t.twin = nil
}

// admit enters a new transaction. If the same request is under way that is
// returned instead, and if it was answered the new one is, with the answer; a
// different one under the same key gives way and is abandoned, as RFC 5080
// section 2.2.2 asks.
func (d *duplicates) admit(t *transaction, limit int) (same *transaction, why reason) {
	var room [usualKey]byte
	key := t.appendKey(room[:0])
	t.hash = d.hash(key)
	s := d.shard(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.find(t)
	kept := s.answers.find(t.hash, t.request, key)
	switch {
	case kept != nil: // even where its identifier stands for a newer request by now
		t.reply, t.serial = bytes.Clone(kept.reply()), kept.serial()
		t.state.Store(answered)
		return t, dropDuplicate
	case old != nil && old.repeats(t):
		return old, dropDuplicate
	case old != nil && old.leave(abandoned):
		old.nas.counters.dropped[dropSuperseded].Add(1)
		old.recall(nil)
		d.remove(s, old)
	}
	if d.held.Load() >= int64(limit) {
		return nil, dropOverload
	}
	if old != nil {
		s.take(old)
		old.obsolete = true // it is being answered, but nobody can ask for that answer
	}
	d.held.Add(1)
	t.held = true
	s.put(t)
	return nil, forwarded
}

// repeats reports whether two requests of one key are the same.
func (t *transaction) repeats(other *transaction) bool {
	return bytes.Equal(t.request.authenticator(), other.request.authenticator()) && len(t.request) == len(other.request)
}

// remember keeps the answer to a transaction, which was given at that time.
func (d *duplicates) remember(t *transaction, given time.Time) {
	var room [usualKey]byte
	key := t.appendKey(room[:0])
	s := d.shard(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.take(t)
	t.held = false // from now on the answer is
	s.answers.put(t, int64(given.Sub(d.began)), key)
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

// expire forgets the answers that were given up to a time: all by the delay of
// the running configuration, whichever they were given under.
func (d *duplicates) expire(until time.Time) {
	for i := range d.shards {
		d.shards[i].expire(d, until)
	}
}

func (s *shard) expire(d *duplicates, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.held.Add(-int64(s.answers.expire(int64(until.Sub(d.began)))))
}
