package main

import (
	"fmt"
	"strings"

	"sekisho/engine/yamldoc"

	"github.com/urfave/cli/v2"
)

// strictly makes commands take what their help says and nothing else, and
// answer a mistake with one line instead of their whole help.
func strictly(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = onUsageError
		for _, f := range c.Flags {
			if truth, ok := f.(*cli.BoolFlag); ok {
				truth.DisableDefaultText = true // "(default: false)" tells nobody anything
			}
		}
		strictly(c.Subcommands)
		if len(c.Subcommands) == 0 {
			c.HideHelpCommand = true // else it would take "help" and "h" for itself, which may be accounts
			c.Before = both(countArguments, c.Before)
			continue
		}
		act := c.Action
		c.Action = func(c *cli.Context) error { return unknownCommand(c, c.Command.Subcommands, act) }
	}
}

func both(first, then cli.BeforeFunc) cli.BeforeFunc {
	if then == nil {
		return first
	}
	return func(c *cli.Context) error {
		if err := first(c); err != nil {
			return err
		}
		return then(c)
	}
}

// countArguments holds ArgsUsage: [X] may be left out, X… may be repeated.
func countArguments(c *cli.Context) error {
	least, most := 0, 0
	for _, word := range strings.Fields(c.Command.ArgsUsage) {
		most++
		if !strings.HasPrefix(word, "[") {
			least++
		}
		if strings.Contains(word, "…") {
			most = c.NArg()
		}
	}
	if c.NArg() >= least && c.NArg() <= most {
		return nil
	}
	return usagef("expected %s, got %s; see %s --help", argumentsExpected(c.Command.ArgsUsage), argumentsGot(c), c.Command.HelpName)
}

func argumentsExpected(usage string) string {
	if usage == "" {
		return "no argument"
	}
	return usage
}

func argumentsGot(c *cli.Context) string {
	if c.NArg() == 0 {
		return "none"
	}
	return fmt.Sprintf("%d: %q", c.NArg(), c.Args().Slice())
}

// unknownCommand is what a command with subcommands does when none of them was
// named: its own act, or its help, unless there is a word that names nothing.
func unknownCommand(c *cli.Context, known []*cli.Command, act cli.ActionFunc) error {
	switch {
	case c.Args().Present():
		name := c.Args().First()
		return usagef("%s has no command %q; %s", c.Command.HelpName, name, yamldoc.Suggest(name, commandNames(known)))
	case act != nil:
		return act(c)
	case c.Command.HelpName == c.App.HelpName:
		return cli.ShowAppHelp(c)
	}
	return cli.ShowSubcommandHelp(c)
}

func commandNames(commands []*cli.Command) []string {
	var names []string
	for _, c := range commands {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}

const unknownFlag = "flag provided but not defined: -"

func onUsageError(c *cli.Context, err error, _ bool) error {
	name, ok := strings.CutPrefix(err.Error(), unknownFlag)
	if !ok {
		return usageError{err}
	}
	var known []string
	for _, f := range append(c.Command.VisibleFlags(), daemonFlags()...) {
		known = append(known, "--"+f.Names()[0])
	}
	return usagef("%s has no flag --%s; %s", c.Command.HelpName, name, yamldoc.Suggest("--"+name, known))
}

// requires refuses a command line without one of these flags. The library's own
// way prints the whole help.
func requires(names ...string) cli.BeforeFunc {
	return func(c *cli.Context) error {
		for _, name := range names {
			if !c.IsSet(name) {
				return usagef("--%s is required; see %s --help", name, c.Command.HelpName)
			}
		}
		return nil
	}
}
