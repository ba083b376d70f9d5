//go:build realparts

package realparts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// RouterText is what sekisho prints for the routers of a profile.
func RouterText(t testing.TB, profile, policy string, flags ...string) string {
	t.Helper()
	cmd := exec.Command(sekishoBinary, append([]string{"policy", "acl", policy, "--profile", profile}, flags...)...)
	var doubts strings.Builder
	cmd.Stderr = &doubts
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, doubts.String())
	}
	return string(text)
}

// script is what a comment of a router's text gives to be run: the lines that
// are indented behind the mark, from the one that contains first on.
func script(t testing.TB, text, first string) string {
	t.Helper()
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		code, indented := strings.CutPrefix(line, "#   ")
		switch {
		case indented && (lines != nil || strings.Contains(code, first)):
			lines = append(lines, code)
		case lines != nil:
			return strings.Join(lines, "\n") + "\n"
		}
	}
	t.Fatalf("no script that begins with %q in\n%s", first, text)
	return ""
}

// shippedPolicy is the text of a shipped policy.
func shippedPolicy(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "engine", "policyfile", "policies", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// policyWith is a copy of a shipped policy with one text in it replaced.
func policyWith(t testing.TB, name, old, text string) string {
	t.Helper()
	shipped := shippedPolicy(t, name)
	if n := strings.Count(shipped, old); n != 1 {
		t.Fatalf("the shipped policy %s has %d times %q, want it once", name, n, old)
	}
	return WriteFile(t, WorkDir(t, "policy"), name+"-here.yaml", strings.Replace(shipped, old, text, 1))
}
