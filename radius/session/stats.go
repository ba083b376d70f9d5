package session

import (
	"maps"
	"time"

	"sekisho/radius"
)

// Why a session is over, as history and statistics tell.
const (
	Stopped   = "stop"     // its Stop came
	Restarted = "restart"  // its router's accounting began or ended
	Replaced  = "replaced" // another session came under its Acct-Session-Id
	Aged      = "aged"     // it kept silent for too long
	Gone      = "gone"     // its router did not know it any more
)

// The kinds of records, as they are counted.
const (
	otherRecord = iota
	startRecord
	stopRecord
	interimRecord
	onRecord
	offRecord
	recordKinds
)

var recordNames = [recordKinds]string{"other", "start", "stop", "interim", "on", "off"}

func kindOf(s radius.Status) int {
	switch s {
	case radius.StatusStart:
		return startRecord
	case radius.StatusStop:
		return stopRecord
	case radius.StatusInterim:
		return interimRecord
	case radius.StatusOn:
		return onRecord
	case radius.StatusOff:
		return offRecord
	}
	return otherRecord
}

// counters count since the start.
type counters struct {
	records                    [recordKinds]uint64
	accepts, unstarted         uint64
	joined, unjoined           uint64
	repeated, stale, created   uint64
	unknownStops, contradicted uint64
	unannounced                uint64
	walked                     uint64 // sessions that were looked at because their router restarted
	ended                      map[string]uint64
}

// Stats is how the table is, and what it has counted since the start.
type Stats struct {
	NAS      map[string]NASStats // by name
	Records  map[string]uint64   // by kind
	Joins    map[string]uint64   // joined: Accept and Start found each other; no-accept: a session without one; no-start: an Accept without one
	Oddities map[string]uint64   // repeated, stale, created (by an Interim), unknown-stop, contradicted
	Ended    map[string]uint64   // by why
	Waiting  int                 // Accepts that wait for their Start
	Due      int                 // sessions that the engine will be asked about, some day
	Unsaved  int                 // changes that are not in the store yet
	Lost     uint64              // lines of history that there was no room for

	Unannounced uint64 // sessions whose routers were told something that the store could not be told before; see Writer.Announce

	Delay time.Duration // see Writer.Delay; the table does not know it
}

// NASStats counts the sessions of one NAS.
type NASStats struct {
	Sessions map[string]int // by proof
	Drift    int
}

// Stats returns the numbers of now.
func (t *Table) Stats() Stats {
	t.mu.RLock()
	defer t.mu.RUnlock()
	c := &t.counters
	s := Stats{
		NAS: map[string]NASStats{}, Records: map[string]uint64{}, Ended: map[string]uint64{},
		Joins: map[string]uint64{"joined": c.joined, "no-accept": c.unjoined, "no-start": c.unstarted},
		Oddities: map[string]uint64{
			"repeated": c.repeated, "stale": c.stale, "created": c.created, "unknown-stop": c.unknownStops, "contradicted": c.contradicted,
		},
		Waiting: t.waiting.live, Due: len(t.asks.heap),
		Unsaved: t.changes.len(), Lost: t.changes.lost, Unannounced: c.unannounced,
	}
	for kind, n := range c.records {
		s.Records[recordNames[kind]] = n
	}
	maps.Copy(s.Ended, c.ended)
	for _, r := range t.routers {
		s.NAS[r.nas] = s.NAS[r.nas].with(r)
	}
	return s
}

func (n NASStats) with(r *router) NASStats {
	if n.Sessions == nil {
		n.Sessions = map[string]int{}
	}
	for proof, count := range r.proofs {
		n.Sessions[Proof(proof).String()] += count
	}
	n.Drift += r.drifting
	return n
}
