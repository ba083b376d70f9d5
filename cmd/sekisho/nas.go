package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

func nasCommand() *cli.Command {
	return &cli.Command{
		Name:  "nas",
		Usage: "try what an access router does",
		Subcommands: []*cli.Command{{
			Name:      "probe",
			Usage:     "try on one live session whether a router applies, replaces and removes the filter",
			ArgsUsage: "NAS",
			Description: "Take a line of your own: its filter changes. The session is told every action of the policy by CoA, and at last what is\n" +
				"wanted for it, also after Ctrl-C. It is never disconnected. An answer is what the router says: with --hold there is time to\n" +
				"try port 25 on the line at each action.",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "session", Usage: "the session with this Acct-Session-`ID`"},
				&cli.StringFlag{Name: "user", Usage: "the one session of this `USER` at the NAS"},
				&cli.StringFlag{Name: "box", Usage: "which of several routers behind the NAS entry the session is at"},
				&cli.DurationFlag{Name: "hold", Usage: "stay at each action for this `SPAN`, such as 30s"},
				&cli.DurationFlag{Name: "timeout", Value: 5 * time.Second, Usage: "wait so long for each answer, 30s at most; a router that does not answer to the first action is asked once more"},
				&cli.BoolFlag{Name: "dry-run", Usage: "send nothing; show the packets"},
				reasonFlag(),
				outputFlag("table", "ndjson"),
			},
			Before: oneSession,
			Action: asking(probeNAS),
		}},
	}
}

// oneSession refuses to choose a session by itself.
func oneSession(c *cli.Context) error {
	if c.IsSet("session") == c.IsSet("user") {
		return usagef("say which live session is to be tried, with --session or --user: its filter changes meanwhile, so take a line of your own")
	}
	return nil
}

func probeNAS(c *cli.Context, daemon *admin.Client) error {
	ctx, cancel := signal.NotifyContext(c.Context, syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	shown := &probeShown{Context: c}
	defer shown.answered()
	end, err := daemon.ProbeNAS(ctx, c.Args().First(), admin.ProbeQuestion{
		Session: c.String("session"), Box: c.String("box"), User: c.String("user"), Hold: c.Duration("hold").Seconds(), Timeout: c.Duration("timeout").Seconds(), DryRun: c.Bool("dry-run"), Reason: c.String("reason"),
	}, shown.line)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted; the daemon tells the session what is wanted for it")
	case err != nil:
		return err
	}
	return shown.end(end)
}

// probeShown prints a probe as it goes on.
type probeShown struct {
	*cli.Context
	session admin.ProbeSession
	failed  []string // what the router did not acknowledge
	skipped []string // what could not be sent
	waiting func()   // ends the word that an answer is waited for; nil: none is
}

func (p *probeShown) line(l admin.ProbeLine) error {
	p.answered()
	if l.Trying != nil {
		p.await(l.Trying)
	}
	if p.String("output") == "ndjson" {
		return p.write(l)
	}
	switch {
	case l.Session != nil:
		p.session = *l.Session
		fmt.Fprintf(p.App.Writer, "%s, profile %s, CoA to %s\nsession %s of %s; told last: %s; wanted: %s\n\n", p.session.NAS, p.session.Profile,
			p.session.To, printable(p.session.Session), printable(p.session.User), orNotKnown(p.session.Applied), p.session.Wanted)
	case l.Step != nil:
		p.step(l.Step)
	}
	return nil
}

// sayWaiting is after how long it is said that an answer is waited for.
const sayWaiting = time.Second

// await says so when the answer does not come at once.
func (p *probeShown) await(try *admin.ProbeTry) {
	said := make(chan struct{})
	timer := time.AfterFunc(min(sayWaiting, time.Duration(try.Timeout/4*float64(time.Second))), func() {
		defer close(said)
		fmt.Fprintf(p.App.ErrWriter, "%s: no answer yet, waiting %s for one\n", try.Action, time.Duration(try.Timeout*float64(time.Second)))
	})
	p.waiting = func() {
		if !timer.Stop() {
			<-said
		}
	}
}

// answered notes that nothing is waited for any more.
func (p *probeShown) answered() {
	if p.waiting != nil {
		p.waiting()
	}
	p.waiting = nil
}

func orNotKnown(action string) string {
	if action == "" {
		return "not known"
	}
	return action
}

func (p *probeShown) step(s *admin.ProbeStep) {
	said := s.Answer
	switch {
	case s.Skipped != "":
		said = "not sent: " + s.Skipped
		p.skipped = append(p.skipped, s.Action)
	case p.Bool("dry-run"):
		said = "CoA-Request"
	case !s.OK:
		p.failed = append(p.failed, s.Action)
	default:
		said += fmt.Sprintf(" after %s", time.Duration(s.Seconds*float64(time.Second)).Round(time.Millisecond))
		if s.Seen {
			said += ", seen in its accounting"
		}
	}
	action := s.Action
	if s.Restore {
		action += ", as wanted"
	}
	fmt.Fprintf(p.App.Writer, "%-18s %s\n", action, said)
	if !p.Bool("dry-run") {
		return
	}
	for _, a := range s.Attributes {
		fmt.Fprintf(p.App.Writer, "%-18s %s\n", "", printable(a))
	}
}

func (p *probeShown) write(l admin.ProbeLine) error {
	e := json.NewEncoder(p.App.Writer)
	e.SetEscapeHTML(false)
	return e.Encode(l)
}

// end says what it comes to.
func (p *probeShown) end(end admin.ProbeEnd) error {
	if p.String("output") == "ndjson" {
		if err := p.write(admin.ProbeLine{End: &end}); err != nil || end.OK {
			return err
		}
		if end.Silent {
			return errors.New("the router is silent")
		}
		return errors.New("the router did not acknowledge everything")
	}
	switch {
	case end.Silent:
		return fmt.Errorf("%s is silent: nothing answers at %s. Whether it has heard is not known; %s, which is wanted, is told again by itself.\n"+
			"Look whether that is where it takes CoA, from this machine and with this secret: a router drops what it does not trust", p.session.NAS, p.session.To, p.session.Wanted)
	case !end.Restored:
		return fmt.Errorf("%s did not take back what is wanted, %s: the session drifts, and is told again", p.session.NAS, p.session.Wanted)
	case !end.OK:
		return fmt.Errorf("%s did not acknowledge %s; what is wanted holds again", p.session.NAS, strings.Join(p.failed, ", "))
	case p.Bool("dry-run"):
		fmt.Fprintln(p.App.Writer, "\nNothing was sent.")
		return nil
	}
	fmt.Fprintf(p.App.Writer, "\n%s acknowledged everything that it was told.\n", p.session.NAS)
	if len(p.skipped) > 0 {
		fmt.Fprintf(p.App.Writer, "It cannot be told by CoA: %s.\n", strings.Join(p.skipped, ", "))
	}
	return nil
}
