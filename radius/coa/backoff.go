package coa

import (
	"math/rand/v2"
	"time"
)

// How an unanswered request is repeated (RFC 5080 section 2.2.1, with the
// values that FreeRADIUS uses for CoA).
const (
	firstWait   = 2 * time.Second  // IRT
	longestWait = 16 * time.Second // MRT
	maxTries    = 5                // MRC
	patience    = 30 * time.Second // MRD
)

// backoff says when a request is sent next.
type backoff struct {
	began time.Time
	until time.Time // when it is given up
	wait  time.Duration
	tries int
	rand  func() float64 // from 0 to 1
}

func newBackoff(now time.Time, patience time.Duration, random func() float64) backoff {
	if random == nil {
		random = rand.Float64
	}
	return backoff{began: now, until: now.Add(patience), tries: 1, rand: random}
}

// next returns after how long something is to be done about a request that was
// just sent: it is sent again, or given up. The waits double, each off by up to
// a tenth so that requests that went out together do not come back together.
// The last try is early enough to be answered within the patience.
func (b *backoff) next(now time.Time) (wait time.Duration, again bool) {
	left := b.until.Sub(now)
	if b.tries >= maxTries || left <= firstWait {
		return left, false
	}
	jitter := 0.9 + 0.2*b.rand()
	if b.wait = min(2*b.wait, longestWait); b.wait == 0 {
		b.wait = firstWait
	}
	b.wait = time.Duration(float64(b.wait) * jitter)
	return min(b.wait, left-firstWait), true
}
