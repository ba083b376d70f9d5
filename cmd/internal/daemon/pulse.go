package daemon

import (
	"sync/atomic"
	"time"
)

// pulseInterval is how often it is tried whether the store can be read.
const pulseInterval = time.Second

// pulse knows whether decisions can be made, without ever making who asks wait:
// a store that hangs stops the beat, and the age of the last one tells.
type pulse struct {
	probe func() error
	last  atomic.Int64 // when the probe last succeeded, in ns of the monotonic clock since begun
	begun time.Time
	done  chan struct{}
}

// newPulse probes once, so that it begins healthy or not at all, and then
// until it is stopped.
func newPulse(probe func() error) *pulse {
	p := &pulse{probe: probe, begun: time.Now(), done: make(chan struct{})}
	p.last.Store(-int64(time.Hour))
	p.beat()
	go p.run()
	return p
}

func (p *pulse) run() {
	ticker := time.NewTicker(pulseInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.beat()
		case <-p.done:
			return
		}
	}
}

func (p *pulse) beat() {
	if p.probe() == nil {
		p.last.Store(int64(time.Since(p.begun)))
	}
}

// healthy reports whether a probe succeeded within the last three intervals.
func (p *pulse) healthy() bool {
	return time.Since(p.begun)-time.Duration(p.last.Load()) < 3*pulseInterval
}

func (p *pulse) stop() { close(p.done) }

// probe reads the store as a decision does.
func (d *Daemon) probe() error {
	_, err := d.store.Count()
	return err
}

// answersStatus reports whether a Status-Server is answered now.
func (d *Daemon) answersStatus() bool {
	return !d.config.Load().StatusWhileUsable || d.pulse.healthy()
}
