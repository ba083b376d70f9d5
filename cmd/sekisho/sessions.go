package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/engine"

	"github.com/urfave/cli/v2"
)

func sessionsCommand() *cli.Command {
	return &cli.Command{
		Name:   "sessions",
		Usage:  "list and show live sessions; tell who had an address; tell their routers",
		Flags:  sessionFlags(),
		Action: asking(listSessions),
		Subcommands: append([]*cli.Command{
			{
				Name:   "list",
				Usage:  "list live sessions: what each router was told, and what is wanted",
				Flags:  sessionFlags(),
				Action: asking(listSessions),
			},
			{
				Name:      "show",
				Usage:     "show one session, or those of an account, with all that is known",
				ArgsUsage: "USER|NAS [SESSION]",
				Flags:     []cli.Flag{&cli.StringFlag{Name: "box", Usage: "which of several routers behind the NAS entry, as list names it"}, outputFlag("table", "json")},
				Action:    asking(showSessions),
			},
			{
				Name:      "who",
				Usage:     "tell who had an address at a time, and what the router was told about the session",
				ArgsUsage: "ADDRESS",
				Flags:     []cli.Flag{&cli.StringFlag{Name: "at", Usage: "at this `TIME` instead of now, such as \"2007-05-15 12:00\""}, listFlag()},
				Action:    asking(whoHad),
			},
		}, tellCommands()...),
	}
}

func sessionFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "account", Usage: "of this `USER`: an account or a login"},
		&cli.StringFlag{Name: "nas", Usage: "at this `NAS`"},
		&cli.StringFlag{Name: "area", Usage: "in this `AREA`"},
		&cli.StringFlag{Name: "action", Usage: "whose router was told this `ACTION`"},
		&cli.BoolFlag{Name: "drift", Usage: "whose router does not do what is wanted"},
		listFlag(),
	}
}

// sessionListing writes sessions a line each.
var sessionListing = listing[admin.Session]{
	columns: []string{"nas", "session", "account", "address", "since", "applied", "proof", "wanted", "rule", "why"},
	cells: func(s admin.Session) []string {
		return []string{
			at(s), s.Session, s.Account, strings.Join(s.Addresses, " "), s.Started.Format(time.RFC3339), s.Applied, s.Proof, s.Wanted, s.Rule, reason(s),
		}
	},
}

// at names the router of a session.
func at(s admin.Session) string { return routerName(s.NAS, s.Box) }

// reason is why there is drift, or why a session is told nothing.
func reason(s admin.Session) string {
	if s.Exempt != "" {
		return s.Exempt
	}
	return s.Why
}

func listSessions(c *cli.Context, daemon *admin.Client) error {
	q := admin.SessionQuery{NAS: c.String("nas"), Area: c.String("area"), Action: c.String("action"), Drift: c.Bool("drift")}
	near := ""
	if c.String("account") != "" {
		var err error
		if q.Account, near, err = accountOf(c, daemon, c.String("account")); err != nil {
			return err
		}
	}
	if err := warnOfSessions(c, daemon); err != nil {
		return err
	}
	live := 0
	counted := matching(daemon.AllSessions(c.Context, q), func(admin.Session) bool { live++; return true }, 0)
	if err := sessionListing.write(c, counted); err != nil || live > 0 || c.String("output") != "table" {
		return err
	}
	fmt.Fprintln(c.App.ErrWriter, "no such session is up"+near)
	return nil
}

// warnOfSessions says on stderr what keeps the list from being the whole truth.
func warnOfSessions(c *cli.Context, daemon *admin.Client) error {
	status, err := daemon.Status(c.Context)
	if err != nil {
		return err
	}
	for _, warning := range status.Sessions.Warnings() {
		fmt.Fprintln(c.App.ErrWriter, "warning:", printable(warning))
	}
	return nil
}

// accountOf reads what may be a login as the policy does, and says which account
// that is. near ends a message about an account of which nothing is found.
func accountOf(c *cli.Context, daemon *admin.Client, user string) (account, near string, err error) {
	e, err := daemon.Explain(c.Context, admin.Question{User: user})
	if err != nil {
		return "", "", err
	}
	account = user
	if e.Account != "" && e.Account != engine.Fold(user) {
		account = e.Account
		fmt.Fprintf(c.App.ErrWriter, "%s is a login of the account %s\n", printable(user), printable(account))
	}
	if e.Near != "" {
		near = fmt.Sprintf("; there is no contract of %q: did you mean %q?", account, e.Near)
	}
	return account, near, nil
}

// showSessions shows one session by its NAS and Acct-Session-Id, or those of an
// account or a login.
func showSessions(c *cli.Context, daemon *admin.Client) error {
	found, err := namedSessions(c, daemon)
	if err != nil {
		return err
	}
	if c.String("output") == "json" {
		return writeJSON(c.App.Writer, found)
	}
	for i, s := range found {
		if i > 0 {
			fmt.Fprintln(c.App.Writer)
		}
		if err := writeSession(c.App.Writer, s); err != nil {
			return err
		}
	}
	return nil
}

func namedSessions(c *cli.Context, daemon *admin.Client) ([]admin.Session, error) {
	if c.NArg() == 2 {
		s, err := daemon.Session(c.Context, c.Args().Get(0), c.String("box"), c.Args().Get(1))
		return []admin.Session{s}, err
	}
	if c.NArg() != 1 {
		return nil, usagef("sessions show: expected a USER, or a NAS and an Acct-Session-Id")
	}
	account, near, err := accountOf(c, daemon, c.Args().First())
	if err != nil {
		return nil, err
	}
	var all []admin.Session
	for s, err := range daemon.AllSessions(c.Context, admin.SessionQuery{Account: account}) {
		if err != nil {
			return nil, err
		}
		whole, err := daemon.Session(c.Context, s.NAS, s.Box, s.Session)
		if err != nil {
			return nil, err
		}
		all = append(all, whole)
	}
	if len(all) == 0 {
		return nil, notFound(fmt.Sprintf("account %s has no live session%s", account, near))
	}
	return all, nil
}

// writeSession prints everything about a session, a line each.
func writeSession(w io.Writer, s admin.Session) error {
	var b strings.Builder
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-10s %s\n", label, printable(value))
		}
	}
	fmt.Fprintf(&b, "%s at %s\n", printable(s.Session), printable(at(s)))
	row("account", s.Account)
	row("user", s.User)
	row("login", s.Login)
	row("form", s.Form)
	row("course", s.Course)
	row("area", s.Area)
	row("address", strings.Join(s.Addresses, " "))
	row("since", s.Started.Format(time.RFC3339))
	row("seen", s.Updated.Format(time.RFC3339))
	row("applied", appliedWords(s))
	if s.Telling != "" {
		row("telling", s.Telling+", not answered yet")
	}
	row("wanted", wantedWords(s))
	row("exempt", s.Exempt)
	row("drift", s.Why)
	for _, name := range s.Names {
		row("named by", name)
	}
	for _, f := range s.Request {
		row("request", f.Name+" = "+f.Value)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func appliedWords(s admin.Session) string {
	if s.Applied == "" {
		return "not known"
	}
	text := s.Applied
	if s.Words != "" {
		text += " as " + s.Words
	}
	text += ", " + s.Proof
	if s.AppliedAt != nil {
		text += " " + s.AppliedAt.Format(time.RFC3339)
	}
	return text
}

func wantedWords(s admin.Session) string {
	text := s.Wanted
	if s.Rule != "" {
		text += ", rule " + s.Rule
	}
	if s.Override != "" {
		text += " " + s.Override
	}
	if s.Until != nil {
		text += ", until " + s.Until.Format(time.RFC3339)
	}
	return text
}

// whoListing writes who had an address a line each.
var whoListing = listing[admin.Had]{
	columns: []string{"account", "user", "course", "action", "rule", "override", "nas", "session", "address", "from", "until", "ended"},
	cells: func(h admin.Had) []string {
		until := ""
		if h.Until != nil {
			until = h.Until.Format(time.RFC3339)
		}
		return []string{h.Account, h.User, h.Course, h.Action, h.Rule, h.Override, h.NAS, h.Session, h.Address, h.From.Format(time.RFC3339), until, h.Ended}
	},
}

func whoHad(c *cli.Context, daemon *admin.Client) error {
	if c.NArg() != 1 {
		return usagef("sessions who: expected one address such as 198.51.100.7")
	}
	who, err := daemon.WhoHad(c.Context, c.Args().First(), c.String("at"))
	if err != nil {
		return err
	}
	if len(who.Had) == 0 {
		return notFound(fmt.Sprintf("nobody is known to have had %s at %s", who.Address, who.At.Format(time.RFC3339)))
	}
	return whoListing.write(c, func(yield func(admin.Had, error) bool) {
		for _, h := range who.Had {
			if !yield(h, nil) {
				return
			}
		}
	})
}
