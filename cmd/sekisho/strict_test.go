package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// everyVerb calls fn for every command that does something, by its whole name.
func everyVerb(commands []*cli.Command, prefix string, fn func(name string, c *cli.Command)) {
	for _, c := range commands {
		name := strings.TrimSpace(prefix + " " + c.Name)
		if c.Hidden {
			continue
		}
		fn(name, c)
		everyVerb(c.Subcommands, name, fn)
	}
}

// TestNoFlagTakesASecret holds that secrets stay off command lines, which
// every user of a machine can read and every shell remembers.
func TestNoFlagTakesASecret(t *testing.T) {
	t.Parallel()
	secret, file := regexp.MustCompile(`token|secret|passw|credential`), regexp.MustCompile(`-file$`)
	app := newApp()
	refuse := func(verb string, flags []cli.Flag) {
		for _, f := range flags {
			for _, name := range f.Names() {
				if secret.MatchString(name) && !file.MatchString(name) {
					t.Errorf("%s --%s: a secret comes from a file or a terminal", verb, name)
				}
			}
		}
	}
	refuse("sekisho", app.Flags)
	everyVerb(app.Commands, "", func(name string, c *cli.Command) { refuse(name, c.Flags) })
}

var argumentWord = regexp.MustCompile(`^(\[[A-Z|-]+…?\]|[A-Z][A-Z|-]*…?)$`)

// TestEveryVerbSaysWhatItIs holds the help of every verb, and that a flag means
// one thing wherever it is.
func TestEveryVerbSaysWhatItIs(t *testing.T) {
	t.Parallel()
	everyVerb(newApp().Commands, "", func(name string, c *cli.Command) {
		if c.Usage == "" || strings.HasSuffix(c.Usage, ".") || len(c.Usage) > 100 {
			t.Errorf("%s: usage %q: expected one short line without a full stop", name, c.Usage)
		}
		for _, word := range strings.Fields(c.ArgsUsage) { // which are counted
			if !argumentWord.MatchString(word) {
				t.Errorf("%s %s: %q stands for no argument", name, c.ArgsUsage, word)
			}
		}
		for _, f := range c.Flags {
			if doc, ok := f.(cli.DocGenerationFlag); !ok || doc.GetUsage() == "" {
				t.Errorf("%s --%s says nothing", name, f.Names()[0])
			}
		}
	})
}
