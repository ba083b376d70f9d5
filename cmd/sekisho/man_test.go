package main

import (
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestManualHasEveryVerbAndFlag holds the page complete, and free of what the
// Markdown on its way may have swallowed.
func TestManualHasEveryVerbAndFlag(t *testing.T) {
	t.Parallel()
	r := sekisho(t, "", "man")
	if r.code != exitOK || r.stderr != "" {
		t.Fatalf("code %d, %q", r.code, r.stderr)
	}
	page := strings.NewReplacer(`\-`, "-", `\fB`, "", `\fI`, "", `\fP`, "", `\&`, "").Replace(r.stdout)
	everyVerb(newApp().Commands, "sekisho", func(name string, c *cli.Command) {
		from := strings.Index(page, "\n.SS "+strings.TrimSpace(name+" "+c.ArgsUsage)+"\n")
		if from < 0 {
			t.Errorf("%s %s is not in the page", name, c.ArgsUsage)
			return
		}
		section, _, _ := strings.Cut(page[from+1:], "\n.SS ")
		if !strings.Contains(section, c.Usage) {
			t.Errorf("%s: its usage is not in\n%s", name, section)
		}
		for _, f := range c.Flags {
			if !strings.Contains(section, "--"+f.Names()[0]) {
				t.Errorf("%s: --%s is not in\n%s", name, f.Names()[0], section)
			}
		}
	})
}

func TestMarkdownTextComesOutAsItIs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a*b_c":          `a\*b\_c`,
		"[PREFIX]":       `\[PREFIX]`,
		"one\ntwo":       "one  \ntwo",
		`{"user":"<a>"}`: `{"user":"\<a>"}`,
	} {
		if got := markdownText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
