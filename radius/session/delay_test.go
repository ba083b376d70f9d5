package session_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/radius/session"
	"sekisho/store"
)

// hanging is a disk that takes announcements when it is let.
type hanging struct {
	session.Shelf
	gate chan struct{}
}

func (h *hanging) AnnounceSessions([]store.Announcement) error {
	<-h.gate
	return nil
}

// TestHangingDiskIsLoggedOnceAMinute has announcements wait for the disk; a
// short wait is none.
func TestHangingDiskIsLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		disk := &hanging{gate: make(chan struct{})}
		w := session.NewWriter(session.NewTable(session.Options{Clock: time.Now}), disk, nil, 0, slog.New(slog.NewTextHandler(&text, nil)))
		announce := func() {
			go w.Announce([]session.ID{{NAS: "bras1", AcctSession: "1"}, {NAS: "bras1", AcctSession: "2"}})
		}
		logged := func() int {
			synctest.Wait()
			return strings.Count(text.String(), "routers are told nothing")
		}
		for range 3 { // one after the other, each in time
			announce()
			time.Sleep(4 * time.Second)
			announce()
			disk.gate <- struct{}{}
			time.Sleep(4 * time.Second)
			disk.gate <- struct{}{}
		}
		if n := logged(); n != 0 {
			t.Fatalf("of a disk that takes 4 seconds it is logged %d times:\n%s", n, &text)
		}
		announce()
		time.Sleep(time.Second)
		announce()
		time.Sleep(4*time.Second + 2*time.Minute + time.Second)
		if age, sessions := w.Delay(); age != 126*time.Second || sessions != 4 || !session.SlowDisk(age) {
			t.Errorf("%s, %d sessions", age, sessions)
		}
		if n := logged(); n != 3 || !strings.Contains(text.String(), "waiting=2m5s sessions=4") {
			t.Errorf("logged %d times, want 3:\n%s", n, &text)
		}
		close(disk.gate)
		synctest.Wait()
		if age, sessions := w.Delay(); age != 0 || sessions != 0 {
			t.Errorf("afterwards %s, %d sessions", age, sessions)
		}
		if time.Sleep(time.Hour); logged() != 3 || strings.Count(text.String(), "routers are told again") != 1 {
			t.Errorf("afterwards:\n%s", &text)
		}
	})
}
