//go:build realparts

package realparts

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// onPath makes the program under test the sekisho of a shell.
func onPath(t *testing.T, c *exec.Cmd) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(sekishoBinary, filepath.Join(dir, "sekisho")); err != nil {
		t.Fatal(err)
	}
	c.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir)
	return c
}

func wantPrinted(t *testing.T, c *exec.Cmd, want string) {
	t.Helper()
	out, err := c.CombinedOutput()
	if err != nil || string(out) != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, out, want)
	}
}

func TestFishCompletes(t *testing.T) {
	t.Parallel()
	Need(t, Program("fish", "fish"))
	const script = `sekisho completion fish | source
complete -C "sekisho policy show as"; complete -C "sekisho explain --lang "; complete -C "sekisho versio"`
	wantPrinted(t, onPath(t, exec.Command("fish", "-c", script)), "asahi-net\nasama-internet\nen\nja\nversion\tprint the version\n")
}

// TestZshCompletes stands in for zsh's own side: the words, and the functions
// that take what was found.
func TestZshCompletes(t *testing.T) {
	t.Parallel()
	Need(t, Program("zsh", "zsh"))
	const script = `compdef() { print -r -- "compdef $*" }
_describe() { print -rl -- "${(@P)3}" }
_files() { print files }
source <(sekisho completion zsh)
try() { words=(sekisho "$@") CURRENT=$(( $# + 1 )); _sekisho }
try policy show as; try policy test "nek"; try versio; try explain ""; try contracts import ""
true`
	wantPrinted(t, onPath(t, exec.Command("zsh", "-f", "-c", script)),
		"compdef _sekisho sekisho\nasahi-net\nasama-internet\nnekonet\nfiles\nversion:print the version\nfiles\n")
}

// TestManTakesThePage lets man complain about what it cannot set.
func TestManTakesThePage(t *testing.T) {
	t.Parallel()
	Need(t, Program("man", "man-db"), Program("groff", "groff-base"))
	const script = `set -e
sekisho man >sekisho.8
man --warnings -l sekisho.8 2>&1 >page
grep -q '^EXIT STATUS' page && grep -q 'sekisho explain' page`
	command := onPath(t, exec.Command("sh", "-c", script))
	command.Dir = t.TempDir()
	command.Env = append(command.Env, "MANWIDTH=100", "LC_ALL=C.UTF-8")
	wantPrinted(t, command, "")
}
