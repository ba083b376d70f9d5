package main

import (
	"strings"
	"testing"

	"sekisho/engine/policyfile"
)

// TestImpactOfTheDemo asks a demo whose clock stands on the eve of the second
// stage.
func TestImpactOfTheDemo(t *testing.T) {
	s := startDemo(t, "2007-05-14")
	since := "2007-05-14"
	src, _ := policyfile.Source("asahi-net")
	mine := writeFile(t, "mine.yaml", strings.Replace(string(src), "group: fixed-always", "group: mobile", 1))
	tests := []struct {
		name   string
		args   []string
		code   int
		stderr string
	}{
		{"impact-date.txt", []string{"--at", "2007-05-15", "--since", since}, exitOK, ""},
		{"impact-stage.csv", []string{"--stage", "all", "--since", since, "--at", since, "-o", "csv"}, exitOK, ""},
		{"impact-stage.ndjson", []string{"--stage", "ALL", "--since", since, "--at", since, "-o", "ndjson"}, exitOK, ""},
		{"impact-policy.json", []string{"--policy", mine, "--stage", "all", "--since", since, "--at", since, "-o", "json"}, exitOK, ""},
		{"impact-shipped-policy.txt", []string{"--policy", "nekonet", "--since", since, "--at", since}, exitOK, ""},
		{"impact-nobody.csv", []string{"--at", since, "--since", since, "-o", "csv"}, exitOK, ""},
		{"impact-date.txt", []string{"--at", "2007-05-15", "--since", since, "--budget", "3"}, exitOK, ""},
		{"impact-date.txt", []string{"--at", "2007-05-15", "--since", since, "--budget", "25%"}, exitOK, ""},
		{"impact-date.txt", []string{"--at", "2007-05-15", "--since", since, "--budget", "2"}, exitRefused, "3 of 12 accounts change: the budget is 2"},
		{"impact-date.txt", []string{"--at", "2007-05-15", "--since", since, "--budget", "24.9%"}, exitRefused, "3 of 12 accounts change: the budget is 24.9%"},
		{"impact-unknown-stage.txt", []string{"--stage", "al"}, exitNotFound, `policy asahi-net has no rule "al"; did you mean "all"?`},
		{"impact-unknown-stage.txt", []string{"--at", "soon"}, exitUsage, `got "soon"`},
		{"impact-unknown-stage.txt", []string{"--since", "soon", "--stage", "all"}, exitUsage, `got "soon"`},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			r := sekisho(t, "", append(append([]string{"impact"}, tt.args...), "--socket", s)...)
			if r.code != tt.code || !strings.Contains(r.stderr, tt.stderr) || (r.stderr != "") != (tt.stderr != "") {
				t.Errorf("code %d, stderr %q", r.code, r.stderr)
			}
			golden(t, tt.name, r.stdout)
		})
	}
	t.Run("calendar of the daemon", func(t *testing.T) {
		r := sekisho(t, "", "calendar", "--socket", s)
		if r.code != exitOK {
			t.Errorf("code %d, stderr %q", r.code, r.stderr)
		}
		golden(t, "calendar-asahi-net-en.txt", r.stdout)
	})
}
