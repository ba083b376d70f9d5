package daemon

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// Spool puts a queue before an output, so that whoever writes never waits for
// whoever reads: a terminal that is held or a pipe that nobody empties must not
// stop the packets whose way is written there. What finds the queue full is
// dropped, and how much that was stands in the output as soon as it moves on.
type Spool struct {
	lines   chan []byte
	dropped atomic.Uint64
	done    chan struct{}
}

// spoolLines is how many writes the queue holds.
const spoolLines = 4096

// NewSpool starts a spool before an output.
func NewSpool(out io.Writer) *Spool {
	s := &Spool{lines: make(chan []byte, spoolLines), done: make(chan struct{})}
	go s.run(out)
	return s
}

// Write queues a copy; it never blocks and never fails.
func (s *Spool) Write(b []byte) (int, error) {
	select {
	case s.lines <- bytes.Clone(b):
	default:
		s.dropped.Add(1)
	}
	return len(b), nil
}

func (s *Spool) run(out io.Writer) {
	defer close(s.done)
	for line := range s.lines {
		if line == nil {
			return
		}
		_, _ = out.Write(line) // there is nowhere to complain of a broken output
		if n := s.dropped.Swap(0); n > 0 {
			fmt.Fprintf(out, "... %d lines were dropped: the output did not keep up\n", n)
		}
	}
}

// Flush ends the spool when everything queued so far is written, or after a
// while. What is written later is queued and lost.
func (s *Spool) Flush(within time.Duration) {
	over := time.After(within)
	select {
	case s.lines <- nil:
	case <-over:
		return
	}
	select {
	case <-s.done:
	case <-over:
	}
}
