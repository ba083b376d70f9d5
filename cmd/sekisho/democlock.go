package main

import (
	"sync"
	"time"
)

// showClock is a clock for the policy that goes at any pace, so that a night
// passes while somebody watches. Time-outs on the wire do not follow it.
type showClock struct {
	mu    sync.Mutex
	at    time.Time // what it showed
	since time.Time // when it showed that
	pace  float64
}

func newShowClock(at time.Time) *showClock { return &showClock{at: at, since: time.Now(), pace: 1} }

// now is what it shows.
func (c *showClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shows(time.Now())
}

func (c *showClock) shows(now time.Time) time.Time {
	return c.at.Add(time.Duration(float64(now.Sub(c.since)) * c.pace))
}

// run makes it go so many times as fast as others do.
func (c *showClock) run(pace float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.at, c.since, c.pace = c.shows(now), now, pace
}

// leap makes it show an instant, and go on from there.
func (c *showClock) leap(at time.Time, pace float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.since, c.pace = at, time.Now(), pace
}

// until is how long it takes it to show an instant.
func (c *showClock) until(at time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(float64(at.Sub(c.shows(time.Now()))) / c.pace)
}
