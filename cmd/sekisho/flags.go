package main

import (
	"slices"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"

	"github.com/urfave/cli/v2"
)

func configFlag() cli.Flag {
	return &cli.StringFlag{
		Name:    "config",
		Aliases: []string{"c"},
		Usage:   "the site file",
		Value:   config.DefaultFile,
		EnvVars: []string{"SEKISHO_CONFIG"},
	}
}

// outputFlag takes one of the formats, the first where it is not given.
func outputFlag(formats ...string) cli.Flag {
	return oneOf(formats, &cli.StringFlag{
		Name:    "output",
		Aliases: []string{"o"},
		Usage:   "the `FORMAT`: " + alternatives(formats),
		Value:   formats[0],
	})
}

// reasonFlag is for changes that need no reason.
func reasonFlag() cli.Flag {
	return &cli.StringFlag{Name: "reason", Aliases: []string{"r"}, Usage: "`WHY`, for the audit"}
}

// languages are those that people are spoken to in.
var languages = []string{"en", "ja"}

func langFlag() cli.Flag {
	return oneOf(languages, &cli.StringFlag{
		Name: "lang", Usage: "the `LANGUAGE`: " + alternatives(languages), Value: languages[0], EnvVars: []string{"SEKISHO_LANG"},
	})
}

// choiceFlag takes one of some words.
type choiceFlag struct {
	*cli.StringFlag
	words []string
}

func oneOf(words []string, flag *cli.StringFlag) cli.Flag {
	flag.Action = func(_ *cli.Context, got string) error {
		if !slices.Contains(words, got) {
			return usagef("--%s: expected %s, got %q", flag.Name, alternatives(words), got)
		}
		return nil
	}
	return choiceFlag{flag, words}
}

// alternatives lists words as a sentence does: a, b or c.
func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// anyNumber as the most of counted: there is no limit.
const anyNumber = 0

// counted takes so many of something: none at least, and not more than most.
func counted(most int, flag *cli.IntFlag) cli.Flag {
	flag.Action = func(_ *cli.Context, n int) error {
		switch {
		case most != anyNumber && (n < 0 || n > most):
			return usagef("--%s: expected a number from 0 to %d, got %d", flag.Name, most, n)
		case n < 0:
			return usagef("--%s: expected a number from 0 on, got %d", flag.Name, n)
		}
		return nil
	}
	return flag
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
