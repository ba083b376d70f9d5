// Command sekisho is a RADIUS-integrated subscriber policy engine: it stands
// between access routers and AAA servers and decides for every session what
// the router is to filter.
package main

import (
	"os"
	"slices"

	"github.com/urfave/cli/v2"
)

func main() {
	app := newApp()
	os.Exit(exitCode(app, app.Run(flagsFirst(app, os.Args))))
}

func newApp() *cli.App {
	app := &cli.App{
		Name:           "sekisho",
		Usage:          "decide for every subscriber session whether port 25 is open, and tell the router so",
		Version:        version(),
		HideVersion:    true,
		Flags:          daemonFlags(),
		Action:         func(c *cli.Context) error { return unknownCommand(c, c.App.Commands, nil) },
		OnUsageError:   onUsageError,
		ExitErrHandler: func(*cli.Context, error) {}, // exitCode maps errors, once, at the end
		Commands: slices.Concat(
			about("The daemon and its files",
				serveCommand(), checkCommand(), demoCommand(), statusCommand(), reloadCommand(), backupCommand(), dbCommand(), benchCommand(),
				completionCommand(), manCommand(), versionCommand(), completeCommand()),
			about("The support desk",
				explainCommand(), grantCommand(), restrictCommand(), renewCommand(), revokeCommand(), overridesCommand(), contractsCommand(), sessionsCommand(),
				syncCommand()),
			about("Policies and roll-outs", decideCommand(), policyCommand(), calendarCommand(), impactCommand(), campaignCommand(), nasCommand()),
			about("Who did what, and who may", auditCommand(), tokenCommand()),
		),
	}
	strictly(app.Commands)
	return app
}

// about puts verbs under a heading of the help.
func about(heading string, verbs ...*cli.Command) []*cli.Command {
	for _, v := range verbs {
		v.Category = heading
	}
	return verbs
}
