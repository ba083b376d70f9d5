package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"
)

// The night in which ADSL is filtered, and the day on which a grant ends: the
// demo hurries to both.
var (
	tokyo    = time.FixedZone("JST", 9*60*60)
	eve      = time.Date(2007, time.May, 14, 22, 0, 0, 0, tokyo)
	midnight = time.Date(2007, time.May, 15, 0, 0, 0, 0, tokyo)
	grantEnd = time.Date(2007, time.May, 19, 0, 0, 0, 0, tokyo)
)

const (
	nightPace     = 40
	nightPatience = 15 * time.Second // of the wall clock, for a CoA that must come
	demoMailUser  = "ua700aa007g"    // who runs a mail server
)

// night shows a stage begin for sessions that are up, a grant open one of them,
// and its end close it again.
func (s *show) night() error {
	due, err := s.due()
	if err != nil {
		return err
	}
	s.tell("All of them stay connected. On 2007-05-15 stage-2 begins, for %d of the sessions. The clock hurries there:\n\n", due)
	if err := s.hurry(midnight); err != nil {
		return err
	}
	if err := s.watch(due); err != nil {
		return err
	}
	s.clock.run(1)
	s.tell("\nNo line went down. One of these subscribers runs a mail server and calls; the help desk types:\n\n")
	if err := s.verb("grant", demoMailUser, "--until", "2007-05-18", "--reason", "own mail server, until it has a fixed IP"); err != nil {
		return err
	}
	if err := s.watch(1); err != nil {
		return err
	}
	s.tell("\nPort 25 of that line is open. Four days later the grant ends, by itself:\n\n")
	if err := s.hurry(grantEnd); err != nil {
		return err
	}
	if err := s.watch(1); err != nil {
		return err
	}
	s.clock.run(1)
	s.tell("\n")
	return nil
}

// hurry goes to the last minutes before an instant, and shows them pass.
func (s *show) hurry(end time.Time) error {
	begin := end.Add(-2 * time.Minute)
	s.clock.leap(begin, nightPace)
	for at := begin; !at.After(end); at = at.Add(time.Minute) {
		if err := s.wait(at); err != nil {
			return err
		}
		s.tell("  %s\n", s.moment())
	}
	return nil
}

// wait waits until the show's clock shows an instant.
func (s *show) wait(at time.Time) error {
	select {
	case <-time.After(s.clock.until(at)):
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// due counts the sessions for which something else is decided from midnight on.
func (s *show) due() (n int, err error) {
	for _, login := range demoLogins {
		e, err := s.daemon.Explain(admin.Question{User: login + demoRealm})
		if err != nil {
			return 0, err
		}
		if until := e.Answers[0].Until; until != nil && until.Equal(midnight) {
			n++
		}
	}
	return n, nil
}

// watch prints what the router is told, until it was told of so many sessions.
func (s *show) watch(n int) error {
	late := time.After(nightPatience)
	for range n {
		select {
		case told := <-s.lines.told:
			s.tell("  %s  CoA-Request to bras-tokyo: %s  Filter-Id %-10s -> %-10s  CoA-ACK\n",
				s.moment(), told.user, cmp.Or(told.was, "none"), told.filter)
		case <-late:
			return fmt.Errorf("the router was not told of all %d sessions within %s", n, nightPatience)
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
	}
	return nil
}

// verb runs a command line at the demo's daemon, and shows it as it is typed.
func (s *show) verb(args ...string) error {
	typed := make([]string, len(args))
	for i, a := range args {
		if typed[i] = a; strings.Contains(a, " ") {
			typed[i] = `"` + a + `"`
		}
	}
	s.tell("  $ sekisho %s\n", strings.Join(typed, " "))
	var out strings.Builder
	app := newApp()
	app.Writer, app.ErrWriter = &out, &out
	err := app.RunContext(s.ctx, flagsFirst(app, append([]string{"sekisho", "--socket", s.conf.Socket}, args...)))
	s.tell("%s\n", indent(out.String()))
	return err
}

// indent puts two blanks before every line that is not empty.
func indent(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}

// moment is what the show's clock shows.
func (s *show) moment() string {
	return s.clock.now().In(s.conf.Policy.Location).Format("2006-01-02 15:04:05")
}

func (s *show) tell(format string, args ...any) { fmt.Fprintf(s.App.Writer, format, args...) }
