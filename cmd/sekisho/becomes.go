package main

import (
	"fmt"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"
)

// What becomes of a change for a session that is up while it is made.
const (
	outcomeDone      = "done"       // the router was told, and the proof says how sure it is
	outcomeSame      = "same"       // nothing else is wanted than before, and the router has it
	outcomeWaiting   = "waiting"    // nothing is known yet
	outcomeNextLogin = "next-login" // it is not so, and why says why; the next login has it
	outcomeOver      = "over"       // the session has ended meanwhile
	outcomeExempt    = "exempt"     // sekisho tells such a session nothing
)

// becoming is what became of a change for one session.
type becoming struct {
	NAS     string    `json:"nas"`
	Box     string    `json:"box,omitempty"`
	Session string    `json:"session"`
	User    string    `json:"user"`
	Started time.Time `json:"started"`
	Wanted  string    `json:"wanted"`            // with the change
	Applied string    `json:"applied"`           // that the router was told last; empty: not known
	Proof   string    `json:"proof,omitempty"`   // of applied, as in sessions show
	Outcome string    `json:"outcome,omitempty"` // empty: nobody waited for it
	Seconds *float64  `json:"seconds,omitempty"` // from the change until the router had it; for done only
	Why     string    `json:"why,omitempty"`
}

// unwatched is a session before anything is known of what becomes of it.
func unwatched(r admin.SessionRef) becoming {
	return becoming{NAS: r.NAS, Box: r.Box, Session: r.Session, User: r.User, Started: r.Started, Wanted: r.After, Applied: r.Applied}
}

// become tells what became of a session by what the daemon says of it now; nil
// is a session that is over. The change was made at an instant of the daemon's
// clock.
func become(r admin.SessionRef, s *admin.Session, changed time.Time) becoming {
	b := unwatched(r)
	if s == nil {
		b.Outcome = outcomeOver
		return b
	}
	b.Applied, b.Proof, b.Why = s.Applied, s.Proof, s.Why
	switch {
	case s.Exempt != "":
		b.Outcome, b.Why = outcomeExempt, s.Exempt
	case s.Wanted != r.After, s.Undecided():
		b.Outcome, b.Why = outcomeWaiting, ""
	case s.Drift:
		b.Outcome = outcomeNextLogin
	case r.Before == r.After:
		b.Outcome = outcomeSame
	default:
		b.Outcome = outcomeDone
		if s.AppliedAt != nil {
			took := max(s.AppliedAt.Sub(changed).Seconds(), 0)
			b.Seconds = &took
		}
	}
	return b
}

// madeAt is when an override was changed last, by the daemon's clock.
func madeAt(o admin.Override) time.Time {
	switch n := len(o.History); {
	case o.Revoked != nil:
		return o.Revoked.At
	case n > 0:
		return o.History[n-1].At
	}
	return o.Created
}

var (
	// proofWords say how sure it is that a router does as it was told.
	proofWords = map[string]string{
		"acknowledged": "router acknowledged", "seen": "seen in the router's accounting", "sent": "the router was told",
	}
	// exemptWords say why a session is told nothing.
	exemptWords = map[string]string{
		"no-profile": "its NAS has no profile", "admin-login": "it is an administrator's login", "tunnel": "it goes on through a tunnel",
		"kept": "what the AAA server sent for it is kept",
	}
)

// words say what became of a session to whoever is on the phone.
func (b becoming) words() string {
	switch b.Outcome {
	case outcomeDone:
		return fmt.Sprintf("%s (%s%s)", b.Applied, proofWords[b.Proof], b.after())
	case outcomeSame:
		return fmt.Sprintf("%s as before (%s)", b.Applied, proofWords[b.Proof])
	case outcomeNextLogin:
		return fmt.Sprintf("%s: %s; from the next login on %s", b.still(), b.Why, b.Wanted)
	case outcomeOver:
		return "it has ended meanwhile; the next login is " + b.Wanted
	case outcomeExempt:
		why := b.Why
		if known := exemptWords[b.Why]; known != "" {
			why = known
		}
		return "sekisho tells its router nothing: " + why
	case outcomeWaiting:
		return fmt.Sprintf("%s has not answered yet: sekisho sessions show %s %s%s", b.NAS, b.NAS, b.Session, b.boxFlag())
	}
	return b.toBeTold()
}

func (b becoming) boxFlag() string {
	if b.Box == "" {
		return ""
	}
	return " --box " + b.Box
}

func (b becoming) after() string {
	if b.Seconds == nil {
		return ""
	}
	return fmt.Sprintf(", %.2f s", *b.Seconds)
}

func (b becoming) still() string {
	if b.Applied == "" {
		return "it is not known what the router does"
	}
	return "still " + b.Applied
}

// toBeTold says what is known where nobody waits for what becomes of it.
func (b becoming) toBeTold() string {
	switch b.Applied {
	case "":
		return "it is not known what the router was told"
	case b.Wanted:
		return "the router was told " + b.Applied
	}
	return fmt.Sprintf("the router was told %s, and is to be told %s", b.Applied, b.Wanted)
}

// line names a session and says what became of it.
func (d *desk) line(b becoming) string {
	nas := b.NAS
	if b.Box != "" {
		nas += " (" + b.Box + ")"
	}
	return fmt.Sprintf("%s on-line at %s since %s: %s", printable(b.User), printable(nas), d.since(b.Started), printable(b.words()))
}

// since is a time of today, or one with its day.
func (d *desk) since(at time.Time) string {
	at, now := at.In(d.people.zone), d.people.now.In(d.people.zone)
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04")
	}
	return strings.TrimSuffix(at.Format("2006-01-02 15:04"), " 00:00")
}
