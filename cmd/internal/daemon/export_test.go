package daemon

import "time"

// HoldBy has a probe stay at an action until the channel is ready that hold
// returns. It is for a daemon that probes nothing yet.
func (d *Daemon) HoldBy(hold func(time.Duration) <-chan time.Time) { d.after = hold }
