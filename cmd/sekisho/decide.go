package main

import (
	"time"

	"sekisho/engine/policyfile"

	"github.com/urfave/cli/v2"
)

func decideCommand() *cli.Command {
	return &cli.Command{
		Name:  "decide",
		Usage: "decide for facts from stdin, one JSON object a line in and out; no daemon is asked",
		Description: `Each line is {"user":…, "contract":{…}|null, "nas":{"area":…}, "request":{…}, "overrides":[…], "stages":[…], "at":…};
each answer {"action":…, "rule":…, "until":…, "account":…}.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "policy", Aliases: []string{"p"}, Usage: "a shipped policy by name, or a policy file"},
		},
		Before: requires("policy"),
		Action: decide,
	}
}

func decide(c *cli.Context) error {
	policy, problems := policyfile.Load(c.String("policy"))
	if err := problems.Err(); err != nil {
		return err
	}
	return policyfile.DecideStream(policy, c.App.Reader, c.App.Writer, time.Now())
}
