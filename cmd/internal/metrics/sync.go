package metrics

import (
	"time"

	"sekisho/store/ldapsync"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	syncSuccess  = describe("ldap_sync_last_success_timestamp_seconds", "When the contracts were last known to be the directory's; 0: not since the start.")
	syncLag      = describe("ldap_sync_lag_seconds", "Since the contracts were last known to be the directory's, also before the start.")
	syncFull     = describe("ldap_sync_last_full_compare_timestamp_seconds", "When everything in the directory was compared last.")
	syncPhase    = describe("ldap_sync_phase", "1 for what is being done.", "phase")
	syncEntries  = describe("ldap_sync_entries", "Entries of the directory that are known.")
	syncMissing  = describe("ldap_sync_missing", "Contracts whose entry is gone, in their grace.")
	syncDoubles  = describe("ldap_sync_doubles", "Entries whose account belongs to another one.")
	syncUnmapped = describe("ldap_sync_unmapped", "Entries of which no contract can be made.")
	syncUnknown  = describe("ldap_sync_unknown_courses", "Courses of contracts that the policy does not know.")
	syncHeld     = describe("ldap_sync_held_changes", "Changes that a guard has refused and that wait to be approved.")
	syncChanges  = describe("ldap_sync_changes_total", "Contracts changed by the directory.", "change")
	syncErrors   = describe("ldap_sync_errors_total", "What went wrong.", "kind")
)

// collectSync sends the numbers of the directory that is followed, if one is.
func (c collector) collectSync(out chan<- prometheus.Metric) {
	if c.Sync == nil {
		return
	}
	s := c.Sync()
	if s == nil {
		return
	}
	gauge(out, syncSuccess, seconds(s.LastSuccess))
	gauge(out, syncLag, s.Age(c.Now()).Seconds())
	gauge(out, syncFull, seconds(s.Directory.Loaded))
	for _, p := range []ldapsync.Phase{ldapsync.Connecting, ldapsync.Reading, ldapsync.Applying, ldapsync.Following, ldapsync.Waiting, ldapsync.Holding} {
		gauge(out, syncPhase, boolean(s.Phase == p), string(p))
	}
	held := 0
	if h := s.Directory.Held; h != nil {
		spent := h.Report.Spent()
		held = max(spent.Changes, spent.Deletes)
	}
	for d, n := range map[*prometheus.Desc]int{
		syncEntries: s.Directory.Entries, syncMissing: s.Directory.Missing, syncDoubles: s.Directory.Doubles,
		syncUnmapped: s.Unmapped, syncUnknown: len(s.Courses), syncHeld: held,
	} {
		gauge(out, d, float64(n))
	}
	count(out, syncChanges, s.Added, "added")
	count(out, syncChanges, s.Changed, "changed")
	count(out, syncChanges, s.Deleted, "deleted")
	for kind, n := range s.Errors {
		count(out, syncErrors, n, kind)
	}
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
