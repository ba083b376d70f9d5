package radius

import (
	"sync"
	"sync/atomic"
)

// Latches keeps what `auto` has learned over a restart. Names are those of
// nasLatch and aaaLatch; it is asked at load and told at most once for each.
type Latches interface {
	Latched(name string) (bool, error)
	Latch(name string) error
	Unlatch(name string) error
}

func nasLatch(name string) string { return "nas/" + name }
func aaaLatch(name string) string { return "aaa/" + name }

// latch turns Auto into Require once a right Message-Authenticator was seen.
type latch struct {
	name  string
	state atomic.Uint32
	kept  sync.Mutex // held while it is written to the Latches, or off them
}

// The states of a latch. One that is off learns nothing: what is configured
// does not ask for it, but packets under the configuration before may still.
const (
	latchOpen uint32 = iota
	latchSet
	latchOff
)

// requires reports whether a packet must have a Message-Authenticator.
func (l *latch) requires(r Requirement) bool {
	return r == Require || r == Auto && l.state.Load() == latchSet
}

// learn notes that a packet had a right Message-Authenticator.
func (p *Proxy) learn(l *latch, r Requirement) {
	if r != Auto || l.state.Load() != latchOpen || !l.state.CompareAndSwap(latchOpen, latchSet) {
		return
	}
	p.log.log.Info("message-authenticator is required from now on, since one was seen", "of", l.name)
	if p.latches == nil {
		return
	}
	select {
	case p.learned <- l:
	default: // the file is slow; after a restart it is learned again
	}
}

// restore reads what was learned before the start. `no` forgets it: back to
// `auto` begins anew.
func (p *Proxy) restore(l *latch, r Requirement) {
	switch r {
	case Auto:
		l.state.CompareAndSwap(latchOff, latchOpen)
		if l.state.Load() == latchOpen && p.known(l) {
			l.state.CompareAndSwap(latchOpen, latchSet)
		}
	case No:
		l.state.Store(latchOff)
		p.forget(l)
	}
}

// known asks the Latches for one.
func (p *Proxy) known(l *latch) bool {
	if p.latches == nil {
		return false
	}
	known, err := p.latches.Latched(l.name)
	if err != nil {
		p.log.log.Error("cannot read what auto has learned", "of", l.name, "error", err)
	}
	return known
}

// forget takes a latch off the Latches.
func (p *Proxy) forget(l *latch) {
	l.kept.Lock()
	defer l.kept.Unlock()
	if !p.known(l) {
		return
	}
	if err := p.latches.Unlatch(l.name); err != nil {
		p.log.log.Error("cannot forget what auto has learned", "of", l.name, "error", err)
	}
}

// keep writes a latch to the Latches, unless it was taken off meanwhile.
func (p *Proxy) keep(l *latch) {
	l.kept.Lock()
	defer l.kept.Unlock()
	if l.state.Load() != latchSet {
		return
	}
	if err := p.latches.Latch(l.name); err != nil {
		p.log.log.Error("cannot keep what auto has learned", "of", l.name, "error", err)
	}
}

// keepLearning writes what is learned, off the packets' way.
func (p *Proxy) keepLearning() {
	for {
		select {
		case <-p.stopSweep:
			return
		case l := <-p.learned:
			p.keep(l)
		}
	}
}
