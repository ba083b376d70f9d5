package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

func overridesCommand() *cli.Command {
	return &cli.Command{
		Name:   "overrides",
		Usage:  "list, show, import and export grants and restrictions",
		Flags:  overrideFilterFlags(listFlag()),
		Action: atDesk(listOverrides),
		Subcommands: []*cli.Command{
			{
				Name:      "list",
				Usage:     "list those that stand, of accounts that begin with PREFIX, or of all",
				ArgsUsage: "[PREFIX]",
				Description: "With --all, or --state, also those that are over. csv is what import reads, without ids and history;\n" +
					"json has it all.",
				Flags:  overrideFilterFlags(listFlag()),
				Action: atDesk(listOverrides),
			},
			{
				Name: "show", Usage: "show one, or those that stand on an account, with their history", ArgsUsage: "ID|USER", Flags: []cli.Flag{outputFlag("table", "json")}, Action: atDesk(showOverride),
			},
			importOverridesCommand(),
			{
				Name:      "export",
				Usage:     "write those that stand as CSV that import reads",
				ArgsUsage: "[PREFIX]",
				Flags:     overrideFilterFlags(),
				Action:    atDesk(exportOverrides),
			},
		},
	}
}

func overrideFilterFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "account", Usage: "on this `USER` only: an account or a login"},
		oneOf([]string{"grant", "restrict"}, &cli.StringFlag{Name: "kind", Usage: "`KIND`: grant or restrict"}),
		&cli.StringFlag{Name: "action", Usage: "of this `ACTION`"},
		&cli.StringFlag{Name: "author", Usage: "made by `WHO`, such as alice (uid 1001)"},
		&cli.StringFlag{Name: "ticket", Usage: "of this `TICKET`"},
		&cli.StringSliceFlag{Name: "state", Usage: "in this `STATE`: pending, active, ended or revoked; pending and active where it is not said"},
		&cli.BoolFlag{Name: "all", Usage: "in any state"},
		&cli.StringFlag{Name: "ends-before", Usage: "that end before `WHEN`: a day means its beginning"},
	}, more...)
}

// states are those of overrides; the first two stand.
var (
	states         = []string{"pending", "active", "ended", "revoked"}
	standingStates = states[:2]
)

// query is the overrides that the flags mean.
func (d *desk) query() (q admin.OverrideQuery, err error) {
	q = admin.OverrideQuery{
		Prefix: d.Args().First(), Kind: d.String("kind"), Action: d.String("action"), Author: d.String("author"), Ticket: d.String("ticket"),
		States: d.StringSlice("state"),
	}
	if user := d.String("account"); user != "" {
		q.Account = d.account(user)
	}
	if len(q.States) == 0 && !d.Bool("all") {
		q.States = standingStates
	}
	for _, state := range q.States {
		if !slices.Contains(states, state) {
			return q, usagef("--state: expected %s, got %q", alternatives(states), state)
		}
	}
	before, err := d.at("ends-before", d.people.from, d.people.say)
	q.EndsBefore = sent(before)
	return q, err
}

func listOverrides(d *desk) error {
	q, err := d.query()
	if err != nil {
		return err
	}
	found := 0
	counted := matching(d.client.AllOverrides(d.Context.Context, q), func(admin.Override) bool { found++; return true }, 0)
	if err := d.overrideListing(q).write(d.Context, counted); err != nil || found > 0 || d.String("output") != "table" {
		return err
	}
	fmt.Fprintln(d.App.ErrWriter, "none; --all lists also those that are over")
	return nil
}

func (d *desk) overrideListing(q admin.OverrideQuery) listing[admin.Override] {
	return listing[admin.Override]{
		columns: []string{"id", "account", "kind", "action", "state", "from", "until", "author", "ticket", "reason"},
		cells: func(o admin.Override) []string {
			return []string{o.ID, o.Account, o.Kind, o.Action, overrideState(o), d.short(o.From), d.shortEnd(o.Until), o.Author, o.Ticket, o.Reason}
		},
		csv: func(w io.Writer, _ sequence[admin.Override]) error {
			return d.client.ExportOverrides(d.Context.Context, q, w)
		},
	}
}

// overrideState is the state of an override, and why it does nothing, if so.
func overrideState(o admin.Override) string {
	if o.Void == "" {
		return o.State
	}
	return o.State + ", void: " + o.Void
}

// short is a time as a table has it, in the policy's time zone.
func (d *desk) short(t *time.Time) string {
	if t == nil {
		return ""
	}
	return shortTime(t.In(d.people.zone))
}

// shortEnd is the end of something: of a day, rather than the beginning of the
// next one.
func (d *desk) shortEnd(t *time.Time) string {
	if t == nil {
		return ""
	}
	if day, ok := d.people.endOf(*t); ok {
		return day.Format(time.DateOnly) + " 24:00"
	}
	return shortTime(t.In(d.people.zone))
}

func exportOverrides(d *desk) error {
	q, err := d.query()
	if err != nil {
		return err
	}
	return d.client.ExportOverrides(d.Context.Context, q, d.App.Writer)
}

func showOverride(d *desk) error {
	found, err := d.standing(d.Args().First())
	if err != nil {
		return err
	}
	if d.String("output") == "json" {
		return writeJSON(d.App.Writer, found)
	}
	var b strings.Builder
	for _, o := range found {
		fmt.Fprintf(&b, "%s %s for %s, %s\n", o.Kind, o.Action, printable(o.Account), printable(overrideState(o)))
		d.particulars(&b, o)
	}
	_, err = io.WriteString(d.App.Writer, b.String())
	return err
}

func importOverridesCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "make grants and restrictions from CSV, all of them or none",
		ArgsUsage: "FILE|-",
		Description: "The header line names the columns account, kind, action, reason, ticket, from, until, area, nas and key,\n" +
			"in any order; account, kind, action and reason must be there. In from and until a date is its beginning.\n" +
			"A line whose key was used before for the same is not made twice: a file can be imported again.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "only report what would be made"},
			&cli.BoolFlag{Name: "force", Usage: "also for accounts without a contract"},
			reasonFlag(),
			outputFlag("table", "json"),
		},
		Action: atDesk(importOverrides),
	}
}

func importOverrides(d *desk) error {
	c := d.Context
	name, body, err := openImport(c)
	if err != nil {
		return err
	}
	defer body.Close()
	sent, endBar := withBar(body, c.App.ErrWriter)
	opts := admin.OverrideImport{DryRun: c.Bool("dry-run"), Force: c.Bool("force"), Reason: c.String("reason")}
	report, err := d.client.ImportOverrides(c.Context, name, sent, opts)
	endBar()
	if err != nil {
		return err
	}
	if opts.DryRun {
		fmt.Fprintln(c.App.ErrWriter, "dry run, nothing was changed; the import would be:")
	}
	if c.String("output") == "json" {
		return writeJSON(c.App.Writer, report)
	}
	_, err = fmt.Fprintf(c.App.Writer, "made %d\nmade before %d\n", report.Added, report.Existed)
	return err
}
