package coa

import (
	"fmt"
	"slices"
	"time"

	"sekisho/radius/session"
	"sekisho/store"
)

// The states of a campaign at one router.
const (
	Planned = "planned" // it is being written down
	Canary  = "canary"  // the first sessions are told, the others wait for their ACKs
	Running = "running"
	Paused  = "paused"  // by an operator
	Stopped = "stopped" // by itself: too many answers were no ACKs
	Over    = "over"
)

// Rules are how campaigns are held. Zero values stand for the defaults.
type Rules struct {
	Threshold int // a NAS where more sessions drift at once gets a campaign
	Canary    int // so many sessions must be acknowledged before the rest is told
	StopRatio int // percent of the last answers that may be bad
	StopOver  int // how many answers are looked back on
}

// The defaults of Rules.
const (
	DefaultThreshold = 100
	DefaultCanary    = 5
	DefaultStopRatio = 20
	DefaultStopOver  = 50
)

func (r Rules) withDefaults() Rules {
	for value, otherwise := range map[*int]int{
		&r.Threshold: DefaultThreshold, &r.Canary: DefaultCanary, &r.StopRatio: DefaultStopRatio, &r.StopOver: DefaultStopOver,
	} {
		if *value == 0 {
			*value = otherwise
		}
	}
	return r
}

// maxRests is how often a member of a campaign is tried again before the
// campaign goes on without it; the keeper tries further.
const maxRests = 4

// member is a session of a campaign: what it was told before and what it is to
// be told.
type member struct {
	before, after string // an empty before is not known, and nothing to go back to
	of            uint64 // its serial; 0: it was over when the member was read back
	queued        bool   // its turn is still to come
	held          bool   // it gets no turn before it is on disk
	changed       bool   // since it was last made ready for the disk
	settled       bool   // it is counted as what outcome says
	outcome       Outcome
}

// part is a campaign at one router: which sessions, how far it is, and whether it
// may go on. It does no I/O and reads no clock.
type part struct {
	store.CampaignPart
	of      *campaign
	rules   Rules
	members map[string]*member // by Acct-Session-Id
	todo    []string           // of those, in the order in which they are told
	unkept  []string           // of those, the ones that are to be written; they have no turn before
	waiting int                // of the members: those whose turn comes again later
	acks    int                // of this canary
	trying  int                // under way now
	recent  []bool             // the last answers: bad or not
	mark    mark               // since when and whence the pace is measured
}

// mark is a point of a campaign's progress.
type mark struct {
	at   time.Time
	done int
}

func newPart(of *campaign, at Place, rules Rules) *part {
	return &part{
		CampaignPart: store.CampaignPart{NAS: at.NAS, Box: at.Box, State: Planned},
		of:           of,
		rules:        rules,
		members:      map[string]*member{},
	}
}

func (p *part) place() Place { return Place{p.NAS, p.Box} }

func (p *part) id(acct string) session.ID {
	return session.ID{NAS: p.NAS, Box: p.Box, AcctSession: acct}
}

// add makes a session a member that is to be told; see hold. One
// that is a member already keeps what it had before the campaign.
func (p *part) add(s *session.Session, after string) {
	m := p.members[s.AcctSession]
	if m == nil {
		m = &member{of: s.Serial, before: s.Applied}
		p.members[s.AcctSession] = m
		p.Total++
	}
	if m.of != s.Serial && m.of != 0 { // another session has the name by now
		m.before, m.after = s.Applied, ""
	}
	m.of = s.Serial
	p.recount(m, -1)
	m.settled = false
	if p.Undo && after != m.before {
		m.before = "" // it is not held at that: something else is wanted than what was undone
	}
	if !p.Undo || after != m.before {
		m.after = after
	}
}

// enqueue gives a member its turn at the end.
func (p *part) enqueue(acct string) {
	if m := p.members[acct]; m != nil && !m.queued && !m.held {
		m.queued = true
		p.todo = append(p.todo, acct)
	}
}

// unturn takes those from the queue that are held.
func (p *part) unturn() {
	p.todo = slices.DeleteFunc(p.todo, func(acct string) bool { return p.members[acct].held })
}

// comes reports whether the turn of a member is still to come.
func (p *part) comes(id session.ID) bool {
	m := p.members[id.AcctSession]
	return m != nil && (m.queued || m.held) && p.State != Over
}

// awaits reports whether the turn of a member is still to come, and brings it
// just that action.
func (p *part) awaits(id session.ID, action string) bool {
	return p.comes(id) && p.members[id.AcctSession].goal(p.Undo) == action
}

// holds reports whether an undone campaign keeps a session at what it had
// before.
func (m *member) holds(s *session.Session) bool {
	return m.after == s.Wanted && m.before != "" && (m.of == 0 || m.of == s.Serial)
}

// goal is what the campaign wants a member to have.
func (m *member) goal(undo bool) string {
	if undo && m.before != "" {
		return m.before
	}
	return m.after
}

// start begins to tell the sessions, or begins again after a stop.
func (p *part) start(now time.Time) {
	p.State, p.Why, p.Away, p.acks, p.recent = Canary, "", false, 0, nil
	p.measure(now)
}

// measure begins to measure the pace.
func (p *part) measure(now time.Time) {
	if p.Began.IsZero() {
		p.Began = now
	}
	p.mark = mark{now, p.settled()}
}

// may reports whether another session may be told now.
func (p *part) may() bool {
	switch p.State {
	case Running:
		return len(p.todo) > 0
	case Canary:
		return len(p.todo) > 0 && p.acks+p.trying < p.rules.Canary
	}
	return false
}

// next takes the session whose turn it is; see may.
func (p *part) next() session.ID {
	acct := p.todo[0]
	p.todo = p.todo[1:]
	p.members[acct].queued = false
	return p.id(acct)
}

// left is how many sessions are still to be told, settled how many are not.
func (p *part) left() int    { return len(p.todo) + p.waiting + p.trying + len(p.unkept) }
func (p *part) settled() int { return p.Done + p.Gone + p.Failed }

// active reports whether the campaign has something to do here, now or when it
// is let.
func (p *part) active() bool { return p != nil && p.State != Over }

// passed counts a member, once however often it was told.
func (p *part) passed(id session.ID, o Outcome) {
	m := p.members[id.AcctSession]
	if m == nil {
		return // the campaign is over here, and has counted all of them
	}
	p.recount(m, -1)
	m.settled, m.outcome = true, o
	p.recount(m, 1)
}

func (p *part) recount(m *member, by int) {
	switch {
	case !m.settled:
	case m.outcome == Done:
		p.Done += by
	case m.outcome == Gone:
		p.Gone += by
	default:
		p.Failed += by
	}
}

// note judges an answer, and stops the campaign when it says so.
func (p *part) note(r Reply) {
	if r.Outcome == Done {
		p.acks++
	}
	if p.State != Canary && p.State != Running {
		return
	}
	if r.General() {
		p.stop("the router would answer the same for every session: " + r.String())
		return
	}
	p.look(r)
	if p.State == Canary && p.acks >= p.rules.Canary {
		p.State = Running
	}
}

// look keeps the last answers and stops at too many bad ones: among the first,
// or among the last.
func (p *part) look(r Reply) {
	bad := r.Outcome == Refused || r.Outcome == Later || r.Outcome == Unreachable
	if p.recent = append(p.recent, bad); len(p.recent) > p.rules.StopOver {
		p.recent = p.recent[1:]
	}
	failed := 0
	for _, b := range p.recent {
		if b {
			failed++
		}
	}
	enough := len(p.recent) >= min(p.rules.StopOver, p.rules.Canary)
	if bad && enough && failed*100 > p.rules.StopRatio*len(p.recent) {
		p.stop(fmt.Sprintf("%d of the last %d answers were no ACKs, the last: %s", failed, len(p.recent), r))
	}
}

func (p *part) stop(why string) { p.State, p.Why = Stopped, why }

// turn makes the members go back to what they had, or forth again: whoever is
// already there is passed over when its turn comes.
func (p *part) turn(undo bool, now time.Time) {
	p.Undo = undo
	p.Done, p.Gone, p.Failed, p.Total = 0, 0, 0, len(p.members)
	p.Ended = time.Time{}
	p.queueAll()
	p.start(now)
}

// queueAll gives every member its turn.
func (p *part) queueAll() {
	p.todo = p.todo[:0]
	for acct, m := range p.members {
		m.settled = false
		if m.held {
			continue
		}
		m.queued = true
		p.todo = append(p.todo, acct)
	}
	slices.Sort(p.todo)
}
