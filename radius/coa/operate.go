package coa

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sekisho/engine/yamldoc"
	"sekisho/radius/session"
	"sekisho/store"
)

// Errors of what operators ask for.
var (
	ErrNoSession  = errors.New("there is no such session")
	ErrNoCampaign = store.ErrNoCampaign
	ErrNotThere   = errors.New("the campaign is not there")
	ErrNotNow     = errors.New("the campaign is not in a state for that")
)

// Configure takes over the routers of a configuration and the rules for
// campaigns. What is under way goes on; afterwards EverythingChanged should be
// called. It may be called before Start.
func (k *Keeper) Configure(routers []Router, rules Rules) {
	configure := func() { k.configure(routers, rules.withDefaults()) }
	select {
	case <-k.done:
	default:
		if !k.running.Load() {
			configure()
			return
		}
		k.do(configure)
	}
}

func (k *Keeper) configure(routers []Router, rules Rules) {
	k.rules, k.routers = rules, map[string]Router{}
	for _, r := range routers {
		k.routers[r.Name] = r
	}
	for at, l := range k.lanes {
		l.configure(k.router(at), k.timers.Now())
		k.comeAndGo(l)
	}
}

// Progress is how far a campaign is.
type Progress struct {
	store.Campaign
	Parts []PartProgress
}

// PartProgress is how far it is at one router.
type PartProgress struct {
	store.CampaignPart
	Left     int           // still to be told, those under way included
	UnderWay int           // told and not answered yet
	ETA      time.Duration // until nothing is left at the present pace; 0: not known
}

// Campaigns tells how far all campaigns are, the newest first.
func (k *Keeper) Campaigns() (all []Progress) {
	k.do(func() {
		for _, c := range slices.Backward(k.campaigns) {
			all = append(all, k.progress(c))
		}
	})
	return all
}

// Campaign tells how far one is.
func (k *Keeper) Campaign(id uint64) (p Progress, err error) {
	err = k.withCampaign(id, func(c *campaign) error {
		p = k.progress(c)
		return nil
	})
	return p, err
}

func (k *Keeper) progress(c *campaign) Progress {
	p := Progress{Campaign: c.record()}
	for _, part := range c.parts {
		p.Parts = append(p.Parts, PartProgress{part.CampaignPart, part.left(), part.trying, k.eta(part)})
	}
	return p
}

// eta estimates by what was done since the campaign last began, or by the
// configured rate where that is too little to tell.
func (k *Keeper) eta(p *part) time.Duration {
	l := k.lanes[p.place()]
	if l == nil || l.CoA == nil || p.State != Running && p.State != Canary {
		return 0
	}
	rate := l.CoA.Rate
	passed := k.timers.Now().Sub(p.mark.at)
	if done := p.settled() - p.mark.done; done > 0 && passed >= 5*time.Second {
		rate = min(rate, float64(done)/passed.Seconds())
	}
	return time.Duration(float64(p.left()) / rate * float64(time.Second)).Round(time.Second)
}

func (k *Keeper) withCampaign(id uint64, f func(*campaign) error) error {
	err := errors.New("the daemon is ending")
	k.do(func() {
		i := slices.IndexFunc(k.campaigns, func(c *campaign) bool { return c.ID == id && id != 0 })
		if i < 0 {
			err = fmt.Errorf("%w: %d", ErrNoCampaign, id)
			return
		}
		err = f(k.campaigns[i])
	})
	return err
}

// each does something to the parts of a campaign at a place: one router, all of
// a NAS without a box, all that there are without a NAS. ErrNotThere when there
// is none, ErrNotNow when it can be done to none.
func (k *Keeper) each(id uint64, at Place, f func(*lane, *part) error) error {
	return k.withCampaign(id, func(c *campaign) error {
		parts, err := c.at(at)
		if err != nil {
			return err
		}
		errs, did := []error{}, false
		for _, p := range parts {
			l, before := k.lane(p.place()), p.State
			if err := f(l, p); err != nil {
				errs = append(errs, err)
				continue
			}
			did = true
			k.turned(p, before)
		}
		if did {
			return nil
		}
		return errors.Join(errs...)
	})
}

// at finds the parts at a place; see each.
func (c *campaign) at(place Place) (found []*part, err error) {
	var nases, there []string
	for _, p := range c.parts {
		switch {
		case place.NAS != "" && place.NAS != p.NAS:
			if !slices.Contains(nases, p.NAS) {
				nases = append(nases, p.NAS)
			}
		case place.Box != "" && place.Box != p.Box:
			there = append(there, p.place().String())
		default:
			found = append(found, p)
		}
	}
	switch {
	case len(found) > 0 || place.NAS == "":
		return found, nil
	case len(there) == 0:
		return nil, fmt.Errorf("%w: %s has no NAS %q; %s", ErrNotThere, c.name(), place.NAS, yamldoc.Suggest(place.NAS, nases))
	}
	return nil, fmt.Errorf("%w: %s has no box %q of %s; it is at %s", ErrNotThere, c.name(), place.Box, place.NAS, strings.Join(there, ", "))
}

func notNow(p *part, verb string) error {
	return fmt.Errorf("%w: at %s it is %s and cannot be %s", ErrNotNow, p.place(), p.State, verb)
}

// Pause holds a campaign at a router, at all of a NAS without a box, everywhere
// without a NAS. Single changes still go through.
func (k *Keeper) Pause(id uint64, at Place, why string) error {
	return k.each(id, at, func(_ *lane, p *part) error {
		if p.State != Running && p.State != Canary && p.State != Planned && !p.Away {
			return notNow(p, "paused")
		}
		p.State, p.Why, p.Away = Paused, why, false
		return nil
	})
}

// Resume goes on with a campaign that was paused or has stopped, canary first.
// One that was undone is told anew. For the place see Pause.
func (k *Keeper) Resume(id uint64, at Place) error {
	return k.each(id, at, func(l *lane, p *part) error {
		now := k.timers.Now()
		if err := l.reach(); err != nil {
			return fmt.Errorf("%w: %w", ErrNotNow, err)
		}
		switch {
		case p.Undo:
			return k.redirect(l, p, false)
		case p.State == Paused, p.State == Stopped:
			clear(l.refused)
			l.rousePart(p)
			p.start(now)
			k.conclude(l)
			return nil
		}
		return notNow(p, "resumed")
	})
}

// Undo tells the sessions of a campaign what they were told before it, and
// keeps them there until it is resumed or something else than the campaign's
// action is wanted for them. New logins get what the policy says. For the place
// see Pause.
func (k *Keeper) Undo(id uint64, at Place) error {
	return k.each(id, at, func(l *lane, p *part) error {
		if p.Undo {
			return notNow(p, "undone twice")
		}
		if err := l.reach(); err != nil {
			return fmt.Errorf("%w: %w", ErrNotNow, err)
		}
		return k.redirect(l, p, true)
	})
}

// redirect turns a campaign round at a NAS.
func (k *Keeper) redirect(l *lane, p *part, undo bool) error {
	if l.part.active() && l.part != p {
		return fmt.Errorf("%w: at %s campaign %d is under way", ErrNotNow, p.place(), l.part.of.ID)
	}
	if p.members == nil {
		if err := k.recall(p); err != nil { // a page or two of the file for each thousand: an operator waits for it
			return err
		}
	}
	clear(l.refused)
	for acct := range p.members {
		l.forget(p.id(acct))
	}
	l.withdraw(p)
	l.undone = slices.DeleteFunc(l.undone, func(other *part) bool { return other == p })
	if undo {
		l.undone = append(l.undone, p)
	}
	l.part = p
	p.turn(undo, k.timers.Now())
	k.conclude(l)
	return nil
}

// Held is the action that a session is kept at though s.Wanted is wanted for it:
// a probe looks at it, or its campaign was undone. Empty when it is not kept.
func (k *Keeper) Held(s *session.Session) (action string) {
	k.do(func() {
		if l := k.lanes[placeOf(s.ID)]; l != nil {
			if target, by := l.target(s); by != "" {
				action = target
			}
		}
	})
	return action
}

// Passed says that a router gets a request that is not the keeper's: its own wait
// for that, so that both together keep the pace. It does not wait.
func (k *Keeper) Passed(at Place) {
	k.inbox.call(func() {
		if l := k.lane(at); l.pace != nil {
			l.pace.pass(k.timers.Now())
		}
	})
}

// Push tells routers about sessions what is wanted now, whatever was applied,
// before everything else that waits. done is called once for each session, not
// from the caller's goroutine, and must not block.
func (k *Keeper) Push(ids []session.ID, done func(session.ID, Reply)) { k.order(ids, false, done) }

// Disconnect ends sessions at their routers; see Push.
func (k *Keeper) Disconnect(ids []session.ID, done func(session.ID, Reply)) { k.order(ids, true, done) }

func (k *Keeper) order(ids []session.ID, disconnect bool, done func(session.ID, Reply)) {
	alive := k.do(func() {
		for _, id := range ids {
			k.orderOne(id, disconnect, 0, func(r Reply) { done(id, r) })
		}
	})
	if !alive {
		for _, id := range ids {
			done(id, Reply{Outcome: Later, Err: errors.New("the daemon is ending")})
		}
	}
}

func (k *Keeper) orderOne(id session.ID, disconnect bool, patience time.Duration, done func(Reply)) {
	if _, live := k.sessions.Get(id); !live {
		done(Reply{Outcome: Gone, Err: ErrNoSession})
		return
	}
	l := k.lane(placeOf(id))
	if err := l.reach(); err != nil {
		done(Reply{Outcome: Refused, Err: err})
		return
	}
	k.decide(id)
	delete(l.refused, id)
	if waiting := l.queued[id]; waiting != nil {
		waiting.disconnect = waiting.disconnect || disconnect
	}
	l.hurry(&job{id: id, forced: true, disconnect: disconnect, patience: patience, replies: []func(Reply){done}})
}
