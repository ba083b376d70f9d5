package session

import (
	"fmt"
	"testing"
	"time"

	"sekisho/radius"
)

// TestRepeatedAccountingOnIsCheap counts the sessions that are looked at: those
// that are ended, once, however often the router repeats itself.
func TestRepeatedAccountingOnIsCheap(t *testing.T) {
	t.Parallel()
	const sessions, repetitions = 1000, 20
	noon := time.Unix(1e9, 0)
	for name, c := range map[string]struct {
		event, late, delay bool // it tells the time; with sessions that begin meanwhile; and how long it has been trying
	}{
		"idle router, plain":                 {},
		"idle router, tells the time":        {event: true},
		"sessions begin, tells the delay":    {late: true, delay: true},
		"sessions begin, tells the time":     {late: true, event: true},
		"sessions begin, tells both of them": {late: true, event: true, delay: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := noon
			table := NewTable(Options{Clock: func() time.Time { return now }})
			record := func(status radius.Status, id string, began time.Time) {
				r := &radius.Record{Status: status, Sighting: radius.Sighting{NAS: "bras1", At: now, Session: id}}
				if c.event {
					r.Event = began
				}
				if c.delay {
					r.Delay = now.Sub(began)
				}
				table.Accounting(r)
			}
			for i := range sessions {
				record(radius.StatusStart, fmt.Sprint("old", i), now)
			}
			now = now.Add(time.Hour)
			boot := now
			for i := range repetitions {
				record(radius.StatusOn, "", boot)
				now = now.Add(3 * time.Second)
				if c.late {
					record(radius.StatusStart, fmt.Sprint("new", i), now)
				}
			}
			if want := map[bool]int{true: repetitions}[c.late]; table.Len() != want {
				t.Errorf("%d sessions are left, want %d", table.Len(), want)
			}
			if n := table.counters.walked; n != sessions {
				t.Errorf("%d sessions were looked at, %d have ended", n, sessions)
			}
		})
	}
}

// TestAccountingOnEndsWhatBeganBefore holds however often the router starts
// again.
func TestAccountingOnEndsWhatBeganBefore(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	table := NewTable(Options{Clock: func() time.Time { return now }})
	on := func() {
		table.Accounting(&radius.Record{Status: radius.StatusOn, Sighting: radius.Sighting{NAS: "bras1", At: now}})
	}
	for range 3 {
		for i := range 10 {
			table.Accounting(&radius.Record{Status: radius.StatusStart, Sighting: radius.Sighting{NAS: "bras1", At: now, Session: fmt.Sprint(i)}})
		}
		now = now.Add(time.Hour)
		if on(); table.Len() != 0 {
			t.Errorf("%d sessions are left", table.Len())
		}
	}
}
