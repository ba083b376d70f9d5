package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/google/go-cmp/cmp"
)

func init() { patience = 30 * time.Second }

// fakeStopwatch passes as much time as somebody waits.
type fakeStopwatch struct{ now time.Time }

func (f *fakeStopwatch) Now() time.Time { return f.now }
func (f *fakeStopwatch) After(d time.Duration) <-chan time.Time {
	f.now = f.now.Add(d)
	c := make(chan time.Time, 1)
	c <- f.now
	return c
}

var (
	grantMade = time.Date(2007, 5, 16, 10, 0, 0, 0, tokyo)
	upAtTokyo = admin.SessionRef{NAS: "tokyo-1", Session: "1A", User: "u@x", Started: grantMade.Add(-48 * time.Minute), Applied: "block", Before: "block", After: "open"}
)

// seenAs is the session as the daemon tells of it.
func seenAs(change func(*admin.Session)) *admin.Session {
	at := grantMade.Add(-48 * time.Minute)
	s := &admin.Session{NAS: "tokyo-1", Session: "1A", User: "u@x", Applied: "block", Proof: "sent", AppliedAt: &at, Wanted: "block"}
	change(s)
	return s
}

func asked(s *admin.Session) {
	s.Wanted, s.Drift, s.Why = "open", true, "waiting for its turn"
}

func told(s *admin.Session) {
	at := grantMade.Add(40 * time.Millisecond)
	s.Wanted, s.Applied, s.Proof, s.AppliedAt = "open", "open", "acknowledged", &at
}

func TestWhatBecomesOfALiveSession(t *testing.T) {
	t.Parallel()
	same := upAtTokyo
	same.Before = "open"
	back := upAtTokyo
	back.Before, back.After = "open", "block"
	boxed := upAtTokyo
	boxed.Box, boxed.Started = "192.0.2.7", grantMade.Add(-24*time.Hour)
	for name, tt := range map[string]struct {
		ref  admin.SessionRef
		seen *admin.Session
		want string
	}{
		"the engine has not been asked yet": {upAtTokyo, seenAs(func(*admin.Session) {}), "tokyo-1 has not answered yet: sekisho sessions show tokyo-1 1A"},
		"its turn has not come":             {upAtTokyo, seenAs(asked), "tokyo-1 has not answered yet: sekisho sessions show tokyo-1 1A"},
		"it is told, and has not answered": {upAtTokyo, seenAs(func(s *admin.Session) {
			asked(s)
			s.Telling, s.Why = "open", "told, and not answered yet"
		}), "tokyo-1 has not answered yet: sekisho sessions show tokyo-1 1A"},
		"it may have been opened before that was taken back": {back, seenAs(func(s *admin.Session) { s.Telling = "open" }),
			"tokyo-1 has not answered yet: sekisho sessions show tokyo-1 1A"},
		"nobody knows yet what it has": {upAtTokyo, seenAs(func(s *admin.Session) {
			asked(s)
			s.Applied, s.Why = "", "it is not known what the router was told"
		}), "tokyo-1 has not answered yet: sekisho sessions show tokyo-1 1A"},
		"acknowledged": {upAtTokyo, seenAs(told), "open (router acknowledged, 0.04 s)"},
		"told already when the change was answered": {upAtTokyo, seenAs(func(s *admin.Session) {
			told(s)
			early := grantMade.Add(-time.Nanosecond)
			s.AppliedAt = &early
		}), "open (router acknowledged, 0.00 s)"},
		"a router that acknowledges what it ignores": {upAtTokyo, seenAs(func(s *admin.Session) { told(s); s.Proof = "sent" }),
			"open (the router was told, 0.04 s)"},
		"nothing changes for it": {same, seenAs(told), "open as before (router acknowledged)"},
		"the NAS takes no CoA": {upAtTokyo, seenAs(func(s *admin.Session) { asked(s); s.Why = "the site file has no coa section for tokyo-1" }),
			"still block: the site file has no coa section for tokyo-1; from the next login on open"},
		"refused": {upAtTokyo, seenAs(func(s *admin.Session) { asked(s); s.Why = "CoA-NAK 404 Invalid-Request" }),
			"still block: CoA-NAK 404 Invalid-Request; from the next login on open"},
		"silent": {upAtTokyo, seenAs(func(s *admin.Session) {
			asked(s)
			s.Applied, s.Why = "", "no answer to 5 requests within 30s; again in 1m0s"
		}), "it is not known what the router does: no answer to 5 requests within 30s; again in 1m0s; from the next login on open"},
		"over":   {upAtTokyo, nil, "it has ended meanwhile; the next login is open"},
		"exempt": {upAtTokyo, seenAs(func(s *admin.Session) { s.Exempt = "kept" }), "sekisho tells its router nothing: what the AAA server sent for it is kept"},
		"one of several routers, silent": {boxed, seenAs(func(s *admin.Session) { asked(s); s.Box = "192.0.2.7" }),
			"tokyo-1 has not answered yet: sekisho sessions show tokyo-1 1A --box 192.0.2.7"},
		"one of several routers, since yesterday": {boxed, seenAs(func(s *admin.Session) { told(s); s.Box = "192.0.2.7" }), "open (router acknowledged, 0.04 s)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := become(tt.ref, tt.seen, grantMade)
			if got.words() != tt.want {
				t.Errorf("%s: %q, want %q", got.Outcome, got.words(), tt.want)
			}
			d := &desk{people: people{grantMade, tokyo}}
			where := map[string]string{"": "tokyo-1 since 09:12", "192.0.2.7": "tokyo-1 (192.0.2.7) since 2007-05-15 10:00"}[tt.ref.Box]
			if want := "u@x on-line at " + where + ": " + tt.want; d.line(got) != want {
				t.Errorf("line %q, want %q", d.line(got), want)
			}
		})
	}
}

// TestAVerbWaitsUntilTheRouterObeys lets a daemon say the same again and again.
func TestAVerbWaitsUntilTheRouterObeys(t *testing.T) {
	t.Parallel()
	gone := errors.New("no answer")
	for name, tt := range map[string]struct {
		seen    []*admin.Session // one look after the other; the last one stays
		err     error            // instead of the last
		outcome string
		looks   int
		waited  time.Duration
	}{
		"it obeys while the daemon is asked first": {[]*admin.Session{seenAs(told)}, nil, outcomeDone, 1, 0},
		"it obeys later":               {[]*admin.Session{seenAs(func(*admin.Session) {}), seenAs(asked), seenAs(asked), seenAs(told)}, nil, outcomeDone, 4, 35 * time.Millisecond},
		"it ends":                      {[]*admin.Session{seenAs(asked), nil}, nil, outcomeOver, 2, 5 * time.Millisecond},
		"it never answers":             {[]*admin.Session{seenAs(asked)}, nil, outcomeWaiting, 18, 3 * time.Second},
		"the daemon ends":              {[]*admin.Session{seenAs(asked), nil}, gone, "", 2, 5 * time.Millisecond},
		"another session has its name": {[]*admin.Session{seenAs(func(s *admin.Session) { told(s); s.Box = "other" })}, nil, outcomeOver, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock, looks := &fakeStopwatch{grantMade}, 0
			all, err := watched(t.Context(), clock, 3*time.Second, []admin.SessionRef{upAtTokyo}, grantMade, func() ([]admin.Session, error) {
				s := tt.seen[min(looks, len(tt.seen)-1)]
				looks++
				if looks >= len(tt.seen) && tt.err != nil {
					return nil, tt.err
				}
				if s == nil {
					return nil, nil
				}
				return []admin.Session{*s}, nil
			})
			if !errors.Is(err, tt.err) || looks != tt.looks || clock.now.Sub(grantMade) != tt.waited {
				t.Fatalf("%d looks in %s: %v", looks, clock.now.Sub(grantMade), err)
			}
			var outcomes string
			for _, b := range all {
				outcomes += b.Outcome
			}
			if diff := cmp.Diff(tt.outcome, outcomes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWhoeverHasHeardEnoughIsNotKept ends the wait with the context.
func TestWhoeverHasHeardEnoughIsNotKept(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := watched(ctx, neverStopwatch{}, time.Second, []admin.SessionRef{upAtTokyo}, grantMade, func() ([]admin.Session, error) {
		cancel()
		return []admin.Session{*seenAs(asked)}, nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type neverStopwatch struct{}

func (neverStopwatch) Now() time.Time                       { return grantMade }
func (neverStopwatch) After(time.Duration) <-chan time.Time { return nil }
