package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"sekisho/cmd/internal/config"
	"sekisho/dict"
	"sekisho/dict/acl"
	"sekisho/engine/policyfile"

	"github.com/urfave/cli/v2"
)

func policyACLCommand() *cli.Command {
	return &cli.Command{
		Name:      "acl",
		Usage:     "print the filters that a profile's routers must hold; without --profile list the profiles",
		ArgsUsage: "[FILE|NAME]",
		Flags: append(profileFlags(),
			&cli.StringFlag{Name: "action", Usage: "only the filter of this `ACTION`"},
			&cli.IntFlag{Name: "kbps", Usage: "what an action that limits lets through where the router polices traffic, in `KBIT` a second", Value: acl.UsualRate.Kbps},
			&cli.IntFlag{Name: "connections", Usage: "the same where the router counts: new connections a minute, `N`", Value: acl.UsualRate.Connections},
		),
		Action: policyACL,
	}
}

// profileFlags say which profile a router's text is about.
func profileFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "profile", Usage: "the `PROFILE` of the routers"},
		&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "a site `FILE` with profiles of your own"},
		&cli.StringFlag{Name: "open-filter", Usage: "a filter that permits everything too, by this `NAME`; as open-filter in the profile"},
	}
}

func policyACL(c *cli.Context) error {
	if c.String("profile") == "" {
		if c.NArg() > 0 {
			return usagef("policy acl: say --profile; without a policy it lists the profiles")
		}
		return listProfiles(c)
	}
	if c.Int("kbps") < 8 || c.Int("connections") < 1 {
		return usagef("--kbps must be at least 8 and --connections at least 1")
	}
	subject, err := aclSubject(c, c.Args().First())
	if err != nil {
		return err
	}
	subject.Rate = acl.Rate{Kbps: c.Int("kbps"), Connections: c.Int("connections")}
	text, err := acl.Text(subject, c.String("action"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(c.App.Writer, text)
	return err
}

// listProfiles prints the shipped profiles and what they are for.
func listProfiles(c *cli.Context) error {
	for _, name := range dict.ShippedProfiles() {
		spec, _ := dict.ShippedProfile(name)
		if _, err := fmt.Fprintf(c.App.Writer, "%-17s %s\n", name, spec.For); err != nil {
			return err
		}
	}
	return nil
}

// aclSubject finds the profile and the policy: the one named, or that of the
// site file. The profile must be able to say it; its doubts go to stderr.
func aclSubject(c *cli.Context, policy string) (acl.Subject, error) {
	name := c.String("profile")
	site, err := config.Profile(c.String("config"), name)
	if err != nil {
		return acl.Subject{}, err
	}
	if policy == "" {
		policy = site.Policy
	}
	if policy == "" {
		return acl.Subject{}, usagef("say the policy, or a site file with --config")
	}
	p, err := loadPolicy(c, policy)
	if err != nil {
		return acl.Subject{}, err
	}
	if open := c.String("open-filter"); open != "" {
		site.Spec.OpenFilter = open
	}
	subject := acl.Subject{Policy: p.Name, Profile: name, Spec: site.Spec, Actions: config.Actions(p), Rate: acl.UsualRate}
	return subject, doubts(c, subject, site.Dictionary)
}

// doubts compiles the profile for the policy and prints what it warns of.
func doubts(c *cli.Context, s acl.Subject, d *dict.Dictionary) error {
	name := s.Profile
	compiled, errs := dict.CompileProfile(d, name, s.Spec, s.Actions)
	if errs != nil {
		return fmt.Errorf("profile %s cannot say policy %s: %w", name, s.Policy, errors.Join(errs...))
	}
	for _, doubt := range compiled.Warnings {
		fmt.Fprintf(c.App.ErrWriter, "warning: profile %s: %v\n", name, doubt)
	}
	for _, a := range s.Actions {
		if compiled.Means(a.Name) == dict.ByNothing {
			fmt.Fprintf(c.App.ErrWriter, "note: profile %s cannot tell a live session %s: %s\n", name, a.Name, compiled.NoCoA(a.Name))
		}
	}
	return nil
}

func policyLintACLCommand() *cli.Command {
	return &cli.Command{
		Name:      "lint-acl",
		Usage:     "tell which filters a router's configuration lacks; - reads it from stdin",
		ArgsUsage: "FILE [POLICY]",
		Flags:     profileFlags(),
		Action:    policyLintACL,
	}
}

// policyLintACL prints what it finds on stdout, one filter a line.
func policyLintACL(c *cli.Context) error {
	if c.String("profile") == "" {
		return usagef("lint-acl: say --profile: what filters look like depends on the router")
	}
	if c.NArg() < 1 || c.NArg() > 2 {
		return usagef("lint-acl: expected FILE and at most one POLICY, got %d", c.NArg())
	}
	text, err := configuration(c, c.Args().First())
	if err != nil {
		return err
	}
	policy := c.Args().Get(1)
	if policy == "" && c.String("config") == "" {
		policy = policyfile.Shipped()[0] // they all name the same filters
	}
	subject, err := aclSubject(c, policy)
	if err != nil {
		return err
	}
	report, err := acl.Lint(subject, string(text))
	if err != nil {
		return err
	}
	for _, finding := range report.Findings {
		if _, err := fmt.Fprintln(c.App.Writer, strings.TrimRight(c.Args().First()+finding.String(), " ")); err != nil {
			return err
		}
	}
	if n := report.Lacking(); n > 0 {
		return fmt.Errorf("%d of %d filters are not as the profile names them", n, len(report.Findings))
	}
	return nil
}

// configuration reads a router's configuration.
func configuration(c *cli.Context, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(c.App.Reader)
	}
	return os.ReadFile(file)
}
