package main

import (
	"fmt"
	"time"

	"sekisho/engine"
	"sekisho/engine/policyfile"
	"sekisho/engine/yamldoc"

	"github.com/urfave/cli/v2"
)

func policyCheckCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "check a policy file, or a shipped policy by name",
		ArgsUsage: "FILE|NAME",
		Action:    policyCheck,
	}
}

// policyCheck prints every mistake and every doubt on stderr, one a line.
func policyCheck(c *cli.Context) error {
	file := c.Args().First()
	p, problems := policyfile.Load(file)
	for _, found := range problems {
		fmt.Fprintln(c.App.ErrWriter, found)
	}
	if problems.Err() != nil {
		return fmt.Errorf("%s has errors", file)
	}
	for _, rule := range engine.Ended(p, time.Now()) {
		fmt.Fprintf(c.App.ErrWriter, "%s: warning: rules[%s]: has ended: it decides nothing any more\n", file, rule)
	}
	_, err := fmt.Fprintf(c.App.Writer, "%s: ok, policy %s, %d courses, %d rules\n", file, p.Name, len(p.Courses()), len(p.Rules))
	return err
}

func policyShowCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "print a shipped policy, to start one's own from; without NAME list them",
		ArgsUsage: "[NAME]",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "schema", Usage: "print the JSON Schema of policy files, for editors"},
			&cli.BoolFlag{Name: "tests", Usage: "print the decision tests of the policy instead"},
		},
		Action: policyShow,
	}
}

func policyShow(c *cli.Context) error {
	text, err := shownText(c)
	if err != nil {
		return err
	}
	_, err = c.App.Writer.Write(text)
	return err
}

func shownText(c *cli.Context) ([]byte, error) {
	name := c.Args().First()
	switch {
	case c.Bool("schema"):
		return policyfile.Schema()
	case name == "":
		var list []byte
		for _, shipped := range policyfile.Shipped() {
			list = append(list, shipped+"\n"...)
		}
		return list, nil
	}
	source := policyfile.Source
	if c.Bool("tests") {
		source = policyfile.TestSource
	}
	text, ok := source(name)
	if !ok {
		return nil, notFound(fmt.Sprintf("no policy %q ships with sekisho; %s", name, yamldoc.Suggest(name, policyfile.Shipped())))
	}
	return text, nil
}
