package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves every flag to where the library looks for it: in front of
// the arguments of its command, which people type first (`explain USER --nas
// NAME`), and flags of the whole program, such as --socket, in front of the
// command. Everything behind -- stays where it is.
func flagsFirst(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	line := &commandLine{app: app, flags: app.Flags, commands: app.Commands}
	rest := args[1:]
	for len(rest) > 0 {
		rest = line.take(rest)
	}
	return line.sorted(args[0])
}

// commandLine is a command line while it is being sorted.
type commandLine struct {
	app      *cli.App
	commands []*cli.Command // that may come next
	flags    []cli.Flag     // of the command so far
	usage    string         // ArgsUsage of the command so far

	global []string // flags of the program
	path   []string // commands, each with its own flags behind it
	own    []string // flags of the last command
	rest   []string // arguments
}

// take sorts the first of the arguments, with its value if it is a flag that
// has one, and returns those after it.
func (l *commandLine) take(args []string) []string {
	arg := args[0]
	switch {
	case arg == "--":
		l.rest = append(l.rest, args...)
		return nil
	case len(arg) > 1 && arg[0] == '-':
		return l.takeFlag(args)
	}
	if command := find(l.commands, arg); command != nil && len(l.rest) == 0 {
		l.enter(command, arg)
		return args[1:]
	}
	l.rest = append(l.rest, arg)
	return args[1:]
}

// enter goes on with a command. Flags that stand before it and are its own,
// too, are meant for it: `overrides -o csv list`.
func (l *commandLine) enter(command *cli.Command, name string) {
	before := l.own
	for _, arg := range before {
		if flag, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "="); strings.HasPrefix(arg, "-") && lookup(command.Flags, flag) == nil {
			l.path, before = append(l.path, l.own...), nil
			break
		}
	}
	l.path, l.own = append(l.path, name), before
	l.commands, l.flags, l.usage = command.Subcommands, command.Flags, command.ArgsUsage
}

func (l *commandLine) takeFlag(args []string) []string {
	name, _, joined := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
	to, flag := &l.own, lookup(l.flags, name)
	if len(l.path) == 0 || flag == nil {
		if flag = lookup(l.app.Flags, name); flag != nil {
			to = &l.global
		}
	}
	n := 1
	if _, isBool := flag.(*cli.BoolFlag); flag != nil && !isBool && !joined && len(args) > 1 {
		n = 2
	}
	*to = append(*to, args[:n]...)
	return args[n:]
}

func (l *commandLine) sorted(program string) []string {
	line := append([]string{program}, l.global...)
	line = append(line, l.path...)
	line = append(line, l.own...)
	return append(line, l.rest...)
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

func lookup(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		for _, known := range f.Names() {
			if known == name {
				return f
			}
		}
	}
	return nil
}
