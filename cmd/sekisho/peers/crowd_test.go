package main

import (
	"path/filepath"
	"testing"

	"sekisho/cmd/internal/config"
)

// TestCrowdIsASite loads what the table calls 200 rules and 1,000 NASes.
func TestCrowdIsASite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	site := filepath.Join(dir, "site.yaml")
	h, err := startHome(manners{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	if err := (crowd{rules: 200, nases: 1000}).write(site, (&peer{port: 1812}).fill(sekishoSite, dir, h)); err != nil {
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
