package session

import (
	"testing"

	"sekisho/radius"
)

// TestPacketThatCannotBeKeptStopsNoOther holds that the queue stays open when
// something about one packet breaks: the proxy goes on after such a panic, and
// every listener puts into this queue.
func TestPacketThatCannotBeKeptStopsNoOther(t *testing.T) {
	t.Parallel()
	q := newQueue()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("nothing broke")
			}
		}()
		q.put(&radius.Glimpse{}, true) // of no packet
	}()
	if !q.mu.TryLock() {
		t.Fatal("the queue is locked for good")
	}
	q.mu.Unlock()
}
