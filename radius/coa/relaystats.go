package coa

import "sync"

// relayCounts count what the relay does.
type relayCounts struct {
	mu sync.Mutex
	RelayStats
}

// RelayStats is what the relay has counted.
type RelayStats struct {
	Relayed  map[string]map[string]uint64 // by NAS, and what became of the request
	Replaced map[string]uint64            // by NAS: requests whose attributes gave way to the policy's
	Refused  map[Cause]uint64             // answered without asking a router
	Dropped  map[string]uint64            // by reason
}

// Stats returns what was counted.
func (r *Relay) Stats() RelayStats {
	c := &r.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	s := RelayStats{Relayed: map[string]map[string]uint64{}, Replaced: map[string]uint64{}, Refused: map[Cause]uint64{}, Dropped: map[string]uint64{}}
	for nas, outcomes := range c.Relayed {
		s.Relayed[nas] = map[string]uint64{}
		add(s.Relayed[nas], outcomes)
	}
	add(s.Replaced, c.Replaced)
	add(s.Refused, c.Refused)
	add(s.Dropped, c.Dropped)
	return s
}

func add[K comparable](to, from map[K]uint64) {
	for k, n := range from {
		to[k] += n
	}
}

func (c *relayCounts) drop(d drop) {
	c.mu.Lock()
	defer c.mu.Unlock()
	count(&c.Dropped, d.String())
}

func (c *relayCounts) refused(cause Cause) {
	c.mu.Lock()
	defer c.mu.Unlock()
	count(&c.Refused, cause)
}

func (c *relayCounts) replaced(nas string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	count(&c.Replaced, nas)
}

func (c *relayCounts) relayed(nas string, _ Kind, reply Reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Relayed == nil {
		c.Relayed = map[string]map[string]uint64{}
	}
	outcomes := c.Relayed[nas]
	count(&outcomes, reply.Outcome.String())
	c.Relayed[nas] = outcomes
}

func count[K comparable](counts *map[K]uint64, key K) {
	if *counts == nil {
		*counts = map[K]uint64{}
	}
	(*counts)[key]++
}
