package main

import (
	"embed"
	"fmt"

	"github.com/urfave/cli/v2"
)

//go:embed completion
var completionScripts embed.FS

var shells = []string{"bash", "zsh", "fish"}

func completionCommand() *cli.Command {
	command := &cli.Command{
		Name:  "completion",
		Usage: "print the script that makes a shell complete verbs, flags, policies, NASes and accounts",
		Description: "For this terminal only:   source <(sekisho completion bash)\n" +
			"What only the daemon knows is left out where it does not answer.",
	}
	for _, shell := range shells {
		command.Subcommands = append(command.Subcommands, &cli.Command{
			Name:   shell,
			Usage:  "print the script for " + shell,
			Action: func(c *cli.Context) error { return printCompletion(c, shell) },
		})
	}
	return command
}

func printCompletion(c *cli.Context, shell string) error {
	script, err := completionScripts.ReadFile("completion/sekisho." + shell)
	if err != nil {
		return err
	}
	_, err = c.App.Writer.Write(script)
	return err
}

// completeCommand is what the scripts call: its arguments are the words so
// far, of which the last is being typed. It prints what that may become, with
// a tab before what is said about it, and ends with code 1 where names of
// files are as good.
func completeCommand() *cli.Command {
	return &cli.Command{
		Name:      "__complete",
		Hidden:    true,
		ArgsUsage: "[WORD…]",
		Action: func(c *cli.Context) error {
			found, files := complete(c, c.Args().Slice())
			for _, f := range found {
				fmt.Fprintln(c.App.Writer, f)
			}
			if files {
				return errFilesToo
			}
			return nil
		},
	}
}

// errFilesToo is no failure: it only sets the exit code.
var errFilesToo = silentError{}

type silentError struct{}

func (silentError) Error() string { return "" }
