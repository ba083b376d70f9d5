package coa

import "time"

// pace lets so many requests a second go, evenly. After a pause it lets at most
// a twentieth of a second's worth go at once.
type pace struct {
	rate   float64
	burst  float64
	tokens float64
	at     time.Time
}

func newPace(rate float64, now time.Time) *pace {
	burst := max(1, rate/20)
	return &pace{rate: rate, burst: burst, tokens: burst, at: now}
}

// wait returns how long it is until the next request may go.
func (p *pace) wait(now time.Time) time.Duration {
	p.fill(now)
	if p.tokens >= 1 {
		return 0
	}
	return time.Duration((1-p.tokens)/p.rate*float64(time.Second)) + 1 // rounded up: waiting that long is enough
}

// full reports whether nothing has gone for a while.
func (p *pace) full(now time.Time) bool {
	p.fill(now)
	return p.tokens >= p.burst
}

// take notes that one went. Those that went unasked are made up for, but for no
// more than a second.
func (p *pace) take(now time.Time) {
	p.fill(now)
	p.tokens = max(p.tokens-1, -p.rate)
}

func (p *pace) fill(now time.Time) {
	if passed := now.Sub(p.at); passed > 0 {
		p.tokens = min(p.burst, p.tokens+passed.Seconds()*p.rate)
		p.at = now
	}
}
