package coa

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"sekisho/radius/session"
)

// sweep is a look at many sessions, in pieces. What drifts is only told at its
// end: then it is known whether a NAS needs a campaign.
type sweep struct {
	cause  string
	ids    []session.ID           // still to be looked at, of those that are known to be due
	found  map[Place][]session.ID // that drift
	marker int                    // goroutines that are still making sessions due
}

// sweepPiece is how many sessions are decided before the keeper looks up.
const sweepPiece = 500

// timeHasCome is the cause of a sweep that has no other.
const timeHasCome = "sessions whose time has come"

// EverythingChanged says that every session is to be decided anew, and why: the
// policy is another one. mark makes them due; it runs in a goroutine of its own
// and may take its time. EverythingChanged itself does not wait.
func (k *Keeper) EverythingChanged(why string, mark func()) {
	k.inbox.call(func() {
		k.sweeping(why).marker++
		go func() {
			defer k.inbox.call(func() { k.sweep.marker-- })
			mark()
		}()
	})
}

// sweeping is the sweep that is under way, or a new one. A cause of its own
// takes the place of none.
func (k *Keeper) sweeping(cause string) *sweep {
	if k.sweep == nil {
		k.sweep = &sweep{cause: cause, found: map[Place][]session.ID{}}
	}
	if k.sweep.cause == timeHasCome {
		k.sweep.cause = cause
	}
	return k.sweep
}

// accounts looks at the sessions of accounts: at once where they are few, also
// while a sweep is under way.
func (k *Keeper) accounts(folded map[string]struct{}) {
	var ids []session.ID
	for account := range folded {
		ids = append(ids, k.sessions.Account(account)...)
	}
	if len(ids) > k.rules.Threshold {
		s := k.sweeping("overrides or contracts of many accounts changed")
		s.ids = append(s.ids, ids...)
		return
	}
	for _, id := range ids {
		k.look(id)
	}
}

// due looks at the sessions about which the engine is to be asked.
func (k *Keeper) due() {
	if k.sweep != nil && len(k.sweep.ids) > 0 {
		return // one thing after the other
	}
	ids := k.sessions.Due(k.clock())
	if k.sweep != nil || len(ids) > k.rules.Threshold {
		s := k.sweeping(timeHasCome)
		s.ids = append(s.ids, ids...)
		return
	}
	for _, id := range ids {
		k.look(id)
	}
}

// look decides about one session and has it told if it drifts.
func (k *Keeper) look(id session.ID) {
	if l, drifts := k.decide(id); drifts {
		l.hurry(&job{id: id})
		k.crowd(l)
	}
}

// goOn takes a piece of the sweep that is under way. The sweep is over when no
// more sessions are due.
func (k *Keeper) goOn() {
	s := k.sweep
	if s == nil {
		return
	}
	n := min(sweepPiece, len(s.ids))
	for _, id := range s.ids[:n] {
		if l, drifts := k.decide(id); drifts {
			s.found[l.place] = append(s.found[l.place], id)
		}
	}
	if s.ids = s.ids[n:]; len(s.ids) == 0 {
		s.ids = nil
		k.due()
	}
	if len(s.ids) == 0 && s.marker == 0 {
		k.endSweep()
	}
}

// endSweep tells what was found: in a campaign where it is much.
func (k *Keeper) endSweep() {
	s := k.sweep
	k.sweep = nil
	many := map[*lane][]session.ID{}
	for _, at := range slices.SortedFunc(maps.Keys(s.found), Place.Compare) {
		l, ids := k.lane(at), s.found[at]
		slices.SortFunc(ids, compareIDs)
		ids = slices.Compact(ids)
		if len(ids) > k.rules.Threshold {
			many[l] = ids
			continue
		}
		for _, id := range ids {
			l.hurry(&job{id: id})
		}
	}
	if len(many) > 0 {
		k.campaign(s.cause, many)
	}
}

// crowd makes a campaign of single changes that have become too many.
func (k *Keeper) crowd(l *lane) {
	if len(l.urgent) <= k.rules.Threshold {
		return
	}
	var ids []session.ID
	var single []*job
	for _, j := range l.urgent {
		if j.forced || j.disconnect || len(j.replies) > 0 {
			single = append(single, j)
			continue
		}
		ids = append(ids, j.id)
		delete(l.queued, j.id)
	}
	if l.urgent = single; len(ids) == 0 {
		return
	}
	slices.SortFunc(ids, compareIDs)
	k.campaign("single changes that had become too many", map[*lane][]session.ID{l: ids})
}

// decide asks the engine about a session and reports whether its router is to
// be told something that is not on its way already. Where no decision can be
// made the session is due again a while later.
func (k *Keeper) decide(id session.ID) (*lane, bool) {
	s, live := k.sessions.Get(id)
	if !live || k.ask(&s) != nil {
		return nil, false
	}
	l := k.lane(placeOf(id))
	return l, k.drifts(l, &s) && l.underWay[id] == nil && l.queued[id] == nil && !l.rests(&s) && !k.isAwaited(l, &s)
}

// ask has the engine say what is wanted for a session now.
func (k *Keeper) ask(s *session.Session) error {
	now := k.clock()
	d, err := k.decider.Decide(s, now)
	if err != nil {
		k.puzzled(s.ID, err)
		return err
	}
	k.sessions.Decided(s.ID, d, now)
	if s.Wanted != d.Action {
		s.Why = "" // nor has the table it any more: it stood for what was wanted before
	}
	s.Wanted = d.Action
	return nil
}

// drifts reports whether a router is to be told something, and notes why not
// where it should be and cannot.
func (k *Keeper) drifts(l *lane, s *session.Session) bool {
	target, heldBy := l.target(s)
	l.meet(s)
	if refused, ok := l.refused[s.ID]; ok && refused.action != target {
		delete(l.refused, s.ID)
	}
	switch {
	case s.Exempt != "" || target == "" || target == s.Applied && !k.outdated(l, s):
		if heldBy != "" && s.Exempt == "" {
			k.explain(s, fmt.Sprintf("held at %s: %s", target, heldBy))
		}
		l.forget(s.ID)
		return false
	case l.refused[s.ID].action == target:
		return false
	}
	request, err := l.compose(s, target)
	if err == nil && target == s.Applied && request.Kind == Disconnect {
		err = errors.New(l.news(s) + "; nobody's session is ended for that")
	}
	if err != nil {
		k.explain(s, err.Error())
		return false
	}
	return true
}

// outdated reports whether a session was told what it is to have in words that
// are not those of the profile any more: the site file was reloaded.
func (k *Keeper) outdated(l *lane, s *session.Session) bool {
	outdated := l.Profile != nil && l.Profile.Outdated(s.Applied, s.Words)
	if outdated == s.Outdated {
		return outdated
	}
	k.sessions.Worded(s.ID, s.Words, outdated)
	if s.Outdated = outdated; outdated {
		k.explain(s, l.news(s))
	}
	return outdated
}

// news says what an outdated session was told and what its router is told by
// now.
func (l *lane) news(s *session.Session) string {
	said, ok := l.Profile.CoA(s.Applied)
	if !ok {
		said, _ = l.Profile.Login(s.Applied)
	}
	return fmt.Sprintf("told %s as %s, now %s", s.Applied, s.Words, said.Words)
}

// explain notes why a session drifts.
func (k *Keeper) explain(s *session.Session, why string) {
	if s.Why != why {
		k.sessions.Told(s.ID, s.Applied, session.NotTold, why)
	}
}

// rests reports whether a session waits for its next try of just what it is to
// be told.
func (l *lane) rests(s *session.Session) bool {
	r := l.resting[s.ID]
	if r == nil || r.index < 0 {
		return false
	}
	if target, _ := l.target(s); r.action == target {
		return true
	}
	l.forget(s.ID) // what was tried in vain is not wanted any more
	return false
}

// puzzled notes a session that cannot be decided now.
func (k *Keeper) puzzled(id session.ID, err error) {
	k.note(id, "no decision: "+err.Error())
	if now := k.timers.Now(); now.Sub(k.puzzledAt) >= 10*time.Second {
		k.puzzledAt = now
		k.log.Error("a live session cannot be decided", "nas", id.NAS, "session", id.AcctSession, "error", err)
	}
}
