package store

import "fmt"

// DirectoryGuards refuse changes that are more than anybody meant. Deletes are
// contracts whose entry is gone or that belong to another entry now. A first
// load has no limit but MinEntries.
type DirectoryGuards struct {
	Guards               // MinContracts is of the entries of a full comparison
	MaxChangePercent int // of the entries there are; 0 is no limit
	// Spent are the changes that were made a short while ago, without anybody's
	// approval: a thousand small steps are one big one.
	Spent Spent
}

// Spent counts changes of contracts.
type Spent struct{ Deletes, Changes int }

// Spent is what a report adds to later guards.
func (r *DirectoryReport) Spent() Spent {
	return Spent{Deletes: r.Deleted + r.Replaced, Changes: r.changes()}
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
	is.Deletes += g.Spent.Deletes
	is.Changes += g.Spent.Changes
	for _, guard := range []struct {
		name      string
		limit, is int
	}{
		{"max-deletes", g.MaxDeletes, is.Deletes},
		{"max-delete-percent", ofPercent(g.MaxDeletePercent), percentOf(is.Deletes, known)},
		{"max-changes", g.MaxChanges, is.Changes},
		{"max-change-percent", ofPercent(g.MaxChangePercent), percentOf(is.Changes, known)},
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
// directory one is many percent.
const fewContracts = 10

// percentOf rounds up.
func percentOf(n, all int) int {
	if n <= fewContracts {
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
