//go:build realparts

package realparts

import (
	"testing"
	"time"
)

// pollEvery is how often a condition that is waited for is looked at.
const pollEvery = 25 * time.Millisecond

// Eventually asks check until it answers nil and fails the test with its last
// error when the deadline passes first. A waiting test says what it waits for.
func Eventually(t testing.TB, deadline time.Duration, what string, check func() error) {
	t.Helper()
	if err := waitFor(deadline, check); err != nil {
		t.Fatalf("after %v still waiting for %s: %v", deadline, what, err)
	}
}

// waitFor is Eventually for callers that want the error back.
func waitFor(deadline time.Duration, check func() error) error {
	end := time.Now().Add(deadline)
	for {
		err := check()
		if err == nil || !time.Now().Before(end) {
			return err
		}
		time.Sleep(pollEvery)
	}
}
