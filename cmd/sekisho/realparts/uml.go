//go:build realparts

package realparts

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	//go:embed assets/uml_init.sh
	umlInit string
	//go:embed assets/uml_xstate.c
	umlShim string
)

const (
	bootDeadline  = 60 * time.Second
	shellDeadline = 20 * time.Second
	dialDeadline  = 40 * time.Second

	// nudgeEvery is how often the guest gets an empty line while it is waited for:
	// under load User-Mode Linux can miss that its console has something to read.
	nudgeEvery = time.Second
)

// A Guest is a User-Mode Linux in which subscribers' lines live: a kernel with
// PPPoE on its one network card, a shell on its console.
type Guest struct {
	*Process
	dir     string // the guest reads it where the host does
	console io.WriteCloser
	lines   chan string
	echo    *os.File // everything the console said, for a failing test
}

// StartGuest boots a Linux whose card vec0 is the namespace's interface.
func StartGuest(t testing.TB, n *Netns, card string) *Guest {
	t.Helper()
	dir := WorkDir(t, "uml")
	shim := buildShim(t, dir)
	init := WriteFile(t, dir, "init.sh", umlInit)
	if err := os.Chmod(init, 0o755); err != nil {
		t.Fatal(err)
	}
	g := &Guest{dir: dir, lines: make(chan string, 1024)}
	cmd := n.Command("env", "LD_PRELOAD="+shim, "TMPDIR="+dir, "HOME="+dir, "linux.uml",
		"mem=128M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "init="+init,
		"uml_dir="+dir, "vec0:transport=raw,ifname="+card+",depth=32,gro=0", "con=null", "con0=fd:0,fd:1", "quiet")
	said := g.connect(t, dir, cmd)
	g.Process = Start(t, dir, "uml", cmd)
	cmd.Stdin.(*os.File).Close()
	cmd.Stdout.(*os.File).Close()
	t.Cleanup(g.powerOff)
	go g.listen(said)
	if _, err := g.readUntil("##ready", bootDeadline); err != nil {
		t.Fatalf("User-Mode Linux did not come up: %v", err)
	}
	return g
}

// buildShim compiles the shim that User-Mode Linux needs on CPUs with more state
// than it knows.
func buildShim(t testing.TB, dir string) string {
	t.Helper()
	source := WriteFile(t, dir, "xstate.c", umlShim)
	shim := filepath.Join(dir, "xstate.so")
	Run(t, exec.Command("gcc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", shim, source, "-ldl"))
	return shim
}

// connect gives cmd a console of two pipes and answers the one it talks into.
func (g *Guest) connect(t testing.TB, dir string, cmd *exec.Cmd) *os.File {
	t.Helper()
	stdin, console, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	said, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	echo, err := os.Create(filepath.Join(dir, "console.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		echo.Close()
		ShowOnFailure(t, echo.Name())
	})
	cmd.Stdin, cmd.Stdout = stdin, stdout
	g.console, g.echo = console, echo
	return said
}

// listen passes the console's lines on until it closes.
func (g *Guest) listen(said *os.File) {
	defer close(g.lines)
	defer said.Close()
	for s := bufio.NewScanner(said); s.Scan(); {
		g.lines <- strings.TrimRight(s.Text(), "\r")
	}
}

// powerOff closes the console, on which the guest ends.
func (g *Guest) powerOff() {
	g.console.Close()
	select {
	case <-g.done:
	case <-time.After(stopGrace):
	}
}

// readUntil reads the console until a line starts with mark and answers what came
// before it, with that line last.
func (g *Guest) readUntil(mark string, deadline time.Duration) ([]string, error) {
	late := time.After(deadline)
	nudge := time.NewTicker(nudgeEvery)
	defer nudge.Stop()
	var read []string
	for {
		select {
		case line, open := <-g.lines:
			if !open {
				return read, fmt.Errorf("the console closed, %q", read)
			}
			g.note(line)
			read = append(read, line)
			if strings.HasPrefix(line, mark) {
				return read, nil
			}
		case <-nudge.C:
			fmt.Fprintln(g.console) // an error shows as a console that closes
		case <-late:
			return read, fmt.Errorf("no %q within %v, %q", mark, deadline, read)
		}
	}
}

// note keeps a line of the console, with the time.
func (g *Guest) note(line string) {
	fmt.Fprintln(g.echo, time.Now().Format("15:04:05.000"), line)
}

// Shell runs one line of shell in the guest and answers its output; a line that
// fails fails the test.
func (g *Guest) Shell(t testing.TB, deadline time.Duration, command string) []string {
	t.Helper()
	g.note("$ " + command)
	if _, err := fmt.Fprintln(g.console, command); err != nil {
		t.Fatalf("console of User-Mode Linux: %v", err)
	}
	out, err := g.readUntil("##rc=", deadline)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	last := len(out) - 1
	if out[last] != "##rc=0" {
		t.Fatalf("%s: status %s\n%s", command, strings.TrimPrefix(out[last], "##rc="), strings.Join(out[:last], "\n"))
	}
	return out[:last]
}

// Dial starts to connect a line; lines are numbered from 0. Options are pppd's.
func (g *Guest) Dial(t testing.TB, line int, login, password string, options ...string) {
	t.Helper()
	g.Shell(t, shellDeadline, fmt.Sprintf("dial %d '%s' '%s' %s", line, login, password, strings.Join(options, " ")))
}

// Online waits until a line is connected and answers its address.
func (g *Guest) Online(t testing.TB, line int) netip.Addr {
	t.Helper()
	out := g.Shell(t, dialDeadline, fmt.Sprintf("online %d", line))
	for _, said := range out {
		if text, found := strings.CutPrefix(said, fmt.Sprintf("online %d ", line)); found {
			if address, err := netip.ParseAddr(text); err == nil {
				return address
			}
		}
	}
	t.Fatalf("line %d: no address in %q", line, out)
	return netip.Addr{}
}

// Hangup ends a line from the subscriber's side.
func (g *Guest) Hangup(t testing.TB, line int) {
	t.Helper()
	g.Shell(t, shellDeadline, fmt.Sprintf("hangup %d", line))
	g.WaitGone(t, line)
}

// WaitGone waits until a line has ended, whoever ended it.
func (g *Guest) WaitGone(t testing.TB, line int) {
	t.Helper()
	g.Shell(t, shellDeadline, fmt.Sprintf("gone %d", line))
}

// A Call is one TCP connection that a line tries.
type Call struct {
	Line    int
	To      netip.AddrPort
	Timeout time.Duration
}

// Calls tries all connections at once and answers what each server said first,
// in the order of the calls; empty where no connection came about in time.
func (g *Guest) Calls(t testing.TB, calls []Call) []string {
	t.Helper()
	var list strings.Builder
	longest := time.Duration(0)
	for _, c := range calls {
		fmt.Fprintf(&list, "%d %d %v %d\n", c.Line, int(c.Timeout.Seconds()), c.To.Addr(), c.To.Port())
		longest = max(longest, c.Timeout)
	}
	file := WriteFile(t, g.dir, "calls", list.String())
	out := g.Shell(t, longest+shellDeadline, "calls '"+file+"'")
	said := make([]string, len(calls))
	for i, c := range calls {
		said[i] = answerOf(t, out, c)
	}
	return said
}

// answerOf finds the line of a call in what the guest printed.
func answerOf(t testing.TB, out []string, c Call) string {
	t.Helper()
	mark := fmt.Sprintf("said %d %v %d", c.Line, c.To.Addr(), c.To.Port())
	for _, line := range out {
		if said, found := strings.CutPrefix(line, mark+" "); found {
			return said
		}
	}
	t.Fatalf("no line %q in %q", mark, out)
	return ""
}
