package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// errDeclined is the answer of somebody who was asked.
var errDeclined = errors.New("nothing was changed")

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask"}
}

// asks tells whether there is somebody at a terminal to be asked.
func asks(c *cli.Context) bool {
	f, ok := c.App.Reader.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && isTerminal(c.App.ErrWriter)
}

// confirm asks on the terminal; anything but y or yes is errDeclined.
func confirm(c *cli.Context, question string) error {
	fmt.Fprintf(c.App.ErrWriter, "%s [y/N] ", question)
	answer, err := bufio.NewReader(c.App.Reader).ReadString('\n')
	if err != nil && answer == "" {
		fmt.Fprintln(c.App.ErrWriter)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errDeclined
}
