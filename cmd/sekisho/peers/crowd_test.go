package main

import (
	"path/filepath"
	"strings"
	"testing"

	"sekisho/cmd/internal/config"
)

// TestCrowdIsASite loads what the table calls 200 rules and 1,000 NASes.
func TestCrowdIsASite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	site := filepath.Join(dir, "site.yaml")
	text := strings.NewReplacer("DIR", dir, "PORT", "1812", "NAS", nasSecret, "AAA", homeSecret, "HOME0", "1813").Replace(sekishoSite)
	if err := (crowd{rules: 200, nases: 1000}).write(site, text); err != nil {
		t.Fatal(err)
	}
	c, problems := config.Load(site)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if rules, nases := len(c.Policy.Rules), len(c.Radius.NAS); rules != 200 || nases != 1000 {
		t.Errorf("%d rules, %d NASes", rules, nases)
	}
}
