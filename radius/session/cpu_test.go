package session_test

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is what this process has used of its processors.
func cpuTime() time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
