package main

import (
	"fmt"
	"time"

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

// instant reads a flag as a time: RFC 3339, or a local date or date-time.
func instant(c *cli.Context, name string, local *time.Location) (time.Time, error) {
	text := c.String(name)
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, nil
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(layout, text, local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usagef("--%s: expected a time such as 2007-05-15T00:00:00+09:00 or 2007-05-15, got %q", name, text)
}
