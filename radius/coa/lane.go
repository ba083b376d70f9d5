package coa

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"sekisho/radius/session"
)

// job is one session being told.
type job struct {
	id      session.ID
	of      uint64 // the serial of the session that is told
	action  string
	words   string // in which it is told
	kind    Kind
	part    *part // nil: it belongs to no campaign
	replies []func(Reply)
	then    []*job // of the same session, after this one

	version    int           // of the configuration in whose words it is told
	forced     bool          // an operator's push: told whatever was applied
	disconnect bool          // ended rather than changed
	instead    bool          // since the router refused to change it to the action
	patience   time.Duration // see Request
}

// lane is everything that is under way and waiting at one router. Only the
// keeper's goroutine touches it.
type lane struct {
	Router
	place     Place
	version   int // of its configuration
	pace      *pace
	holdUntil time.Time           // nothing can be sent before
	urgent    []*job              // single changes, the oldest first
	queued    map[session.ID]*job // those of urgent
	underWay  map[session.ID]*job
	part      *part                 // the campaign here; nil: none
	again     retries               // those whose turn comes again later
	resting   map[session.ID]*retry // those of again
	refused   map[session.ID]refusedAction
	purge     int                   // so many refusals make it worth while to look for those of sessions that are over
	undone    []*part               // campaigns whose members are held at what they had before
	settled   func(session.ID)      // see Journal
	probed    map[session.ID]string // those that a probe looks at, and what it says; empty: nothing yet
}

func newLane(at Place, r Router, now time.Time, settled func(session.ID)) *lane {
	l := &lane{
		place:    at,
		settled:  settled,
		queued:   map[session.ID]*job{},
		underWay: map[session.ID]*job{},
		resting:  map[session.ID]*retry{},
		refused:  map[session.ID]refusedAction{},
		probed:   map[session.ID]string{},
	}
	l.configure(r, now)
	return l
}

// configure takes over a new configuration. What the router refused may now be
// said otherwise.
func (l *lane) configure(r Router, now time.Time) {
	if r.CoA != nil {
		r.CoA = r.CoA.withDefaults()
		if l.pace == nil || l.pace.rate != r.CoA.Rate {
			l.pace = newPace(r.CoA.Rate, now)
		}
	}
	l.Router = r
	l.version++
	clear(l.refused)
}

// target is what a session is to be told: what is wanted, unless a probe says
// otherwise or an undone campaign holds back just that.
func (l *lane) target(s *session.Session) (action, heldBy string) {
	if action := l.probed[s.ID]; action != "" {
		return action, "a probe looks at it"
	}
	for _, p := range l.undone {
		if m := p.members[s.AcctSession]; m != nil && m.holds(s) {
			return m.before, p.of.name() + " was undone"
		}
	}
	return s.Wanted, ""
}

// hasRoom reports whether another request may be under way.
func (l *lane) hasRoom() bool { return len(l.underWay) < l.CoA.Window }

// idle reports whether nothing would be lost with a lane: another one can be
// made when there is something to tell.
func (l *lane) idle(now time.Time) bool {
	return len(l.urgent)+len(l.underWay)+len(l.resting)+len(l.refused)+len(l.undone)+len(l.probed) == 0 &&
		l.part == nil && (l.pace == nil || l.pace.full(now))
}

// pick takes the next job: single changes first, then the campaign's.
func (l *lane) pick() (*job, bool) {
	if len(l.urgent) > 0 {
		j := l.urgent[0]
		l.urgent = l.urgent[1:]
		l.picked(j)
		return j, true
	}
	if l.part == nil || !l.part.may() {
		return nil, false
	}
	return &job{id: l.part.next(), part: l.part}, true
}

// picked notes that a job is not among the single changes any more.
func (l *lane) picked(j *job) {
	delete(l.queued, j.id)
	if j.part != nil {
		j.part.waiting--
	}
}

// withdraw takes a campaign's jobs out of the single changes.
func (l *lane) withdraw(p *part) {
	l.urgent = slices.DeleteFunc(l.urgent, func(j *job) bool {
		if j.part == p {
			l.picked(j)
		}
		return j.part == p
	})
}

// hurry puts a session among the single changes. One that is there already
// keeps its place.
func (l *lane) hurry(j *job) {
	if waiting := l.queued[j.id]; waiting != nil {
		waiting.forced = waiting.forced || j.forced
		waiting.disconnect, waiting.instead = waiting.disconnect || j.disconnect, waiting.instead || j.instead
		if j.instead {
			waiting.action = j.action
		}
		waiting.replies = append(waiting.replies, j.replies...)
		waiting.patience = cmp.Or(j.patience, waiting.patience)
		return
	}
	l.rouse(j.id)
	l.queued[j.id] = j
	if j.part != nil {
		j.part.waiting++
	}
	l.urgent = append(l.urgent, j)
}

// refusedAction is the action that a router will not give a session.
type refusedAction struct {
	of     uint64 // the session's serial
	action string
}

// meet forgets what was learned of an earlier session of the same name: a
// router that counts from the beginning gives its names again.
func (l *lane) meet(s *session.Session) {
	if r, ok := l.refused[s.ID]; ok && r.of != s.Serial {
		delete(l.refused, s.ID)
	}
	if r := l.resting[s.ID]; r != nil && r.of != s.Serial {
		l.forget(s.ID)
	}
}

// fewRefusals are not worth looking through.
const fewRefusals = 1000

// forgetDead forgets the sessions that are over: what they rested for, and, when
// they may have become many, their refusals.
func (l *lane) forgetDead(sessions Sessions) {
	l.forgetAwaited(sessions)
	if len(l.refused) < max(l.purge, fewRefusals) {
		return
	}
	for id, r := range l.refused {
		if s, live := sessions.Get(id); !live || s.Serial != r.of {
			delete(l.refused, id)
		}
	}
	l.purge = 2 * len(l.refused)
}

// forgetAwaited forgets those of which an Access-Accept was awaited, which
// nothing wakes any more where the router has left the configuration or takes no
// CoA by now.
func (l *lane) forgetAwaited(sessions Sessions) {
	for id, r := range l.resting {
		if !r.accept || r.index >= 0 || l.queued[id] != nil || l.underWay[id] != nil {
			continue
		}
		if s, live := sessions.Get(id); !live || s.Serial != r.of {
			l.forget(id)
		}
	}
}

// retry is a session whose turn comes again later.
type retry struct {
	id     session.ID
	of     uint64 // its serial
	at     time.Time
	tries  int
	action string // that was tried in vain
	part   *part
	index  int  // in the heap; -1: not there
	accept bool // its router asks for an Access-Accept: that it is told something stays announced
}

// How long a session waits after a request that came to nothing.
const (
	firstRest   = time.Minute
	longestRest = 15 * time.Minute
)

// rest lets a session wait, longer each time.
func (l *lane) rest(j *job, now time.Time) time.Time {
	tries := 0
	if r := l.resting[j.id]; r != nil {
		tries = r.tries
	}
	return l.restFor(j, min(firstRest<<min(tries, 8), longestRest), now)
}

func (l *lane) restFor(j *job, pause time.Duration, now time.Time) time.Time {
	l.rouse(j.id)
	r := l.resting[j.id]
	if r == nil {
		r = &retry{id: j.id, index: -1}
		l.resting[j.id] = r
	}
	r.tries++
	r.of = j.of
	r.at, r.action = now.Add(pause), j.action
	if r.part = j.part; r.part != nil {
		r.part.waiting++
	}
	heap.Push(&l.again, r)
	return r.at
}

// tired reports whether a session was tried so often that a campaign does not
// wait for it any longer.
func (l *lane) tired(id session.ID) bool {
	r := l.resting[id]
	return r != nil && r.tries > maxRests
}

// leave takes a resting session out of its campaign.
func (l *lane) leave(id session.ID) {
	if r := l.resting[id]; r != nil && r.part != nil {
		l.wake(r)
	}
}

// rouse ends a session's rest early.
func (l *lane) rouse(id session.ID) {
	if r := l.resting[id]; r != nil && r.index >= 0 {
		heap.Remove(&l.again, r.index)
		l.wake(r)
	}
}

// rousePart gives the resting members of a campaign their turn now: an operator
// who goes on with it has looked at the router.
func (l *lane) rousePart(p *part) {
	for acct := range p.members {
		id := p.id(acct)
		if r := l.resting[id]; r != nil && r.part == p {
			l.forget(id)
			p.enqueue(acct)
		}
	}
}

// awaitAccept leaves it announced that a session is being told something, until
// its rest is over for good: the Access-Accept that its router has asked for is
// told without another announcement. False when one stands already, or the
// session does not rest.
func (l *lane) awaitAccept(id session.ID) bool {
	r := l.resting[id]
	if r == nil || r.accept {
		return false
	}
	r.accept = true
	return true
}

// forget ends a session's rest for good: it was told, or is gone.
func (l *lane) forget(id session.ID) {
	l.rouse(id)
	if r := l.resting[id]; r != nil && r.accept {
		l.settled(id)
	}
	delete(l.resting, id)
}

// due takes out a session whose rest is over, with the campaign that it belongs
// to; nil when there is none.
func (l *lane) due(now time.Time) (*retry, *part) {
	if len(l.again) == 0 || l.again[0].at.After(now) {
		return nil, nil
	}
	r := heap.Pop(&l.again).(*retry)
	p := r.part
	l.wake(r)
	return r, p
}

func (l *lane) wake(r *retry) {
	if r.part != nil {
		r.part.waiting--
	}
	r.part = nil
}

// retries is a heap by time.
type retries []*retry

func (h retries) Len() int           { return len(h) }
func (h retries) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h retries) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push and Pop are for package heap.
func (h *retries) Push(x any) {
	r := x.(*retry)
	r.index = len(*h)
	*h = append(*h, r)
}

// Pop takes the last.
func (h *retries) Pop() any {
	last := (*h)[len(*h)-1]
	last.index = -1
	*h = (*h)[:len(*h)-1]
	return last
}

// compareIDs orders sessions as the store does.
func compareIDs(a, b session.ID) int {
	return cmp.Or(cmp.Compare(a.NAS, b.NAS), cmp.Compare(a.Box, b.Box), cmp.Compare(a.AcctSession, b.AcctSession))
}
