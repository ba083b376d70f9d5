package coa

import (
	"fmt"
	"time"

	"sekisho/dict"
	"sekisho/radius/session"
)

// finish takes up the end of a request: what the answer means for the session,
// for its campaign, and for whoever waits for it.
func (k *Keeper) finish(r result) {
	l, j := r.lane, r.job
	if l.underWay[j.id] == j {
		delete(l.underWay, j.id)
		k.sessions.Telling(j.id, "")
	}
	if j.part != nil {
		j.part.trying--
	}
	k.stats.answered(l.Name, j.kind, r.reply)
	again := k.learn(l, j, r.reply)
	if r.reply.Outcome != Reauthorizing || !l.awaitAccept(j.id) {
		k.herald.settled(j.id)
	}
	if j.part != nil {
		k.judge(l, j, r.reply, again)
	}
	for _, tell := range j.replies {
		tell(r.reply)
	}
	for _, next := range j.then {
		l.hurry(next)
	}
	k.newest(l, j.id)
}

// learn writes down what an answer says of the session; true when the session
// rests and is told again later.
func (k *Keeper) learn(l *lane, j *job, r Reply) (again bool) {
	if s, live := k.sessions.Get(j.id); live && s.Serial != j.of {
		return false // another session has the name by now
	}
	switch r.Outcome {
	case Done:
		k.applied(l, j)
	case Gone:
		l.forget(j.id)
		k.sessions.Gone(j.id, r.String())
	case Refused:
		return k.refuse(l, j, r)
	case Reauthorizing:
		l.restFor(j, reauthorizationTime, k.timers.Now())
		k.note(j.id, "the router asks for an Access-Accept: "+r.String())
		return true
	default:
		at := l.rest(j, k.timers.Now())
		why := fmt.Sprintf("%s; again in %s", r, at.Sub(k.timers.Now()).Round(time.Second))
		if r.Code == 0 && r.Outcome == Later && r.Err == nil {
			// It may have arrived: nobody knows what the router does now.
			k.sessions.Told(j.id, "", session.Sent, why)
			return true
		}
		k.note(j.id, why)
		return true
	}
	return false
}

// reauthorizationTime is how long an announced Access-Request is waited for.
const reauthorizationTime = 2 * time.Minute

func (k *Keeper) applied(l *lane, j *job) {
	l.forget(j.id)
	delete(l.refused, j.id)
	if j.kind == Disconnect {
		k.sessions.Gone(j.id, "Disconnect-ACK")
		return
	}
	proof := session.Acknowledged
	if l.Profile == nil || l.Profile.Quirks().SilentIgnore { // none: it was asked before a reload
		proof = session.Sent // this kind of router acknowledges what it ignores
	}
	k.sessions.Told(j.id, j.action, proof, "")
	k.sessions.Worded(j.id, j.words, false)
}

// refuse remembers what a router will not do, so that it is not asked again
// before something else is wanted or the configuration is another one. Where
// the profile says so, the session is ended instead; a refusedAction that is about
// the configuration ends none.
func (k *Keeper) refuse(l *lane, j *job, r Reply) (again bool) {
	if j.kind == Change && !r.General() && l.Profile != nil && l.Profile.Fallback() == dict.ByDisconnect && !j.instead && l.probed[j.id] == "" {
		instead := &job{id: j.id, action: j.action, instead: true, disconnect: true, replies: j.replies}
		if l.queued[j.id] == nil { // otherwise that one is asked first, and is none of the campaign's
			instead.part = j.part
		}
		l.hurry(instead)
		j.replies = nil
		return instead.part == j.part
	}
	l.forget(j.id)
	if j.version != l.version {
		return false // it was said in the words of an earlier configuration
	}
	l.refused[j.id] = refusedAction{j.of, j.action}
	k.note(j.id, r.String())
	if j.part == nil {
		k.log.Warn("a router refused to change a session", "nas", l.place.String(), "session", j.id.AcctSession, "action", j.action, "answer", r.String())
	}
	return false
}

// newest makes sure that the newest wins: what is wanted now may be another
// thing than what was told.
func (k *Keeper) newest(l *lane, id session.ID) {
	s, live := k.sessions.Get(id)
	if live && k.drifts(l, &s) && !l.rests(&s) && l.queued[id] == nil && !k.isAwaited(l, &s) {
		l.hurry(&job{id: id})
	}
}

// isAwaited reports whether the campaign will tell a session what it is to be
// told.
func (k *Keeper) isAwaited(l *lane, s *session.Session) bool {
	target, _ := l.target(s)
	return l.part != nil && l.part.awaits(s.ID, target)
}

// judge counts an answer for a campaign.
func (k *Keeper) judge(l *lane, j *job, r Reply, again bool) {
	p := j.part
	state := p.State
	switch {
	case p.comes(j.id): // again, since the campaign was turned round: it is counted then
	case r.Outcome == Done || r.Outcome == Gone:
		p.passed(j.id, r.Outcome)
	case !again:
		p.passed(j.id, Refused)
	case p.State != Over && l.tired(j.id):
		p.passed(j.id, Refused)
		l.leave(j.id)
	}
	p.note(r)
	k.turned(p, state)
	k.conclude(l)
}

// settle ends a job that needed no request.
func (k *Keeper) settle(l *lane, j *job, r Reply) {
	if j.part != nil {
		j.part.passed(j.id, r.Outcome)
		j.part.of.dirty = true
		k.conclude(l)
	}
	for _, tell := range j.replies {
		tell(r)
	}
}

// conclude ends a campaign at a NAS when nothing is left of it.
func (k *Keeper) conclude(l *lane) {
	p := l.part
	if p == nil || p.left() > 0 || p.State != Running && p.State != Canary {
		return
	}
	for acct, m := range p.members {
		if !m.settled {
			p.passed(p.id(acct), k.became(p.id(acct), m))
		}
	}
	p.State, p.Ended = Over, k.clock()
	l.part = nil
	if !p.Undo {
		p.members = nil // they are on disk
	}
	k.turned(p, Running)
}

// became is how a member is counted that a single change has taken from its
// campaign.
func (k *Keeper) became(id session.ID, m *member) Outcome {
	s, live := k.sessions.Get(id)
	switch {
	case !live || s.Serial != m.of:
		return Gone
	case s.Drift():
		return Refused // it is tried further on its own
	}
	return Done
}

// turned notes and logs a campaign's new state.
func (k *Keeper) turned(p *part, before string) {
	p.of.dirty = true
	if p.State == before {
		return
	}
	k.keepCampaigns() // a restart must not begin anew what has stopped
	level := k.log.Info
	if p.State == Stopped {
		level = k.log.Warn
		k.record("campaign.stop", p.of, map[string]string{"nas": p.place().String(), "why": p.Why})
	}
	level("campaign is "+p.State, "campaign", p.of.ID, "nas", p.place().String(), "why", p.Why, "done", p.Done, "failed", p.Failed, "gone", p.Gone, "left", p.left())
}

// note writes down why a session drifts.
func (k *Keeper) note(id session.ID, why string) { k.sessions.Told(id, "", session.NotTold, why) }
