package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sekisho/cmd/internal/load"
)

// process is a peer that runs.
type process struct {
	*exec.Cmd
}

// probeTime is how long to wait for a first answer before one asks again: a start
// is not known more exactly. startTime is when to give up.
const (
	probeTime = 10 * time.Millisecond
	startTime = time.Minute
)

// start starts a peer and waits for its first answer.
func (s *settings) start(ctx context.Context, p *peer) (*process, error) {
	cmd := exec.CommandContext(ctx, p.command[0], p.command[1:]...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = io.Discard, &said
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w; the Debian packages freeradius and radsecproxy are needed: make packages", p.name, err)
	}
	running := &process{cmd}
	o := s.options(p, 1, 0, probeTime, users(1))
	o.Once, o.Tries = true, int(startTime/probeTime) // a late answer counts: a busy machine may never give one in time
	r, err := load.Run(ctx, o, nil)
	if err == nil && r.Answered() == 0 {
		err = fmt.Errorf("%s gives no answer: %s", p.name, said.String())
	}
	if err != nil {
		running.stop()
		return nil, err
	}
	return running, nil
}

func (p *process) stop() {
	_ = p.Process.Signal(syscall.SIGTERM)
	_ = p.Wait() // its exit code says nothing here
}

// ended says how the process ended by itself; empty: it runs.
func (p *process) ended() string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if !strings.Contains(string(text), "State:\tZ") {
		return ""
	}
	_ = p.Wait() // what it has to say stands in ProcessState
	return p.ProcessState.String()
}

// clockTick is the unit of /proc/PID/stat: USER_HZ, the same everywhere on Linux.
const clockTick = 10 * time.Millisecond

// cpu is the time that all threads of the process have used.
func (p *process) cpu() time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid)) // a process that is gone gives no answers
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick
}

// status reads a size of the process, in MiB.
func (p *process) status(what string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	_, rest, _ := strings.Cut(string(text), what)
	if fields := strings.Fields(rest); len(fields) > 0 {
		kb, _ := strconv.ParseFloat(fields[0], 64)
		return kb / 1024
	}
	return 0
}
