package main

import (
	"strings"
	"testing"
)

// TestNumbersThatCountNothing refuses them before anything is asked or read: to
// some a negative limit was none.
func TestNumbersThatCountNothing(t *testing.T) {
	t.Parallel()
	for line, says := range map[string]string{
		"audit list --limit -1":               "--limit: expected a number from 0 on, got -1",
		"audit list -n -1":                    "--limit: expected a number from 0 on, got -1",
		"contracts search --limit -5":         "--limit: expected a number from 0 on, got -5",
		"contracts import gone.csv --diff -1": "--diff: expected a number from 0 to 1000, got -1",
		"sync run --diff 1001":                "--diff: expected a number from 0 to 1000, got 1001",
		"sync status --unmapped -1":           "--unmapped: expected a number from 0 to 1000, got -1",
		"sync check --entries -1":             "--entries: expected a number from 0 on, got -1",
	} {
		if r := sekisho(t, "", strings.Fields(line)...); r.code != exitUsage || !strings.Contains(r.stderr, says) {
			t.Errorf("%s: code %d, %q; want %q", line, r.code, r.stderr, says)
		}
	}
}
