package radius

import (
	"errors"
	"time"
)

// errOverBudget is why the fail mode answers while a decision takes too long.
var errOverBudget = errors.New("the decision takes longer than its budget")

// errStuck is why the fail mode answers at once while others wait in vain.
var errStuck = errors.New("decisions do not come to an end")

// watchInterval is how far over its budget a decision may get.
const watchInterval = 10 * time.Millisecond

// maxStuck is how many goroutines may hang in a decision before the others
// stop trying: a store that hangs must not take every login with it.
const maxStuck = 4

// watch ends decisions that take too long: the fail mode answers in their
// place, and another goroutine reads the socket on.
func (p *Proxy) watch() {
	p.regularly(watchInterval, p.overrule)
}

// overrule answers for the decisions that are over their budget.
func (p *Proxy) overrule(now time.Time) {
	budget := p.current.Load().config.DecisionBudget
	for _, peer := range p.allPeers() {
		for _, s := range peer.all() {
			a := s.deciding.Load()
			if a == nil || now.Sub(a.deciding.time()) <= budget || !a.claim() {
				continue
			}
			p.stuck.Add(1)
			s.deciding.Store(nil)
			p.others.Go(func() { s.serve(p.reply) })
			p.answerInPlace(a)
		}
	}
}

// answerInPlace answers by the fail mode for a goroutine that still decides.
func (p *Proxy) answerInPlace(a *attempt) {
	t := a.transaction
	defer p.survive(func() { p.abandon(t, dropPanic) })
	insert, drop := p.fail(t, t.nas.Profile, a.accept, errOverBudget)
	p.finish(t, a, a.accept, insert, drop)
}

// claim makes the caller the one that answers: the goroutine that decides or
// the one that watches it.
func (a *attempt) claim() bool { return a.claimed.CompareAndSwap(false, true) }

// deliberate decides about an Accept under the budget. False means that the
// watch has answered meanwhile and another goroutine reads the socket: the
// caller has nothing more to do there.
func (p *Proxy) deliberate(a *attempt, accept packet) (insert insertion, drop, mine bool) {
	t := a.transaction
	if why, ok := exempt(t, accept); ok {
		return insertion{outcome: why}, false, true
	}
	if p.stuck.Load() >= maxStuck {
		insert, drop = p.fail(t, t.nas.Profile, accept, errStuck)
		return insert, drop, true
	}
	a.accept = accept
	a.deciding.set(p.timer())
	a.socket.deciding.Store(a)
	insert, drop = p.insertion(t, accept)
	if a.claim() {
		a.socket.deciding.Store(nil)
		return insert, drop, true
	}
	p.stuck.Add(-1)
	return insertion{}, false, false
}
