package main

import (
	"context"
	"fmt"
	"strings"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

// complete finds what the last of the words may become, and whether it may be
// the name of a file.
func complete(c *cli.Context, words []string) (found []string, files bool) {
	if len(words) == 0 {
		return nil, false
	}
	before, word := words[:len(words)-1], words[len(words)-1]
	line := &commandLine{app: c.App, flags: c.App.Flags, commands: c.App.Commands}
	var pending cli.Flag
	for len(before) > 0 {
		pending = line.valueAwaited(before)
		before = line.take(before)
	}
	switch {
	case pending != nil:
		return line.values(c, pending, word)
	case strings.HasPrefix(word, "-"):
		return line.flagsLike(word), false
	case len(line.commands) > 0 && len(line.rest) == 0:
		return commandsLike(line.commands, word), false
	}
	return line.arguments(c, word)
}

// valueAwaited is the flag whose value comes behind these words.
func (l *commandLine) valueAwaited(words []string) cli.Flag {
	if len(words) != 1 || !strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=") {
		return nil
	}
	name := strings.TrimLeft(words[0], "-")
	flag := lookup(l.flags, name)
	if flag == nil {
		flag = lookup(l.app.Flags, name)
	}
	if _, isBool := flag.(*cli.BoolFlag); isBool {
		return nil
	}
	return flag
}

func (l *commandLine) values(c *cli.Context, flag cli.Flag, word string) (found []string, files bool) {
	if choice, ok := flag.(choiceFlag); ok {
		return beginning(choice.words, word), false
	}
	return l.find(c, []string{"--" + flag.Names()[0]}, word)
}

func (l *commandLine) flagsLike(word string) (found []string) {
	flags := append(append([]cli.Flag{}, l.flags...), l.app.Flags...)
	for _, f := range flags {
		name := "--" + f.Names()[0]
		if doc, ok := f.(cli.DocGenerationFlag); ok && strings.HasPrefix(name, word) {
			found = append(found, name+"\t"+strings.ReplaceAll(doc.GetUsage(), "`", ""))
		}
	}
	return found
}

func commandsLike(commands []*cli.Command, word string) (found []string) {
	for _, c := range commands {
		if !c.Hidden && strings.HasPrefix(c.Name, word) {
			found = append(found, c.Name+"\t"+c.Usage)
		}
	}
	return found
}

// arguments completes an argument by its name in ArgsUsage, such as FILE|NAME….
func (l *commandLine) arguments(c *cli.Context, word string) (found []string, files bool) {
	usage := strings.Fields(l.usage)
	if len(usage) == 0 {
		return nil, false
	}
	last := usage[len(usage)-1]
	name := last
	switch {
	case len(l.rest) < len(usage):
		name = usage[len(l.rest)]
	case !strings.Contains(last, "…"):
		return nil, false
	}
	name = strings.Trim(name, "[]…")
	if completers[name] != nil {
		return l.find(c, []string{name}, word)
	}
	return l.find(c, strings.Split(name, "|"), word)
}

// find asks the completers of these names.
func (l *commandLine) find(c *cli.Context, names []string, word string) (found []string, files bool) {
	ctx, cancel := context.WithTimeout(c.Context, completeTime)
	defer cancel()
	daemon := l.daemon(c)
	defer daemon.Close()
	for _, name := range names {
		if find := completers[name]; find != nil {
			found = append(found, find(ctx, daemon, word)...)
		}
		files = files || takesFile[name]
	}
	return found, files
}

// daemon is the one that the words so far speak to.
func (l *commandLine) daemon(c *cli.Context) *admin.Client {
	for i := 0; i < len(l.global); i++ {
		name, value, joined := strings.Cut(strings.TrimLeft(l.global[i], "-"), "=")
		if !joined && i+1 < len(l.global) {
			i++
			value = l.global[i]
		}
		if err := c.Set(name, value); err != nil {
			fmt.Fprintln(c.App.ErrWriter, err) // the scripts throw it away
		}
	}
	client, err := dial(c)
	if err != nil {
		return admin.Dial("") // where nobody answers
	}
	return client
}
