package radius

import (
	"errors"
	"time"
)

// errOverBudget is why the fail mode answers while a decision takes too long.
var errOverBudget = errors.New("the decision takes longer than its budget")

// watchInterval is how long a decision may keep its socket's reader, and how
// far over its budget it may get.
const watchInterval = 10 * time.Millisecond

// The stages of an answer to an Accept. The goroutine that decides and the
// watch both want to end the second one; whoever does answers.
const (
	undecided uint32 = iota // its goroutine does not decide yet, or need not
	deciding
	decided
	overruled
)

// watch looks after decisions that take long. It hands their sockets to other
// readers, so that the Accepts behind them do not wait, and answers by the
// fail mode for those that are over their budget.
func (p *Proxy) watch() {
	p.regularly(watchInterval, func(now time.Time) {
		budget := p.current.Load().config.DecisionBudget
		p.relieve(now, min(watchInterval, budget))
		p.overrule(now, budget)
	})
}

// relieve gives another reader to the sockets whose own is busy for too long.
func (p *Proxy) relieve(now time.Time, after time.Duration) {
	for _, peer := range p.allPeers() {
		for _, s := range peer.all() {
			if a := s.working.Load(); a != nil && now.Sub(a.heard) >= after {
				p.handOver(a)
			}
		}
	}
}

// overrule answers for the decisions that are over their budget.
func (p *Proxy) overrule(now time.Time, budget time.Duration) {
	for _, a := range p.aside.overdue(now.Add(-budget)) {
		p.answerInPlace(a)
	}
}

// answerInPlace answers by the fail mode for a goroutine that still decides.
func (p *Proxy) answerInPlace(a *attempt) {
	t := a.transaction
	defer p.survive(func() { p.abandon(t, dropPanic) })
	insert, drop := p.fail(t, t.nas.Profile, a.accept, errOverBudget)
	if answer := p.finish(t, a, a.accept, insert, drop); answer != nil {
		answer.send(p)
	}
}

// handOver gives the reader to another goroutine while this one is busy with a
// reply; once, whoever sees to it first.
func (p *Proxy) handOver(a *attempt) {
	if !p.aside.enter(a) {
		return
	}
	a.socket.working.Store(nil)
	r := a.reader
	r.leave()
	p.others.Go(func() {
		r.send(p)
		r.serve(p)
	})
}

// readsOn reports whether the goroutine that is done with a reply still has the
// reader.
func (p *Proxy) readsOn(a *attempt) bool {
	if a.settled.CompareAndSwap(false, true) {
		a.socket.working.Store(nil)
		return true
	}
	p.aside.leave(a)
	return false
}

// deliberate decides about an Accept under the budget. False means that the
// watch has answered meanwhile. While other decisions take long, this one
// makes way for the next Accept before it begins.
func (p *Proxy) deliberate(a *attempt, accept packet) (insert insertion, drop, mine bool) {
	t := a.transaction
	if why, ok := exempt(t, accept); ok {
		return insertion{outcome: why}, false, true
	}
	if err := p.aside.refusal(); err != nil {
		insert, drop = p.fail(t, t.nas.Profile, accept, err)
		return insert, drop, true
	}
	a.accept = accept
	a.stage.Store(deciding)
	if p.aside.slow() {
		p.handOver(a)
	}
	insert, drop = p.insertion(t, accept)
	if !a.stage.CompareAndSwap(deciding, decided) {
		return insertion{}, false, false
	}
	p.ruled(t, insert.decision)
	return insert, drop, true
}
