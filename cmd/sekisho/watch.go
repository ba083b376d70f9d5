package main

import (
	"context"
	"fmt"
	"time"

	"sekisho/cmd/internal/admin"
)

// patience is how long a verb waits for routers to obey. Most answer within
// some milliseconds; one that is asked again is so after two seconds (RFC 5080
// section 2.2.1). Tests on busy machines have more of it.
var patience = 3 * time.Second

// stopwatch is the clock by which a verb waits.
type stopwatch interface {
	Now() time.Time
	After(time.Duration) <-chan time.Time
}

type wallStopwatch struct{}

func (wallStopwatch) Now() time.Time                         { return time.Now() }
func (wallStopwatch) After(d time.Duration) <-chan time.Time { return time.After(d) }

// How often the daemon is asked: soon at first, for whoever waits at the
// terminal, then less and less often.
const (
	firstLook   = 5 * time.Millisecond
	longestLook = 250 * time.Millisecond
)

// live is what becomes of the live sessions of a change: what came of it within
// a while, or, where nobody waits, what is known at once. Nothing becomes of
// them by a change that does not hold yet, or that others follow at once.
func (d *desk) live(c admin.Changed, more bool) (all []becoming) {
	if c.Effect == nil || pending(c) {
		return nil
	}
	refs := d.sinceFirst(c.Effect.Sessions)
	if more {
		return nil
	}
	if !c.DryRun && !d.Bool("no-wait") && len(refs) > 0 {
		all, err := watched(d.Context.Context, wallStopwatch{}, patience, refs, madeAt(c.Override), d.sessionsOf(c.Override.Account))
		if err == nil {
			return all
		}
		// The change stands: that nobody knows what comes of it is no failure of it.
		fmt.Fprintf(d.App.ErrWriter, "warning: it is made; what became of the live sessions is not known: %v\n", err)
	}
	for _, r := range refs {
		all = append(all, unwatched(r))
	}
	return all
}

// sinceFirst says of sessions what was wanted before the first change of this
// command line.
func (d *desk) sinceFirst(refs []admin.SessionRef) []admin.SessionRef {
	if d.first == nil {
		d.first = refs
	}
	for i, r := range refs {
		for _, f := range d.first {
			if f.NAS == r.NAS && f.Box == r.Box && f.Session == r.Session {
				refs[i].Before = f.Before
			}
		}
	}
	return refs
}

// sessionsOf asks for the live sessions of an account.
func (d *desk) sessionsOf(account string) func() ([]admin.Session, error) {
	return func() (all []admin.Session, err error) {
		for s, err := range d.client.AllSessions(d.Context.Context, admin.SessionQuery{Account: account}) {
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
		return all, nil
	}
}

// watched is what became of the live sessions of an account. It asks look until
// none of them is waiting any more, or so much time is over. The change was made
// at an instant of the daemon's clock. An error is one of look's or the context's.
func watched(ctx context.Context, c stopwatch, most time.Duration, refs []admin.SessionRef, changed time.Time, look func() ([]admin.Session, error)) ([]becoming, error) {
	end := c.Now().Add(most)
	for pause := firstLook; ; pause = min(2*pause, longestLook) {
		live, err := look()
		if err != nil {
			return nil, err
		}
		all, waiting := becomings(refs, live, changed)
		left := end.Sub(c.Now())
		if !waiting || left <= 0 {
			return all, nil
		}
		select {
		case <-c.After(min(pause, left)):
		case <-ctx.Done():
			return all, ctx.Err()
		}
	}
}

func becomings(refs []admin.SessionRef, live []admin.Session, changed time.Time) (all []becoming, waiting bool) {
	for _, r := range refs {
		b := become(r, found(live, r), changed)
		waiting = waiting || b.Outcome == outcomeWaiting
		all = append(all, b)
	}
	return all, waiting
}

// found is the session that is meant; nil when it is over, or another one has
// its name by now.
func found(live []admin.Session, r admin.SessionRef) *admin.Session {
	for i, s := range live {
		if s.NAS == r.NAS && s.Box == r.Box && s.Session == r.Session {
			return &live[i]
		}
	}
	return nil
}
