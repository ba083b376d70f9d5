package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

// The exit codes. Scripts rely on them; docs/cli.md lists them.
const (
	exitOK          = 0
	exitFailed      = 1 // it did not work; the message says why
	exitUsage       = 2 // the command line is not one
	exitNotFound    = 4 // there is no such account, NAS, …
	exitRefused     = 5 // a guard refused the change
	exitUnreachable = 6 // the daemon does not answer on its socket
)

// usageError is a mistake on the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// notFound says that there is no such thing.
func notFound(detail string) error {
	return &admin.Problem{Status: http.StatusNotFound, Detail: detail}
}

// refused says that a guard holds something back.
func refused(detail string) error { return &admin.Problem{Status: http.StatusConflict, Detail: detail} }

// exitCode prints what went wrong and returns the code to end with.
func exitCode(app *cli.App, err error) int {
	if err == nil {
		return exitOK
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(app.ErrWriter, "sekisho:", text)
	}
	var problem *admin.Problem
	switch {
	case errors.As(err, &usageError{}), isFlagError(err):
		return exitUsage
	case errors.Is(err, admin.ErrUnreachable):
		return exitUnreachable
	case errors.As(err, &problem):
		return problemCode(problem.Status)
	}
	return exitFailed
}

func problemCode(status int) int {
	switch status {
	case http.StatusNotFound:
		return exitNotFound
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusForbidden:
		return exitRefused
	case http.StatusBadRequest:
		return exitUsage
	}
	return exitFailed
}

// isFlagError knows the library's own complaint about a missing flag, which
// has no exported type to ask for.
func isFlagError(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "Required flag") || strings.HasPrefix(text, "flag provided but not defined")
}

func commandNotFound(c *cli.Context, name string) {
	fmt.Fprintf(c.App.ErrWriter, "sekisho: there is no command %q%s\n", name, didYouMean(c.App, name))
	cli.OsExiter(exitUsage)
}

func didYouMean(app *cli.App, name string) string {
	if near := cli.SuggestCommand(app.Commands, name); near != "" {
		return ". " + near
	}
	return "; sekisho help lists them"
}

// shortUsageErrors makes every command answer a wrong flag with one line
// instead of its whole help.
func shortUsageErrors(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = onUsageError
		shortUsageErrors(c.Subcommands)
	}
}

func onUsageError(c *cli.Context, err error, _ bool) error { return usageError{err} }
