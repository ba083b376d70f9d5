package main

import (
	"fmt"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"

	"github.com/urfave/cli/v2"
)

func socketFlag() cli.Flag {
	return &cli.StringFlag{
		Name:    "socket",
		Usage:   "unix socket of the daemon's admin API",
		Value:   config.DefaultSocket,
		EnvVars: []string{"SEKISHO_SOCKET"},
	}
}

func configFlag() cli.Flag {
	return &cli.StringFlag{
		Name:    "config",
		Aliases: []string{"c"},
		Usage:   "the site file",
		Value:   config.DefaultFile,
		EnvVars: []string{"SEKISHO_CONFIG"},
	}
}

func outputFlag(formats ...string) cli.Flag {
	return &cli.StringFlag{
		Name:    "output",
		Aliases: []string{"o"},
		Usage:   fmt.Sprintf("%v", formats),
		Value:   formats[0],
		EnvVars: []string{"SEKISHO_OUTPUT"},
	}
}

// instant reads a flag as a time; zero where it is not given.
func instant(c *cli.Context, name string, local *time.Location) (time.Time, error) {
	if c.String(name) == "" {
		return time.Time{}, nil
	}
	at, err := admin.Instant(c.String(name), local)
	if err != nil {
		return at, usagef("--%s: %w", name, err)
	}
	return at, nil
}
