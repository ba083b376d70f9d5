package main

import (
	"context"
	"fmt"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

// tellCommands are the verbs that speak to routers about single sessions.
func tellCommands() []*cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "box", Usage: "which of several routers behind the NAS entry, as list names it"},
		&cli.StringFlag{Name: "reason", Aliases: []string{"r"}, Usage: "`WHY`, for the audit"},
		listFlag(),
	}
	return []*cli.Command{
		{
			Name:        "push",
			Usage:       "tell the router what is wanted, whatever it was told, and show its answer",
			ArgsUsage:   "USER|NAS [SESSION]",
			Description: "Of all sessions of an account, or of one. Exit code 1 if a router does not acknowledge.",
			Flags:       flags,
			Action:      tellSessions((*admin.Client).PushSessions),
		},
		{
			Name:      "disconnect",
			Usage:     "end sessions at their routers: the subscriber logs in anew",
			ArgsUsage: "USER|NAS [SESSION]",
			Flags:     flags,
			Action:    tellSessions((*admin.Client).DisconnectSessions),
		},
	}
}

type telling func(*admin.Client, context.Context, admin.SessionOrder) ([]admin.Telling, error)

func tellSessions(tell telling) cli.ActionFunc {
	return asking(func(c *cli.Context, daemon *admin.Client) error {
		order := admin.SessionOrder{User: c.Args().First(), Box: c.String("box"), Reason: c.String("reason")}
		if c.NArg() == 2 {
			order.User, order.NAS, order.Session = "", c.Args().Get(0), c.Args().Get(1)
		}
		told, err := tell(daemon, c.Context, order)
		if err != nil {
			return err
		}
		if err := tellingListing.write(c, each(told)); err != nil {
			return err
		}
		for _, t := range told {
			if t.Outcome != "done" {
				return fmt.Errorf("%s did not acknowledge session %s: %s", routerName(t.NAS, t.Box), t.Session, t.Answer)
			}
		}
		return nil
	})
}

var tellingListing = listing[admin.Telling]{
	columns: []string{"nas", "session", "outcome", "answer"},
	cells: func(t admin.Telling) []string {
		return []string{routerName(t.NAS, t.Box), t.Session, t.Outcome, t.Answer}
	},
}
