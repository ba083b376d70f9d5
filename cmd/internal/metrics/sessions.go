package metrics

import (
	"sekisho/radius/session"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	live         = describe("sessions", "Live sessions, by how sure it is that the router does what it was told.", "nas", "proof")
	drift        = describe("sessions_drift", "Live sessions whose router does not do what is wanted, or of which that is not known.", "nas")
	records      = describe("accounting_records_total", "Accounting-Requests taken in by the session table.", "status")
	joins        = describe("session_joins_total", "Sessions that found their Access-Accept, sessions without one, and Access-Accepts without a session.", "outcome")
	oddities     = describe("session_oddities_total", "Accounting that was repeated, late, or of a session whose beginning was lost; and routers that contradicted what they were told.", "kind")
	ended        = describe("sessions_ended_total", "Sessions that are over, by why.", "why")
	unjoined     = describe("sessions_accepts_waiting", "Access-Accepts that wait for their Accounting-Start.")
	unsaved      = describe("sessions_unsaved", "Changes of sessions that are not on disk yet.")
	lostHistory  = describe("session_history_lost_total", "Lines of history that were lost while the store could not be written.")
	unannounced  = describe("sessions_unannounced_total", "Sessions whose routers were told something while the store could not be written: a crash would forget it.")
	announcing   = describe("sessions_announcing_seconds", "For how long the disk has not taken what routers are about to be told; they are not told before. 0: nothing waits.")
	lostSighting = describe("session_packets_lost_total", "Packets that the session table had no time for.")
)

// sessions sends what the session table counts.
func (c collector) sessions(out chan<- prometheus.Metric) {
	if c.Sessions == nil {
		return
	}
	s, dropped := c.Sessions()
	for name, n := range s.NAS {
		for proof, sessions := range n.Sessions {
			gauge(out, live, float64(sessions), name, proof)
		}
		gauge(out, drift, float64(n.Drift), name)
	}
	for d, counts := range map[*prometheus.Desc]map[string]uint64{records: s.Records, joins: s.Joins, oddities: s.Oddities, ended: s.Ended} {
		for name, n := range counts {
			count(out, d, n, name)
		}
	}
	gauge(out, unjoined, float64(s.Waiting))
	gauge(out, unsaved, float64(s.Unsaved))
	count(out, lostHistory, s.Lost)
	count(out, unannounced, s.Unannounced)
	gauge(out, announcing, s.Delay.Seconds())
	count(out, lostSighting, dropped)
}

// SessionStats tells how the session table is, and how many packets it had no
// time for.
type SessionStats func() (session.Stats, uint64)
