package main

import (
	"fmt"
	"strings"
	"time"

	"sekisho/engine"
	"sekisho/engine/policyfile"

	"github.com/urfave/cli/v2"
)

func policyCommand() *cli.Command {
	return &cli.Command{
		Name:        "policy",
		Usage:       "test, check, show and chart policy files; no daemon is asked",
		Subcommands: []*cli.Command{policyTestCommand(), policyCheckCommand(), policyShowCommand(), policyChartCommand()},
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

func langFlag() cli.Flag {
	return &cli.StringFlag{Name: "lang", Usage: "ja or en", Value: "en", EnvVars: []string{"SEKISHO_LANG"}}
}

func language(c *cli.Context) (string, error) {
	lang := c.String("lang")
	if lang != "ja" && lang != "en" {
		return "", usagef("--lang: expected ja or en, got %q", lang)
	}
	return lang, nil
}

// outputFormat is the format that outputFlag was given, one of those known.
func outputFormat(c *cli.Context, known ...string) (string, error) {
	got := c.String("output")
	for _, k := range known {
		if got == k {
			return got, nil
		}
	}
	return "", usagef("--output: expected %s or %s, got %q", strings.Join(known[:len(known)-1], ", "), known[len(known)-1], got)
}

// atFlag reads --at on the policy's clock; now where it is not given.
func atFlag(c *cli.Context, p *engine.Policy) (time.Time, error) {
	at, err := instant(c, "at", p.Location)
	if err == nil && at.IsZero() {
		at = time.Now()
	}
	return at, err
}
