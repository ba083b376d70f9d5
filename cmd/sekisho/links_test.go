package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)

// TestLinksOfThePagesLeadSomewhere holds the links from page to page.
func TestLinksOfThePagesLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob(moduleRoot + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, moduleRoot+"/README.md", moduleRoot+"/CONTRIBUTING.md", moduleRoot+"/CHANGELOG.md")
	links := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: link to %s: %v", filepath.Base(page), m[1], err)
			}
		}
	}
	if links < 5 {
		t.Errorf("only %d links were found", links)
	}
}

func TestNothingTypedSteersTheTerminal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a@b": "a@b", "ｕ＠b": "ｕ＠b", "\x1b[2Ja": `"\x1b[2Ja"`} {
		if got := printable(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}
