package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/radius/radiustest"
)

// tried is a session that is up at a router that takes CoA, and is filtered.
type tried struct {
	*site
	lines *radiustest.Lines
}

const triedSession = "0000001A" // that of blocked

// openTried starts a daemon with such a session. answer tells what the router
// does; nil: what it is told.
func openTried(t *testing.T, answer func(*radiustest.Lines, *radiustest.Request) [][]byte) *tried {
	t.Helper()
	s := open(t)
	lines := radiustest.NewLines("op25b", triedSession)
	router, err := radiustest.NewRouter(nasSecret, func(r *radiustest.Request) [][]byte {
		if answer != nil {
			return answer(lines, r)
		}
		return lines.Answer(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(router.Close)
	s.write(t, strings.Replace(s.text, "area: tokyo, profile: filter-id}",
		fmt.Sprintf("area: tokyo, profile: open-again, coa: {port: %d}}", router.Addr.Port()), 1)+
		"profiles: {open-again: {base: filter-id, open-filter: op25b-off, coa: {otherwise: disconnect}}}\n")
	s.at(t, "2007-05-16T10:00:00+09:00")
	if _, err := s.client.Reload(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	s.login(t, "192.0.2.1", blocked.user)
	s.account(t, blocked, 1)
	p := &tried{s, lines}
	p.eventually(t, "the session is live", func() error {
		_, err := p.run(t.Context(), admin.ProbeQuestion{DryRun: true}, func(admin.ProbeStep) {})
		return err
	})
	return p
}

// run probes the router with the session and hands on the steps.
func (p *tried) run(ctx context.Context, q admin.ProbeQuestion, step func(admin.ProbeStep)) (admin.ProbeEnd, error) {
	q.Session = triedSession
	return p.client.ProbeNAS(ctx, "tokyo", q, func(l admin.ProbeLine) error {
		if l.Step != nil {
			step(*l.Step)
		}
		return nil
	})
}

// TestProbeOfARouterThatRefuses has a router refuse one action, with a profile
// that disconnects where it does: the probe goes on, and ends no session.
func TestProbeOfARouterThatRefuses(t *testing.T) {
	t.Parallel()
	var disconnects atomic.Int32
	p := openTried(t, func(lines *radiustest.Lines, r *radiustest.Request) [][]byte {
		if r.Code == radiustest.DisconnectRequest {
			disconnects.Add(1)
		}
		if r.Value(radiustest.FilterID) == "op25b-limit" {
			return [][]byte{r.NAK(0)}
		}
		return lines.Answer(r)
	})
	var answers []string
	end, err := p.run(t.Context(), admin.ProbeQuestion{}, func(s admin.ProbeStep) { answers = append(answers, s.Action+" "+s.Answer) })
	want := "open CoA-ACK, limit CoA-NAK without Error-Cause, block CoA-ACK, block-all CoA-ACK, block CoA-ACK"
	if got := strings.Join(answers, ", "); got != want || err != nil || end.OK || !end.Restored {
		t.Errorf("%s; %+v %v", got, end, err)
	}
	if filter, _, ok := p.lines.Filter(triedSession); filter != "op25b" || !ok || disconnects.Load() != 0 {
		t.Errorf("at last %q, live %v, %d disconnects", filter, ok, disconnects.Load())
	}
	page, err := p.client.Audit(t.Context(), admin.AuditQuery{Op: "nas.probe"}, 0, 10)
	if err != nil || len(page.Entries) != 1 || page.Entries[0].Subject != "tokyo" || !strings.Contains(string(page.Entries[0].After), triedSession) {
		t.Errorf("the audit has %+v %v", page, err)
	}
}

// TestProbeOfARouterThatDoesNotAnswer tells a router that is silent from the
// beginning from one that only does not answer to one action.
func TestProbeOfARouterThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	const limit = "op25b-limit"
	for name, test := range map[string]struct {
		silent  string // how Filter-Ids begin that are not answered
		timeout float64
		want    string
		end     admin.ProbeEnd
	}{
		"silent":             {"op25b", 0.1, "open -, block -", admin.ProbeEnd{Silent: true}},
		"to one action only": {limit, 1, "open ok, limit -, block ok, block-all ok, block ok", admin.ProbeEnd{Restored: true}},
	} {
		p := openTried(t, func(lines *radiustest.Lines, r *radiustest.Request) [][]byte {
			if strings.HasPrefix(r.Value(radiustest.FilterID), test.silent) {
				return nil
			}
			return lines.Answer(r)
		})
		var steps []string
		end, err := p.run(t.Context(), admin.ProbeQuestion{Timeout: test.timeout}, func(s admin.ProbeStep) {
			switch {
			case s.OK:
				steps = append(steps, s.Action+" ok")
			case s.Silent:
				steps = append(steps, s.Action+" -")
			default:
				steps = append(steps, s.Action+" "+s.Answer)
			}
		})
		if got := strings.Join(steps, ", "); got != test.want || err != nil || end != test.end {
			t.Errorf("%s: %s; %+v %v, want %s", name, got, end, err, test.want)
		}
	}
}

// TestProbePutsBackWhenTheCallerGoes cancels a probe that holds a session open.
func TestProbePutsBackWhenTheCallerGoes(t *testing.T) {
	t.Parallel()
	p := openTried(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(10*time.Second, cancel)
	ended := make(chan error, 1)
	go func() {
		_, err := p.run(ctx, admin.ProbeQuestion{Hold: 600}, func(admin.ProbeStep) {})
		ended <- err
	}()
	p.filter(t, p.lines, "op25b-off")
	_, err := p.run(t.Context(), admin.ProbeQuestion{}, func(admin.ProbeStep) {})
	if problem := new(admin.Problem); !errors.As(err, &problem) || problem.Status != http.StatusConflict {
		t.Errorf("a second probe at the same time: %v", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller got %v", err)
	}
	p.filter(t, p.lines, "op25b")
}

// TestProbeTellsWhatAccountingShows has the router show a filter while the
// session is held at it.
func TestProbeTellsWhatAccountingShows(t *testing.T) {
	t.Parallel()
	p := openTried(t, func(lines *radiustest.Lines, r *radiustest.Request) [][]byte { return lines.Answer(r) })
	p.daemon.HoldBy(func(time.Duration) <-chan time.Time {
		over := make(chan time.Time)
		go func() {
			defer close(over)
			if filter, _, _ := p.lines.Filter(triedSession); filter != "op25b-all" {
				return
			}
			p.account(t, blocked, 3, radiustest.Attr(radiustest.FilterID, "op25b-all"))
			p.eventually(t, "what accounting shows is known", func() error {
				if l, err := p.client.Session(t.Context(), "tokyo", "", triedSession); err != nil || l.Proof != "seen" {
					return fmt.Errorf("%s, %w", l.Proof, err)
				}
				return nil
			})
		}()
		return over
	})
	var seen []string
	_, err := p.run(t.Context(), admin.ProbeQuestion{Hold: 1}, func(s admin.ProbeStep) {
		if s.Seen {
			seen = append(seen, s.Action)
		}
	})
	if err != nil || len(seen) != 1 || seen[0] != "block-all" {
		t.Errorf("seen %q %v", seen, err)
	}
}
