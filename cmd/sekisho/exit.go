package main

import (
	"errors"
	"fmt"
	"net/http"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

// The exit codes. Scripts rely on them; docs/cli.md lists them.
const (
	exitOK          = 0
	exitFailed      = 1 // it did not work; the message says why
	exitUsage       = 2 // the command line is not one
	exitNotFound    = 4 // there is no such account, NAS, …
	exitRefused     = 5 // refused: by a guard, for want of a role, or because it was changed meanwhile
	exitUnreachable = 6 // the daemon does not answer
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
	case errors.As(err, &usageError{}):
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
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusForbidden, http.StatusUnauthorized:
		return exitRefused
	case http.StatusBadRequest:
		return exitUsage
	}
	return exitFailed
}
