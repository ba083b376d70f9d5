// Command sekisho is a RADIUS-integrated subscriber policy engine: it stands
// between access routers and AAA servers and decides for every session what
// the router is to filter.
package main

import (
	"os"

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
		Commands: []*cli.Command{
			serveCommand(),
			checkCommand(),
			demoCommand(),
			statusCommand(),
			reloadCommand(),
			explainCommand(),
			decideCommand(),
			grantCommand(),
			restrictCommand(),
			renewCommand(),
			revokeCommand(),
			overridesCommand(),
			contractsCommand(),
			auditCommand(),
			tokenCommand(),
			backupCommand(),
			dbCommand(),
			policyCommand(),
			calendarCommand(),
			impactCommand(),
			completionCommand(),
			manCommand(),
			versionCommand(),
			completeCommand(),
		},
	}
	strictly(app.Commands)
	return app
}
