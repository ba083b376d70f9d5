package coa

import (
	"maps"
	"sync"
)

// stats are what the keeper has counted; others read them.
type stats struct {
	mu    sync.Mutex
	nases map[string]NASStats
}

// NASStats is what was counted for one NAS, all its routers together, and how it
// is there now.
type NASStats struct {
	Changed      map[string]uint64 // answers to CoA-Requests by outcome
	Disconnected map[string]uint64 // answers to Disconnect-Requests by outcome
	Causes       map[Cause]uint64  // Error-Causes; 0: all that are in no RFC

	Queued   int // single changes that wait for their turn
	UnderWay int // requests not answered yet
	Resting  int // sessions that are told again later
	Refused  int // sessions that the router will not change
}

func (s *stats) answered(nas string, kind Kind, r Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.of(nas)
	counts := n.Changed
	if kind == Disconnect {
		counts = n.Disconnected
	}
	counts[r.Outcome.String()]++
	if _, known := causes[r.Cause]; known {
		n.Causes[r.Cause]++
	} else if r.Cause != 0 {
		n.Causes[0]++ // a router may make up as many as there are numbers
	}
}

// of returns the numbers of a NAS; with the lock.
func (s *stats) of(nas string) NASStats {
	n, ok := s.nases[nas]
	if !ok {
		n = NASStats{Changed: map[string]uint64{}, Disconnected: map[string]uint64{}, Causes: map[Cause]uint64{}}
		if s.nases == nil {
			s.nases = map[string]NASStats{}
		}
		s.nases[nas] = n
	}
	return n
}

// count notes how it is at each NAS.
func (k *Keeper) count() {
	k.stats.mu.Lock()
	defer k.stats.mu.Unlock()
	for name := range k.routers {
		k.stats.of(name)
	}
	for name, n := range k.stats.nases {
		n.Queued, n.UnderWay, n.Resting, n.Refused = 0, 0, 0, 0
		k.stats.nases[name] = n
	}
	for at, l := range k.lanes {
		n := k.stats.of(at.NAS)
		n.Queued += len(l.urgent)
		n.UnderWay += len(l.underWay)
		n.Resting += len(l.again)
		n.Refused += len(l.refused)
		k.stats.nases[at.NAS] = n
	}
}

// Stats returns what was counted, by NAS.
func (k *Keeper) Stats() map[string]NASStats {
	k.stats.mu.Lock()
	defer k.stats.mu.Unlock()
	all := map[string]NASStats{}
	for name, n := range k.stats.nases {
		n.Changed, n.Disconnected, n.Causes = maps.Clone(n.Changed), maps.Clone(n.Disconnected), maps.Clone(n.Causes)
		all[name] = n
	}
	return all
}
