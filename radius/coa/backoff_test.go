package coa

import (
	"fmt"
	"testing"
	"time"
)

// TestBackoffWithinItsPatience lists when a request is sent, and given up.
func TestBackoffWithinItsPatience(t *testing.T) {
	t.Parallel()
	for patience, want := range map[time.Duration]string{
		30 * time.Second:       "[0s 2s 6s 14s 28s] 30s",
		5 * time.Second:        "[0s 2s 3s] 5s",
		2 * time.Second:        "[0s] 2s",
		500 * time.Millisecond: "[0s] 500ms",
	} {
		begun := time.Unix(1e9, 0)
		b, now := newBackoff(begun, patience, func() float64 { return 0.5 }), begun
		sent := []time.Duration{0}
		for {
			wait, again := b.next(now)
			now = now.Add(wait)
			if !again {
				break
			}
			b.tries++
			sent = append(sent, now.Sub(begun))
		}
		if got := fmt.Sprint(sent, now.Sub(begun)); got != want {
			t.Errorf("within %s: %s, want %s", patience, got, want)
		}
	}
}
