package daemon_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"sekisho/cmd/internal/daemon"
)

func TestSpoolNeverWaitsForItsOutput(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe() // takes nothing until it is read
	s := daemon.NewSpool(w)
	const lines = 10_000
	for i := range lines {
		if n, err := fmt.Fprintf(s, "line %d\n", i); err != nil || n == 0 {
			t.Fatal(n, err)
		}
	}
	s.Flush(time.Millisecond) // gives up
	read := make(chan string)
	go func() {
		var b bytes.Buffer
		for !strings.Contains(b.String(), "lines were dropped") {
			chunk := make([]byte, 4096)
			n, err := r.Read(chunk)
			if err != nil {
				break
			}
			b.Write(chunk[:n])
		}
		read <- b.String()
	}()
	if got := <-read; !strings.HasPrefix(got, "line 0\n") || !strings.Contains(got, "lines were dropped: the output did not keep up") {
		t.Errorf("got %.100q", got)
	}
}

func TestSpoolFlushesWhatWasWritten(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := daemon.NewSpool(&out)
	for i := range 100 {
		fmt.Fprintln(s, i)
	}
	s.Flush(10 * time.Second)
	if n := strings.Count(out.String(), "\n"); n != 100 {
		t.Errorf("%d lines, want 100", n)
	}
}
