package coa

import "time"

// pace lets so many requests a second go, evenly. After a pause it lets at most
// a twentieth of a second's worth go at once.
type pace struct {
	rate   float64
	burst  float64
	tokens float64
	others float64 // how many that go unasked count by now: nine tenths of the rate at most, so that ours come to their turn
	at     time.Time
}

func newPace(rate float64, now time.Time) *pace {
	burst := max(1, rate/20)
	return &pace{rate: rate, burst: burst, tokens: burst, others: burst, at: now}
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

// take notes that one of ours went.
func (p *pace) take(now time.Time) {
	p.fill(now)
	p.tokens--
}

// pass notes that one went unasked. Ours make up for it.
func (p *pace) pass(now time.Time) {
	p.fill(now)
	if p.others >= 1 {
		p.others--
		p.tokens--
	}
}

func (p *pace) fill(now time.Time) {
	if passed := now.Sub(p.at); passed > 0 {
		p.tokens = min(p.burst, p.tokens+passed.Seconds()*p.rate)
		p.others = min(p.burst, p.others+passed.Seconds()*p.rate*0.9)
		p.at = now
	}
}
