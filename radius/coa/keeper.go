package coa

import (
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"sekisho/engine"
	"sekisho/radius/session"
)

// Decider asks the engine about a session, with what is stored of its account.
type Decider interface {
	Decide(s *session.Session, now time.Time) (engine.Decision, error)
}

// Sessions are the live sessions; see session.Table. They are asked and told
// from the keeper's goroutine, and nothing of it may block.
type Sessions interface {
	Get(session.ID) (session.Session, bool)
	Account(folded string) []session.ID
	// Due takes out sessions about which the engine is to be asked; Decided is
	// the answer.
	Due(now time.Time) []session.ID
	Decided(id session.ID, d engine.Decision, now time.Time)
	// Told notes what a router was told and how sure that is: session.NotTold
	// for nothing, only why not; an empty action with another proof for that
	// nobody knows any more.
	Told(id session.ID, action string, proof session.Proof, why string)
	// Worded notes in which words that was said, after Told, and whether the
	// profile has others by now.
	Worded(id session.ID, words string, outdated bool)
	// Telling notes what a router is being told from now on; an empty action:
	// nothing.
	Telling(id session.ID, action string)
	Gone(id session.ID, reason string)
	// Changed gets something whenever sessions may be due.
	Changed() <-chan struct{}
}

// Sender sends requests; see Client.
type Sender interface {
	Send(to *NAS, r Request, done func(Reply)) error
}

// Options are what a Keeper is given for its whole life.
type Options struct {
	Sessions Sessions
	Decider  Decider
	Sender   Sender
	Ledger   Ledger           // where campaigns are kept; nil: nowhere
	Journal  Journal          // where it is kept who is being told something; nil: nowhere
	Clock    func() time.Time // what time it is for the policy; nil: time.Now
	Timers   Clock            // by which routers are paced; nil: WallClock
	Log      *slog.Logger     // nil: discard
}

// Keeper keeps what routers were told equal to what the policy wants. It is one
// goroutine: everything else hands it work and waits for nothing. Its methods
// may be called concurrently.
type Keeper struct {
	sessions Sessions
	decider  Decider
	sender   Sender
	ledger   Ledger
	clock    func() time.Time
	timers   Clock
	log      *slog.Logger

	inbox  inbox
	scribe scribe
	herald herald
	stats  stats

	// What follows belongs to the keeper's goroutine.
	rules     Rules
	routers   map[string]Router // by name
	lanes     map[Place]*lane   // those with something to tell
	campaigns []*campaign
	sweep     *sweep
	puzzledAt time.Time // when it was last logged that one cannot be decided
	ticked    time.Time
	alarm     func() bool
	alarmAt   time.Time
	done      chan struct{}
	running   atomic.Bool
}

// tickInterval is how often it is looked whether sessions are due or have
// rested, and how often the state of campaigns is kept.
const tickInterval = time.Second

// NewKeeper makes a keeper; Start makes it work.
func NewKeeper(o Options) *Keeper {
	k := &Keeper{
		sessions: o.Sessions, decider: o.Decider, sender: o.Sender, ledger: o.Ledger,
		clock: o.Clock, timers: o.Timers, log: o.Log,
		lanes: map[Place]*lane{},
		done:  make(chan struct{}),
	}
	if k.clock == nil {
		k.clock = time.Now
	}
	if k.timers == nil {
		k.timers = WallClock{}
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	k.inbox.wake = make(chan struct{}, 1)
	k.scribe.log = k.log
	k.herald.journal, k.herald.send = o.Journal, k.dispatch
	k.rules = Rules{}.withDefaults()
	return k
}

// Start works until Close. Configure should have been called before.
func (k *Keeper) Start() {
	k.running.Store(true)
	go k.run()
}

func (k *Keeper) run() {
	defer close(k.done)
	for !k.inbox.isClosed() {
		k.step()
		select {
		case <-k.inbox.wake:
		case <-k.sessions.Changed():
		}
	}
}

// Done is closed when the keeper has ended: what was asked of it then is not
// answered any more.
func (k *Keeper) Done() <-chan struct{} { return k.done }

// Close ends the work. What is under way at routers is not waited for: after a
// restart it is asked for again.
func (k *Keeper) Close() {
	k.inbox.close()
	if k.running.Load() {
		<-k.done
	}
	k.herald.wait()
	k.keepCampaigns()
	k.scribe.wait()
}

// step does what can be done now and sets an alarm for the rest. A long sweep
// is taken up again by the next step, so that answers do not wait for it.
func (k *Keeper) step() {
	mail := k.inbox.take()
	for _, call := range mail.calls {
		call()
	}
	for _, r := range mail.results {
		k.finish(r)
	}
	now := k.timers.Now()
	if !k.alarmAt.After(now) {
		k.alarm = nil // it rang
	}
	k.accounts(mail.accounts)
	k.due()
	if now.Sub(k.ticked) >= tickInterval {
		k.tick(now)
	}
	k.goOn()
	next := k.ticked.Add(tickInterval)
	for _, l := range k.lanes {
		if at := k.pump(l); !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	if k.sweep != nil && (len(k.sweep.ids) > 0 || k.sweep.marker == 0) {
		k.inbox.nudge()
		return
	}
	k.setAlarm(next)
}

// setAlarm wakes the keeper at an instant, if nothing does before.
func (k *Keeper) setAlarm(at time.Time) {
	if k.alarm != nil && k.alarmAt.Equal(at) {
		return
	}
	if k.alarm != nil {
		k.alarm()
	}
	k.alarmAt = at
	k.alarm = k.timers.AfterFunc(max(at.Sub(k.timers.Now()), 0), func() {
		k.inbox.nudge()
	})
}

// tick does what is not urgent.
func (k *Keeper) tick(now time.Time) {
	k.ticked = now
	for _, l := range k.lanes {
		for r, p := l.due(now); r != nil; r, p = l.due(now) {
			k.revive(l, r, p)
		}
		l.forgetDead(k.sessions)
		k.conclude(l)
	}
	maps.DeleteFunc(k.lanes, func(_ Place, l *lane) bool { return l.idle(now) })
	k.keepCampaigns()
	k.count()
}

// revive gives a session whose rest is over its turn: the campaign's if it
// belongs to one.
func (k *Keeper) revive(l *lane, r *retry, p *part) {
	if p != nil && p == l.part {
		p.enqueue(r.id.AcctSession)
		return
	}
	l.hurry(&job{id: r.id})
}

// pump tells the sessions whose turn it is at a NAS and returns when to look
// again; zero: when something happens.
func (k *Keeper) pump(l *lane) time.Time {
	if err := l.reach(); err != nil {
		k.strand(l, err)
		return time.Time{}
	}
	now := k.timers.Now()
	if l.holdUntil.After(now) {
		return l.holdUntil
	}
	for passed := 0; l.hasRoom(); {
		if wait := l.pace.wait(now); wait > 0 {
			return now.Add(wait)
		}
		j, ok := l.pick()
		if !ok {
			break
		}
		before := len(l.underWay)
		k.tell(l, j, now)
		if len(l.underWay) > before {
			continue
		}
		if passed++; passed == sweepPiece { // so many needed no request: others may have something to say
			k.inbox.nudge()
			break
		}
	}
	return time.Time{}
}

// strand takes back the single changes that were to be told at a router to
// which there is no way any more.
func (k *Keeper) strand(l *lane, why error) {
	stranded := l.urgent
	l.urgent = nil
	for _, j := range stranded {
		l.picked(j)
		k.settle(l, j, Reply{Outcome: Refused, Err: why})
	}
}

// lane is what is under way and waiting at a router.
func (k *Keeper) lane(at Place) *lane {
	l := k.lanes[at]
	if l == nil {
		l = newLane(at, k.router(at), k.timers.Now(), k.herald.settled)
		k.lanes[at] = l
	}
	return l
}

// router is how the configuration has a router.
func (k *Keeper) router(at Place) Router {
	r, ok := k.routers[at.NAS]
	if !ok {
		return Router{Name: at.NAS, removed: true}
	}
	return r.at(at.Box)
}

// tell sends one session its action.
func (k *Keeper) tell(l *lane, j *job, now time.Time) {
	if other := l.underWay[j.id]; other != nil && (j.forced || j.disconnect) {
		other.then = append(other.then, j) // one at a time
		return
	} else if other != nil {
		if j.part == nil || j.part != other.part { // which is counted when it is answered
			k.settle(l, j, Reply{Outcome: Done}) // the answer brings it back if that is not what is wanted any more
		}
		return
	}
	s, live := k.sessions.Get(j.id)
	if !live {
		l.forget(j.id)
		k.settle(l, j, Reply{Outcome: Gone})
		return
	}
	j.of, j.version = s.Serial, l.version
	if err := k.ask(&s); err != nil { // its turn may have been long in coming, or this is after a restart
		l.rest(j, now)
		for _, tell := range j.replies {
			tell(Reply{Outcome: Later, Err: err})
		}
		return
	}
	target, _ := l.target(&s)
	if j.instead && target != j.action { // not what was refused
		j.instead, j.disconnect = false, false
	}
	j.action = target
	if !j.forced && !k.drifts(l, &s) {
		k.settle(l, j, Reply{Outcome: Done})
		return
	}
	request, err := l.compose(&s, j.action)
	if j.disconnect {
		request, err = l.disconnect(&s)
	}
	if err != nil {
		k.explain(&s, err.Error())
		k.settle(l, j, Reply{Outcome: Refused, Err: err})
		return
	}
	k.send(l, j, request, now)
}
