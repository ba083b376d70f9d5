package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"sekisho/engine"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo terminal: what is typed at it, and what it shows.
type terminal struct {
	keys *os.File
	tty  *os.File
}

func openTerminal(t *testing.T) terminal {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	fd := int(keys.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err := errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0), unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return terminal{keys, tty}
}

// shown reads all that the terminal shows once nothing writes to it any more.
func (p terminal) shown(t *testing.T) string {
	t.Helper()
	if _, err := p.tty.WriteString("\x00"); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for buffer := make([]byte, 4096); !bytes.HasSuffix(all, []byte{0}); {
		n, err := p.keys.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, buffer[:n]...)
	}
	return strings.ReplaceAll(string(all[:len(all)-1]), "\r\n", "\n")
}

// TestImportAsksAtATerminal holds that what would change is shown, and that
// only a yes makes it so.
func TestImportAsksAtATerminal(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "c.csv", "account,course\nnew,c\n")
	for _, tt := range []struct {
		typed string
		code  int
		left  string
	}{{"n\n", exitFailed, "gone"}, {"y\n", exitOK, "new"}} {
		socket, s := contractDaemon(t, engine.Contract{Account: "gone", Course: "Ｂフレッツ"})
		p := openTerminal(t)
		if _, err := p.keys.WriteString(tt.typed); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		app := newApp()
		app.Reader, app.Writer, app.ErrWriter = p.tty, &out, p.tty
		oneAtATime.Lock()
		code := exitCode(app, app.RunContext(t.Context(), flagsFirst(app, []string{"sekisho", "contracts", "import", "--socket", socket, "--replace", file})))
		oneAtATime.Unlock()
		screen := p.shown(t)
		if code != tt.code || !strings.Contains(screen, "+ new: course c\n- gone: course Ｂフレッツ\nImport this? [y/N] ") && !strings.Contains(screen, "- gone: course Ｂフレッツ\n+ new: course c\nImport this? [y/N] ") {
			t.Errorf("%q: code %d, want %d; the screen shows\n%s", tt.typed, code, tt.code, screen)
		}
		var left []string
		for c, err := range s.AllContracts("") {
			if err != nil {
				t.Fatal(err)
			}
			left = append(left, c.Account)
		}
		if !slices.Equal(left, []string{tt.left}) || (out.Len() > 0) != (tt.code == exitOK) {
			t.Errorf("%q: afterwards there is %q; printed %q", tt.typed, left, &out)
		}
	}
}

// TestABarIsShownAtATerminal sends what is big enough for one.
func TestABarIsShownAtATerminal(t *testing.T) {
	t.Parallel()
	f, err := os.Open(writeFile(t, "big", strings.Repeat("x", bigImport)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := openTerminal(t)
	sent, end := withBar(f, p.tty)
	if n, err := bytes.NewBuffer(nil).ReadFrom(sent); n != bigImport || err != nil {
		t.Fatal(n, err)
	}
	end()
	if screen := p.shown(t); sent == f || !strings.Contains(screen, "MiB") {
		t.Errorf("the screen shows %q", screen)
	}
}
