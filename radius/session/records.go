package session

import (
	"time"

	"sekisho/radius"
)

const second = int64(time.Second)

// blur is how far apart two tellings of one instant may be: Acct-Delay-Time
// and Acct-Session-Time are whole seconds, and packets take their time.
const blur = 2 * second

// stamp is when a record's event happened, by our clock.
func stamp(r *radius.Record) int64 { return r.At.Add(-r.Delay).UnixNano() }

// began is when the session of a record began, as far as it tells.
func began(r *radius.Record) int64 { return stamp(r) - int64(r.Lasted) }

// beganByNAS is the same by the clock of the NAS, in s; 0: it does not say.
func beganByNAS(r *radius.Record) int64 {
	if r.Event.IsZero() || r.Lasted == 0 {
		return 0
	}
	return event(r) - int64(r.Lasted/time.Second)
}

// event is when it happened by the clock of the NAS, in s; 0: it does not say.
func event(r *radius.Record) int64 {
	if r.Event.IsZero() {
		return 0
	}
	return r.Event.Unix()
}

// Accounting takes in a record, and keeps nothing of its memory; see
// radius.Sessions.
func (t *Table) Accounting(r *radius.Record) {
	if r.Status == radius.StatusOn || r.Status == radius.StatusOff {
		t.restarted(r)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counters.records[kindOf(r.Status)]++
	if r.Session == "" || kindOf(r.Status) == otherRecord {
		return // of a tunnel or a link, or it cannot be said of which session
	}
	e := t.known(idOf(&r.Sighting))
	if e != nil {
		t.rewind(e, r)
	}
	if t.stale(e, r) {
		t.counters.stale++
		return
	}
	switch r.Status {
	case radius.StatusStart:
		t.start(e, r)
	case radius.StatusInterim:
		t.interim(e, r)
	case radius.StatusStop:
		t.stop(e, r)
	}
}

// stale reports whether a record is about the time before what is known: its
// session is over, its router has started again, or an earlier session had the
// same Acct-Session-Id.
func (t *Table) stale(e *entry, r *radius.Record) bool {
	if router := t.routers[place{r.NAS, r.Box}]; router != nil && stamp(r) < router.booted && !ahead(router.booted, r) {
		return true
	}
	if e != nil {
		return stamp(r) < e.started-blur && !e.inferred
	}
	s, over := t.graves.stones[idOf(&r.Sighting)]
	return over && !s.before(r)
}

// before reports whether a record's event came after the end of the session
// that the stone stands for. A record that was under way for long loses ties.
func (s stone) before(r *radius.Record) bool {
	at := event(r)
	if at != 0 && s.event != 0 && at != s.event {
		return at > s.event
	}
	if r.Status == radius.StatusStart && at != 0 && at == s.began {
		return false // its own Start: a session of less than a second
	}
	if ahead(s.stamp, r) {
		return true
	}
	if r.Delay > 0 || r.Status == radius.StatusInterim { // no session sends one as soon as that
		return stamp(r) > s.stamp+blur
	}
	return stamp(r) > s.stamp
}

// older reports whether a record tells of a time before the newest one that
// was taken in.
func (e *entry) older(r *radius.Record) bool {
	if at := event(r); at != 0 && e.event != 0 && at != e.event {
		return at < e.event
	}
	if r.Delay > 0 {
		return stamp(r) < e.last+blur/2
	}
	return stamp(r) < e.last
}

// start takes in a Start. One for a session that is known is the same one
// again, or that of a session which has come after it under the same
// Acct-Session-Id: routers begin to count anew when they restart.
func (t *Table) start(e *entry, r *radius.Record) {
	switch {
	case e == nil:
		t.open(r, stamp(r), event(r))
		return
	case !t.same(e, r):
		t.end(e, stone{stamp: stamp(r), event: event(r)}, Replaced, Replaced)
		t.open(r, stamp(r), event(r))
		return
	}
	t.counters.repeated++
	if e.inferred && stamp(r) < e.started+blur {
		if e.since == e.started {
			e.since = stamp(r)
		}
		e.started, e.startEvent, e.inferred = stamp(r), event(r), false
		e.router.begun.note(e)
		t.changes.mark(e)
	}
	t.refresh(e, r)
}

// sameStart is how far apart two Starts of one session may be, where the NAS
// does not tell how long it has been trying.
const sameStart = 60 * second

// same reports whether a Start is of the session that is known.
func (t *Table) same(e *entry, r *radius.Record) bool {
	if !e.knows(r) || e.elsewhere(r) {
		return false
	}
	apart := stamp(r) - e.started
	if at := event(r); at != 0 && e.startEvent != 0 {
		apart = (at - e.startEvent) * second
	}
	if e.inferred && stamp(r) <= e.last+blur {
		return true // the Start that was thought to be lost
	}
	if apart <= blur || apart > sameStart {
		return apart <= blur
	}
	_, l := t.waiting.find(r)
	return l == nil
}

// knows reports whether a record speaks of the login of the session.
func (e *entry) knows(r *radius.Record) bool {
	return r.UserName == "" || r.UserName == e.userName || r.UserName == e.name
}

// elsewhere reports whether a record is of another line or has another address.
func (e *entry) elsewhere(r *radius.Record) bool {
	if e.address.IsValid() && r.Address.IsValid() && e.address != r.Address {
		return true
	}
	for rest := e.identity; rest != ""; {
		var a Attribute
		a, rest = next(rest)
		if a.Vendor != 0 || a.Number != callingStationID && a.Number != nasPortID && a.Number != nasPort {
			continue
		}
		if told := value(r.Identity, a.Number); told != "" && told != a.Value {
			return true
		}
	}
	return false
}

// interim takes in an Interim. That of an unknown session creates it: its
// Start was lost, or came to another daemon.
func (t *Table) interim(e *entry, r *radius.Record) {
	if e != nil && t.successor(e, r) {
		t.end(e, stone{stamp: max(began(r), e.started)}, Replaced, Replaced)
		e = nil
	}
	if e == nil {
		t.counters.created++
		t.open(r, began(r), beganByNAS(r)).inferred = r.Lasted == 0
		return
	}
	if e.older(r) {
		t.counters.stale++
		return
	}
	e.paced(r, int64(t.options.Interim))
	t.refresh(e, r)
}

// successor reports whether a record that is not a Start is of a session that
// has come after the known one under the same Acct-Session-Id, Stop and Start
// of which were lost.
func (t *Table) successor(e *entry, r *radius.Record) bool {
	return !e.knows(r) && (r.Lasted == 0 || began(r) > e.started+blur)
}

// paced learns how often the session sends Interims.
func (e *entry) paced(r *radius.Record, usual int64) {
	if e.interval == 0 {
		e.interval = usual
	}
	if gap := stamp(r) - e.last; gap > e.interval && gap < 10*usual {
		e.interval = gap
	}
}

// stop takes in a Stop. That of an unknown session, the Start of which was
// lost or is late, is told to history and nobody else.
func (t *Table) stop(e *entry, r *radius.Record) {
	if e != nil && t.successor(e, r) {
		t.end(e, stone{stamp: max(began(r), e.started)}, Replaced, Replaced)
		e = nil
	}
	if e == nil {
		t.counters.unknownStops++
		e = t.open(r, began(r), beganByNAS(r))
	} else if !e.older(r) {
		t.refresh(e, r)
	}
	began := e.startEvent
	if began == 0 && r.Lasted == 0 {
		began = event(r)
	}
	t.end(e, stone{stamp: stamp(r), event: event(r), began: began}, Stopped, Stopped)
}

// restarted ends the sessions of a router whose accounting begins or ends
// (RFC 2866 section 5.1), those that have begun since apart. It lets others in
// between some hundred of them.
func (t *Table) restarted(r *radius.Record) {
	at := stamp(r)
	if r.Delay > 0 {
		at -= second // it is told in whole ones, and sessions may have begun at once
	}
	for _, e := range t.upTo(r, at) {
		t.restart(e, at)
	}
}

func (t *Table) upTo(r *radius.Record, at int64) []*entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counters.records[kindOf(r.Status)]++
	router := t.router(place{r.NAS, r.Box}, r.Area)
	if at > router.booted || ahead(router.booted, r) {
		router.booted, router.bootEvent = at, event(r)
	}
	if router.begun.after(r, at) {
		return nil
	}
	var over []*entry
	router.begun = nobody
	t.counters.walked += uint64(len(router.sessions))
	for _, e := range router.sessions {
		if t.rewind(e, r); e.precedes(event(r), at) {
			over = append(over, e)
		} else {
			router.begun.note(e)
		}
	}
	return over
}

// precedes reports whether a session began before its router's accounting did,
// by the clock of the NAS where that tells.
func (e *entry) precedes(restart, at int64) bool {
	if restart != 0 && e.startEvent != 0 {
		return e.startEvent < restart
	}
	return e.started <= at
}

func (t *Table) restart(e *entry, at int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.router != nil {
		t.end(e, stone{stamp: at}, Restarted, Restarted)
	}
}
