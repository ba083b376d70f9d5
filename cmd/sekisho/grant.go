package main

import (
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

// changeFlags are those of every change of an override.
func changeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "reason", Aliases: []string{"r"}, Usage: "`WHY`, for the audit and for whoever reads it next year; required"},
		&cli.BoolFlag{Name: "dry-run", Usage: "change nothing; show the decision before and after"},
		&cli.BoolFlag{Name: "no-wait", Usage: "do not wait for what becomes of the account's live sessions; otherwise for 3 s at most"},
		listFlag(),
	}
}

const waitWords = "\nIt is said what becomes of the account's live sessions; the exit code is 0 whatever that is, for the change is made."

const untilUsage = "until `WHEN`: a day and all of it (2026-11-27, friday, tomorrow), a span (3d, 12h, 2w), or a time (18:00, 2026-11-27 18:00)"

// overrideCommand makes grant and restrict.
func overrideCommand(kind, usage, description string) *cli.Command {
	return &cli.Command{
		Name:        kind,
		Usage:       usage,
		ArgsUsage:   "USER",
		Description: description + "\nThe author is who is connected. Days and times are those of the policy's time zone." + waitWords,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "action", Aliases: []string{"a"}, Usage: "the `ACTION` of the policy; a grant's is the loosest where it is not said"},
			&cli.StringFlag{Name: "until", Aliases: []string{"u"}, Usage: untilUsage},
			&cli.StringFlag{Name: "from", Usage: "from `WHEN` on, as in --until; a day from its beginning. At once where it is not said"},
			&cli.StringFlag{Name: "ticket", Aliases: []string{"t"}, Usage: "the `TICKET` in which it was asked for"},
			&cli.StringFlag{Name: "area", Usage: "only for sessions in this `AREA`"},
			&cli.StringFlag{Name: "nas", Usage: "only for sessions at this `NAS`"},
			&cli.StringFlag{Name: "key", Usage: "with the same `KEY` again it is not made twice"},
			&cli.BoolFlag{Name: "force", Usage: "also for an account without a contract"},
		}, changeFlags()...),
		Before: requires("reason"),
		Action: atDesk(func(d *desk) error { return override(d, kind) }),
	}
}

func grantCommand() *cli.Command {
	return overrideCommand("grant", "loosen what is decided for one account, for some time",
		"A grant beats every rule of the policy, and gives way to a restriction.")
}

func restrictCommand() *cli.Command {
	return overrideCommand("restrict", "tighten what is decided for one account, for some time",
		"A restriction beats every rule of the policy, and every grant.")
}

func override(d *desk, kind string) error {
	wanted, err := d.wanted(kind)
	if err != nil {
		return err
	}
	changed, err := d.client.AddOverride(d.Context.Context, wanted, d.String("key"), d.Bool("dry-run"))
	if err != nil {
		return err
	}
	return d.tell(kind, changed, false)
}

// wanted is the override that the command line asks for.
func (d *desk) wanted(kind string) (o admin.NewOverride, err error) {
	o = admin.NewOverride{
		Account: d.Args().First(), Kind: kind, Action: d.String("action"), Reason: d.String("reason"), Ticket: d.String("ticket"),
		Area: d.String("area"), NAS: d.String("nas"), Force: d.Bool("force"),
	}
	if o.Action == "" {
		if kind != "grant" || len(d.actions) == 0 {
			return o, usagef("--action is required; the policy has %s", alternatives(d.actions))
		}
		o.Action = d.actions[0]
	}
	from, until, err := d.span(d.people.untilLater)
	o.From, o.Until = sent(from), sent(until)
	return o, err
}

func renewCommand() *cli.Command {
	return &cli.Command{
		Name:        "renew",
		Usage:       "move the end of a grant or restriction",
		ArgsUsage:   "ID|USER",
		Description: "USER will do where only one stands on the account. What stood before is kept as history." + waitWords,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "until", Aliases: []string{"u"}, Usage: untilUsage + "; or forever"},
		}, changeFlags()...),
		Before: requires("reason", "until"),
		Action: atDesk(renew),
	}
}

func renew(d *desk) error {
	var until time.Time
	if d.String("until") != "forever" {
		var err error
		if until, err = d.at("until", d.people.untilLater, d.people.sayEnd); err != nil {
			return err
		}
	}
	o, err := d.standingOne(d.Args().First())
	if err != nil {
		return err
	}
	changed, err := d.client.RenewOverride(d.Context.Context, o.ID, o.Version, admin.Renewal{Until: sent(until), Reason: d.String("reason")}, d.Bool("dry-run"))
	if err != nil {
		return err
	}
	return d.tell("renew", changed, false)
}

func revokeCommand() *cli.Command {
	return &cli.Command{
		Name:        "revoke",
		Usage:       "end a grant or restriction at once",
		ArgsUsage:   "ID|USER",
		Description: "USER will do where only one stands on the account, or with --all." + waitWords,
		Flags:       append([]cli.Flag{&cli.BoolFlag{Name: "all", Usage: "all that stand on the account"}}, changeFlags()...),
		Before:      requires("reason"),
		Action:      atDesk(revoke),
	}
}

func revoke(d *desk) error {
	found, err := d.standing(d.Args().First())
	if err != nil {
		return err
	}
	if len(found) > 1 && !d.Bool("all") {
		return d.several(found, "name one by its id, or say --all")
	}
	for i, o := range found {
		changed, err := d.client.RevokeOverride(d.Context.Context, o.ID, o.Version, d.String("reason"), d.Bool("dry-run"))
		if err != nil {
			return err
		}
		if err := d.tell("revoke", changed, i < len(found)-1); err != nil {
			return err
		}
	}
	return nil
}
