package coa

import (
	"errors"
	"sync"
	"time"

	"sekisho/radius/session"
)

// Journal remembers over a crash which routers are being told something; see
// session.Writer. Its methods may be called from any goroutine.
type Journal interface {
	// Announce returns when it is on disk that the routers of these sessions are
	// about to be told something, or cannot be: it is not for ever.
	Announce([]session.ID)
	// Settled says that Sessions have what came of it.
	Settled(session.ID)
}

// errand is a request that is to be sent.
type errand struct {
	lane    *lane
	job     *job
	to      *NAS
	request Request
}

// herald has it announced that routers are about to be told something, and
// sends the requests then: without that, a crash right after the answer would
// leave a table that believes what the router was told before. All that comes
// while the disk is at work shares the next transaction; how many that can be
// the windows of the routers say.
type herald struct {
	journal Journal
	send    func(errand)
	mu      sync.Mutex
	waiting []errand
	busy    sync.WaitGroup
	on      bool // a goroutine works the errands off
}

// add has a request sent soon.
func (h *herald) add(e errand) {
	if h.journal == nil {
		h.send(e)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting = append(h.waiting, e)
	if !h.on {
		h.on = true
		h.busy.Go(h.work)
	}
}

func (h *herald) work() {
	for all := h.take(); len(all) > 0; all = h.take() {
		ids := make([]session.ID, len(all))
		for i, e := range all {
			ids[i] = e.job.id
		}
		h.journal.Announce(ids)
		for _, e := range all {
			h.send(e)
		}
	}
}

// take takes all that waits; nothing ends the work.
func (h *herald) take() []errand {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.waiting
	h.waiting, h.on = nil, len(all) > 0
	return all
}

// settled says that the sessions have what came of telling one.
func (h *herald) settled(id session.ID) {
	if h.journal != nil {
		h.journal.Settled(id)
	}
}

// wait returns when everything was sent.
func (h *herald) wait() { h.busy.Wait() }

// send has the router of a session told.
func (k *Keeper) send(l *lane, j *job, request Request, now time.Time) {
	j.kind = request.Kind
	if said, ok := l.Profile.CoA(j.action); ok {
		j.words = said.Words
	}
	request.Patience = j.patience
	l.underWay[j.id] = j
	k.sessions.Telling(j.id, j.action)
	if j.part != nil {
		j.part.trying++
	}
	l.pace.take(now)
	k.herald.add(errand{l, j, l.CoA, request})
}

// dispatch sends a request. It may run in another goroutine than the keeper's.
func (k *Keeper) dispatch(e errand) {
	err := k.sender.Send(e.to, e.request, func(r Reply) { k.inbox.result(result{e.lane, e.job, r}) })
	switch {
	case errors.Is(err, ErrBusy):
		k.inbox.call(func() { k.unsent(e.lane, e.job) })
	case err != nil:
		k.inbox.result(result{e.lane, e.job, Reply{Outcome: Later, Err: err}})
	}
}

// unsent puts a job back whence it came, and lets its router be for a while:
// every identifier towards it is in use.
func (k *Keeper) unsent(l *lane, j *job) {
	delete(l.underWay, j.id)
	k.sessions.Telling(j.id, "")
	k.herald.settled(j.id)
	l.holdUntil = k.timers.Now().Add(tickInterval)
	for _, next := range j.then {
		l.hurry(next)
	}
	j.then = nil
	if j.part != nil {
		j.part.trying--
	}
	if j.part != nil && !j.instead {
		j.part.enqueue(j.id.AcctSession)
		return
	}
	l.hurry(j)
}
