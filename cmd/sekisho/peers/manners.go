package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// manners are how an AAA server treats those who ask. By the zero value it
// answers everybody at once.
type manners struct {
	delay time.Duration // from a request to its answer
	every time.Duration // that one request keeps it busy, while others wait; 0: no time
	loss  float64       // per cent of the requests that it does not get
	life  int           // requests after which its first port falls silent, counted when told to; 0: never
	named bool          // an answer says by Class whose it is
}

// pace keeps to so many a second.
type pace struct {
	every time.Duration
	due   time.Time // when the next one may be
}

// slack is how much time that was idle or overslept is made up for; below
// it is not worth while to sleep.
const slack = time.Millisecond

func (p *pace) wait() {
	if p.every == 0 {
		return
	}
	if now := time.Now(); p.due.Before(now.Add(-10 * slack)) {
		p.due = now.Add(-10 * slack)
	}
	p.due = p.due.Add(p.every)
	if ahead := time.Until(p.due); ahead > slack {
		time.Sleep(ahead)
	}
}

// sleepUntil is exact to a twentieth of a millisecond; time.Sleep would be late
// by up to a whole one.
func sleepUntil(due time.Time) {
	for left := time.Until(due); left > 0; left = time.Until(due) {
		ts := unix.NsecToTimespec(left.Nanoseconds())
		_ = unix.Nanosleep(&ts, nil) // a signal ends it early
	}
}
