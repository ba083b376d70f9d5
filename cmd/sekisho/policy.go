package main

import (
	"fmt"
	"time"

	"sekisho/engine"
	"sekisho/engine/policyfile"

	"github.com/urfave/cli/v2"
)

func policyCommand() *cli.Command {
	return &cli.Command{
		Name:  "policy",
		Usage: "test, check, show and chart policy files, print routers' filters; no daemon is asked",
		Subcommands: []*cli.Command{policyTestCommand(), policyCheckCommand(), policyShowCommand(), policyChartCommand(),
			policyACLCommand(), policyLintACLCommand()},
	}
}

// loadPolicy reads a policy by its shipped name or from a file; warnings go to
// stderr.
func loadPolicy(c *cli.Context, nameOrFile string) (*engine.Policy, error) {
	p, problems := policyfile.Load(nameOrFile)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	for _, warning := range problems {
		fmt.Fprintln(c.App.ErrWriter, warning)
	}
	return p, nil
}

// atFlag reads --at on the policy's clock; now where it is not given.
func atFlag(c *cli.Context, p *engine.Policy) (time.Time, error) {
	at, err := instant(c, "at", p.Location)
	if err == nil && at.IsZero() {
		at = time.Now()
	}
	return at, err
}
