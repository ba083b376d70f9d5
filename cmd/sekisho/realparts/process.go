//go:build realparts

package realparts

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// stopGrace is how long a daemon may take over a SIGTERM before it is killed.
	stopGrace = 10 * time.Second
	// logTail is how much of a log is shown when a test fails.
	logTail = 12 << 10
)

// A Process is a program in the foreground that a test started. It leads a session
// of its own, so that a signal it sends to its group reaches no one else, and dies
// with the test binary whatever ends that.
type Process struct {
	name    string
	log     string
	cmd     *exec.Cmd
	done    chan struct{} // closed when it has ended
	stopped bool
}

// starts carries the beginnings of processes to one thread that lives as long as
// the test binary: the kernel ends a process with a death signal when the thread
// that forked it ends, and threads that visited a namespace do end.
var starts = make(chan func())

func init() {
	go func() {
		runtime.LockOSThread()
		for start := range starts {
			start()
		}
	}()
}

// startForever starts cmd on that thread.
func startForever(cmd *exec.Cmd) error {
	result := make(chan error)
	starts <- func() { result <- cmd.Start() }
	return <-result
}

// Start starts cmd with its output in dir/name.log. It is stopped when the test
// ends, and its log shown when the test has failed.
func Start(t testing.TB, dir, name string, cmd *exec.Cmd) *Process {
	t.Helper()
	log := filepath.Join(dir, name+".log")
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatalf("log of %s: %v", name, err)
	}
	defer out.Close()
	if cmd.Stdout == nil {
		cmd.Stdout = out
	}
	cmd.Stderr = out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	p := &Process{name: name, log: log, cmd: cmd, done: make(chan struct{})}
	if err := startForever(cmd); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // how it ended stands in cmd.ProcessState
	}()
	t.Cleanup(func() {
		p.Stop()
		ShowOnFailure(t, log)
	})
	return p
}

// Stop ends the process by its own id, then what it may have left of the group it
// led, and waits until it is gone. It is safe to call more than once.
func (p *Process) Stop() {
	if p.stopped {
		return
	}
	p.stopped = true
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error says that it has ended already
	select {
	case <-p.done:
	case <-time.After(stopGrace):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // an error says that nobody is left
	<-p.done
}

// Kill ends the process as a crash would.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // an error says that it has ended already
	<-p.done
}

// Freeze stops the process where it is.
func (p *Process) Freeze(t testing.TB) { p.signal(t, syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (p *Process) Thaw(t testing.TB) { p.signal(t, syscall.SIGCONT) }

func (p *Process) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("signal %v to %s: %v", s, p.name, err)
	}
}

// Exited reports whether the process has ended.
func (p *Process) Exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// WaitLog waits until one of the files contains text and fails at once when the
// process ends before. Without files it reads the process's own output.
func (p *Process) WaitLog(t testing.TB, deadline time.Duration, text string, files ...string) {
	t.Helper()
	if len(files) == 0 {
		files = []string{p.log}
	}
	err := waitFor(deadline, func() error {
		exited := p.Exited()
		for _, file := range files {
			if raw, _ := os.ReadFile(file); strings.Contains(string(raw), text) {
				return nil
			}
		}
		if exited {
			t.Fatalf("%s ended (%v) before it said %q", p.name, p.cmd.ProcessState, text)
		}
		return fmt.Errorf("not in %s", strings.Join(files, ", "))
	})
	if err != nil {
		t.Fatalf("%s did not say %q within %v: %v", p.name, text, deadline, err)
	}
}

// ShowOnFailure shows the end of a file in the log of a test that has failed.
func ShowOnFailure(t testing.TB, file string) {
	if !t.Failed() {
		return
	}
	raw, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Logf("%s: %v", file, err)
	}
	if len(raw) > logTail {
		raw = append([]byte("...\n"), raw[len(raw)-logTail:]...)
	}
	t.Logf("---- %s\n%s", file, raw)
}

// Run runs a program to its end and answers its whole output; a failing program
// fails the test.
func Run(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

// WorkDir makes a directory for the files of one part of a test, with a short name
// because sockets are made in it. It is removed at the end unless REALPARTS_KEEP
// names a place to keep all of them.
func WorkDir(t testing.TB, part string) string {
	t.Helper()
	keep := os.Getenv("REALPARTS_KEEP")
	dir, err := os.MkdirTemp(keep, part+"-")
	if err != nil {
		t.Fatalf("work directory: %v", err)
	}
	if keep == "" {
		t.Cleanup(func() {
			if err := os.RemoveAll(dir); err != nil {
				t.Errorf("work directory: %v", err)
			}
		})
	}
	return dir
}

// WriteFile writes a file of a test and answers its path.
func WriteFile(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatalf("write %s: %v", path, err)
	}
	return path
}
