package radius

import "sync/atomic"

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
	name string
	set  atomic.Bool
}

// requires reports whether a packet must have a Message-Authenticator.
func (l *latch) requires(r Requirement) bool { return r == Require || r == Auto && l.set.Load() }

// learn notes that a packet had a right Message-Authenticator.
func (p *Proxy) learn(l *latch, r Requirement) {
	if r != Auto || l.set.Load() || !l.set.CompareAndSwap(false, true) {
		return
	}
	p.log.log.Info("message-authenticator is required from now on, since one was seen", "of", l.name)
	if p.latches == nil {
		return
	}
	select {
	case p.learned <- l.name:
	default: // the file is slow; after a restart it is learned again
	}
}

// restore reads what was learned before the start. What is configured
// otherwise than Auto forgets it: `no` and back to `auto` begins anew.
func (p *Proxy) restore(l *latch, r Requirement) {
	if p.latches == nil || l.set.Load() && r == Auto {
		return
	}
	known, err := p.latches.Latched(l.name)
	switch {
	case err != nil:
		p.log.log.Error("cannot read what auto has learned", "of", l.name, "error", err)
	case known && r == Auto:
		l.set.Store(true)
	case known && r == No:
		l.set.Store(false)
		if err := p.latches.Unlatch(l.name); err != nil {
			p.log.log.Error("cannot forget what auto has learned", "of", l.name, "error", err)
		}
	}
	if r == No {
		l.set.Store(false)
	}
}

// keepLearning writes what is learned, off the packets' way.
func (p *Proxy) keepLearning() {
	for {
		select {
		case <-p.stopSweep:
			return
		case name := <-p.learned:
			if err := p.latches.Latch(name); err != nil {
				p.log.log.Error("cannot keep what auto has learned", "of", name, "error", err)
			}
		}
	}
}
