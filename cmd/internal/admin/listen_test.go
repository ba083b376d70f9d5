package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestListenMakesAPrivateSocket(t *testing.T) {
	t.Parallel()
	path := socketName(t)
	l, err := Listen(path, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode(), fs.ModeSocket|0o600; got != want {
		t.Errorf("mode %v, want %v", got, want)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Close: %v", err)
	}
}

func TestListenLetsAGroupIn(t *testing.T) {
	t.Parallel()
	path, gid := socketName(t), max(os.Getgid(), 1) // root may give it to any group, others to their own
	l, err := Listen(path, 0o660, gid)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := int(info.Sys().(*syscall.Stat_t).Gid); info.Mode() != fs.ModeSocket|0o660 || got != gid {
		t.Errorf("mode %v, group %d, want group %d", info.Mode(), got, gid)
	}
}

func TestListenReplacesADeadSocketOnly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		there func(t *testing.T, path string)
		says  string // empty: Listen works
	}{
		{"dead socket", func(t *testing.T, path string) { listenUnix(t, path).Close() }, ""},
		{"live socket", func(t *testing.T, path string) { listenUnix(t, path) }, ErrSocketInUse.Error()},
		{"file", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "no socket"},
		{"directory", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "no socket"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := socketName(t)
			test.there(t, path)
			l, err := Listen(path, 0, 0)
			if err == nil {
				defer l.Close()
			}
			if got := fmt.Sprint(err); (err == nil) != (test.says == "") || !strings.Contains(got, test.says) {
				t.Errorf("error %v, want %q", err, test.says)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// listenUnix leaves its socket behind when it is closed, as a crash does.
func listenUnix(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	t.Cleanup(func() { l.Close() })
	return l
}

func TestListenSaysWhatIsWrongWithTheName(t *testing.T) {
	t.Parallel()
	long := filepath.Join(os.TempDir(), strings.Repeat("x", 110))
	for path, says := range map[string]string{long: "at most 107 fit", "/nonexistent/s": "no such file or directory"} {
		l, err := Listen(path, 0, 0)
		if err == nil {
			l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %q", path, err, says)
		}
	}
}
