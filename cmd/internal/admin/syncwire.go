package admin

import (
	"time"

	"sekisho/store"
	"sekisho/store/ldapsync"
)

// SyncStatus is how a directory is followed.
type SyncStatus struct {
	Configured  bool       `json:"configured" doc:"the site file has a section ldap"`
	Method      string     `json:"method,omitempty"`
	Phase       string     `json:"phase,omitempty" doc:"connecting, reading, applying, following, waiting or held"`
	Server      string     `json:"server,omitempty" doc:"that is or was asked last"`
	LastSuccess *time.Time `json:"last_success" doc:"when the contracts were last known to be the directory's; null: not since the start"`
	LastFull    *time.Time `json:"last_full" doc:"when everything was compared last"`
	AgeSeconds  int64      `json:"age_seconds" doc:"since the contracts were last known to be the directory's"`
	Read        int        `json:"read" doc:"entries that the present or last reading has read"`
	Failures    int        `json:"failures" doc:"attempts in a row that failed"`
	NextTry     *time.Time `json:"next_try"`
	LastError   string     `json:"last_error,omitempty"`
	LastErrorAt *time.Time `json:"last_error_at"`

	Entries  int `json:"entries" doc:"that are known"`
	Missing  int `json:"missing" doc:"contracts whose entry is gone, in their grace"`
	Doubles  int `json:"doubles" doc:"entries whose account belongs to another one"`
	Unmapped int `json:"unmapped" doc:"entries of which no contract can be made, found since the start"`

	UnmappedEntries []ldapsync.Unmapped      `json:"unmapped_entries,omitempty"`
	UnknownCourses  []ldapsync.UnknownCourse `json:"unknown_courses,omitempty" doc:"courses of contracts that the policy does not know"`
	Held            *HeldSync                `json:"held" doc:"changes that wait to be approved"`
}

// HeldSync is what a guard has refused.
type HeldSync struct {
	ID     string                `json:"id"`
	At     time.Time             `json:"at"`
	Guard  string                `json:"guard" example:"max-delete-percent 5: 12% of 1000 entries would be deleted"`
	Report store.DirectoryReport `json:"report" doc:"what it would do"`
}

// HeldPage is some of the changes that are held. Next, unless empty, is the
// after of the next page.
type HeldPage struct {
	Held    *HeldSync              `json:"held"`
	Changes []store.ContractChange `json:"changes"`
	Next    string                 `json:"next,omitempty"`
}

// SyncQuestion says what a run does.
type SyncQuestion struct {
	Full   bool `json:"full,omitempty" doc:"compare everything, instead of what has changed"`
	DryRun bool `json:"dry_run,omitempty" doc:"report only; of everything"`
	Diff   int  `json:"diff,omitempty" minimum:"0" maximum:"1000" doc:"how many changes the report shows"`
}

// SyncReport is what a run did, or would do.
type SyncReport ldapsync.Report

// SyncLine is one line of a run: how many entries were read, or the end.
type SyncLine struct {
	Read    int         `json:"read"`
	Report  *SyncReport `json:"report,omitempty"`
	Problem *Problem    `json:"problem,omitempty"`
}

// Approval lets changes happen that were held.
type Approval struct {
	Reason        string `json:"reason" minLength:"1"`
	KeepOverrides bool   `json:"keep_overrides,omitempty" doc:"also those on accounts that belong to another entry now: after a directory was built anew"`
}

func syncStatusOf(s ldapsync.Status, now time.Time) SyncStatus {
	return SyncStatus{
		Configured: true, Method: string(s.Method), Phase: string(s.Phase), Server: s.Server,
		LastSuccess: instantOf(s.LastSuccess), LastFull: instantOf(s.Directory.Loaded), AgeSeconds: int64(s.Age(now) / time.Second),
		Read: s.Read, Failures: s.Failures, NextTry: instantOf(s.NextTry), LastError: s.LastError, LastErrorAt: instantOf(s.LastErrorAt),
		Entries: s.Directory.Entries, Missing: s.Directory.Missing, Doubles: s.Directory.Doubles, Unmapped: s.Unmapped,
		UnknownCourses: s.Courses, Held: heldOf(s.Directory.Held),
	}
}

func heldOf(h *store.Held) *HeldSync {
	if h == nil {
		return nil
	}
	return &HeldSync{ID: h.ID, At: h.At, Guard: h.Guard.Text(), Report: h.Report}
}
