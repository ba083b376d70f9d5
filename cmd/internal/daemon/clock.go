package daemon

import "time"

// Rehearsal returns a clock that begins at an instant now and goes on at the
// usual pace, so that a dated stage can be seen before its date. Time-outs on
// the wire do not follow it.
func Rehearsal(start time.Time) func() time.Time {
	began := time.Now()
	return func() time.Time { return start.Add(time.Since(began)) }
}
