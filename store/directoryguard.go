package store

import (
	"fmt"
	"slices"
	"time"
)

// DirectoryGuards refuse changes that are more than anybody meant. Deletes are
// contracts whose entry is gone or that belong to another entry now. A first
// load has no limit but MinEntries.
type DirectoryGuards struct {
	Guards               // MinContracts is of the entries of a full comparison
	MaxChangePercent int // of the entries there are; 0 is no limit
	// Window is how long changes that were made without anybody's approval count
	// together with those to come: a thousand small steps are one big one.
	Window time.Duration
}

// Spent counts changes of contracts.
type Spent struct{ Deletes, Changes int }

// Spent is what a report adds to later guards.
func (r *DirectoryReport) Spent() Spent {
	return Spent{Deletes: r.Deleted + r.Replaced, Changes: r.changes()}
}

// stepRow are changes of a short while, as they lie in the file; see contractRow.
type stepRow struct {
	At      int64 `cbor:"1,keyasint"` // of the first one
	Deletes int   `cbor:"2,keyasint,omitempty"`
	Changes int   `cbor:"3,keyasint,omitempty"`
}

// stepsInWindow is into how many rows the changes of a window are put together.
const stepsInWindow = 60

// lately leaves out the steps that do not count any more.
func (g DirectoryGuards) lately(steps []stepRow, now int64) []stepRow {
	since := now - int64(g.Window) - int64(g.Window)/stepsInWindow
	for len(steps) > 0 && steps[0].At < since {
		steps = steps[1:]
	}
	return steps
}

// step adds what was done to the steps.
func (g DirectoryGuards) step(steps []stepRow, done Spent, now int64) []stepRow {
	steps = slices.Clone(g.lately(steps, now))
	if done.Changes == 0 && done.Deletes == 0 || g.Window == 0 {
		return steps
	}
	if last := len(steps) - 1; last >= 0 && now-steps[last].At < int64(g.Window)/stepsInWindow {
		steps[last].Deletes += done.Deletes
		steps[last].Changes += done.Changes
		return steps
	}
	return append(steps, stepRow{now, done.Deletes, done.Changes})
}

// refuse compares what would be done with the guards.
func (g DirectoryGuards) refuse(a *application) *GuardError {
	known := a.row.Entries
	if a.full && a.entries < g.MinContracts {
		return &GuardError{"min-entries", g.MinContracts, a.entries, known, a.entries}
	}
	if known == 0 {
		return nil
	}
	r := a.report()
	is := r.Spent()
	for _, step := range g.lately(a.row.Steps, nanos(a.now())) {
		is.Deletes += step.Deletes
		is.Changes += step.Changes
	}
	for _, guard := range []struct {
		name      string
		limit, is int
	}{
		{"max-deletes", g.MaxDeletes, is.Deletes},
		{"max-delete-percent", ofPercent(g.MaxDeletePercent), percentOf(g.MaxDeletePercent, is.Deletes, known)},
		{"max-changes", g.MaxChanges, is.Changes},
		{"max-change-percent", ofPercent(g.MaxChangePercent), percentOf(g.MaxChangePercent, is.Changes, known)},
	} {
		if limit := max(guard.limit, 0); guard.limit != 0 && guard.is > limit {
			return &GuardError{guard.name, limit, guard.is, known, guard.is}
		}
	}
	return nil
}

// ofPercent lets 100 be no limit: what comes and goes in a while may be more than
// there is at once.
func ofPercent(limit int) int {
	if limit >= 100 {
		return 0
	}
	return limit
}

// fewContracts is up to how many contracts percents do not count: in a small
// directory one is many percent. Where nothing is allowed they do.
const fewContracts = 10

// percentOf rounds up.
func percentOf(limit, n, all int) int {
	if n <= fewContracts && limit >= 0 {
		return 0
	}
	return (100*n + all - 1) / all
}

// Text says which limit of a directory was met and how.
func (e *GuardError) Text() string {
	what := map[string]string{
		"max-deletes":        "%d contracts would be deleted, of %d entries",
		"max-delete-percent": "%d%% of %d entries would be deleted",
		"max-changes":        "%d contracts would change, of %d entries",
		"max-change-percent": "%d%% of %d entries would change",
		"min-entries":        "the directory has %d entries, %d are known",
	}[e.Guard]
	return fmt.Sprintf("%s %d: "+what, e.Guard, e.Limit, e.Is, e.Before)
}
