package radiustest

import (
	"slices"
	"sync"
	"time"
)

// Clock is a clock that a test moves. Timers fire while it is moved, each at its
// own instant, in the goroutine that moves it.
type Clock struct {
	mu     sync.Mutex
	at     time.Time
	timers []*timer
}

type timer struct {
	at time.Time
	f  func()
}

// NewClock makes a clock that stands at an instant.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now is where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// AfterFunc calls f when the clock has been moved that far.
func (c *Clock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timer{c.at.Add(d), f}
	c.timers = append(c.timers, t)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		n := len(c.timers)
		c.timers = slices.DeleteFunc(c.timers, func(o *timer) bool { return o == t })
		return len(c.timers) < n
	}
}

// Advance moves the clock and fires what is due, in its order.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	end := c.at.Add(d)
	c.mu.Unlock()
	for c.fire(end) {
	}
}

// fire moves the clock to the next timer, or to the end when there is none
// before it.
func (c *Clock) fire(end time.Time) bool {
	c.mu.Lock()
	var first *timer
	for _, t := range c.timers {
		if !t.at.After(end) && (first == nil || t.at.Before(first.at)) {
			first = t
		}
	}
	if first == nil {
		c.at = end
		c.mu.Unlock()
		return false
	}
	c.timers = slices.DeleteFunc(c.timers, func(t *timer) bool { return t == first })
	if first.at.After(c.at) {
		c.at = first.at
	}
	c.mu.Unlock()
	first.f()
	return true
}

// Waiting is how many timers run.
func (c *Clock) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}
