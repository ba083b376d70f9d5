package radius

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// transaction is one request of a NAS on its way: what arrived, by which
// configuration it is handled, where it went, and at last what was answered.
// It is in the duplicate cache from its arrival until it is answered; then the
// answer is, for a while.
type transaction struct {
	snapshot *snapshot
	listener *listener
	nas      *nasEntry
	client   netip.AddrPort
	local    netip.AddrPort
	request  packet // our own copy
	serial   uint64 // numbers the transactions in debug output
	hash     uint64 // of the key, once it was admitted
	held     bool   // it counts among those held; guarded, like the next two, by its shard of the cache
	obsolete bool   // its key is another request's by now
	twin     *transaction

	state atomic.Uint32
	reply []byte // valid once state is answered

	attempt atomic.Pointer[attempt] // the last one; it knows those before it
}

// The states of a transaction. It leaves waiting once, by whoever gets there
// first: the reply, a newer request, or the end of its time.
const (
	waiting uint32 = iota
	answering
	answered
	abandoned
)

// attempt is a request as it was sent to one server.
type attempt struct {
	transaction   *transaction // nil of a Status-Server of our own
	target        *target
	earlier       *attempt // of the same transaction
	socket        *socket
	id            byte
	held          bool // the identifier is ours; guarded by the peer
	authenticator [authenticatorLen]byte
	wire          []byte
	began         time.Time // when it was sent first
	sent          time.Time // when it was sent last; the listener's goroutine only
	deadline      time.Time

	heard   time.Time     // when its reply came
	reader  *reader       // by which its reply came
	answers bool          // it is this one that the transaction is answered by
	accept  packet        // while a decision about it is made
	stage   atomic.Uint32 // of the answer to it
	settled atomic.Bool   // who reads the socket on: its reader itself, or another goroutine
}

// code is that of the request.
func (a *attempt) code() byte { return a.wire[0] }

// leave moves a transaction out of waiting; false if it has left already.
func (t *transaction) leave(to uint32) bool {
	if !t.state.CompareAndSwap(waiting, to) {
		return false
	}
	t.nas.counters.outstanding.Add(-1)
	return true
}

// recall gives back the identifiers of a request whose answer is there, by the
// attempt given, or wanted no more: a NAS that reuses its own or waits while we
// turn from server to server must not use up theirs. An answer that still comes
// fits no new request, whose authenticator is another.
func (t *transaction) recall(answered *attempt) {
	for a := t.attempt.Load(); a != nil; a = a.earlier {
		if a != answered {
			a.socket.peer.retire(a)
		}
	}
}
