package store

import (
	"errors"
	"fmt"
)

// ErrEmptyReplace refuses an import that would delete every contract because
// its list is empty: far more often a broken export than a wish.
var ErrEmptyReplace = errors.New("refusing to replace all contracts by an empty list")

// Guards refuse an import that changes more than anybody meant. 0 is no limit;
// a negative number allows none.
type Guards struct {
	MaxDeletes       int // contracts
	MaxDeletePercent int // of the contracts before
	MaxChanges       int // contracts added, changed and deleted
	MinContracts     int // rows that the import must have
}

// GuardError says that an import was refused by a guard, and what would let it
// through.
type GuardError struct {
	Guard   string // "max-deletes", "max-delete-percent", "max-changes", "min-contracts"
	Limit   int
	Is      int // what it would have been, in the guard's unit; percents are rounded up
	Before  int // contracts in the store
	Approve int // the value of Guard that lets this import through
}

// Error says which limit, how many, and what to pass to approve.
func (e *GuardError) Error() string {
	texts := map[string]string{
		"max-deletes":        "%d of %d contracts would be deleted",
		"max-delete-percent": "%d%% of %d contracts would be deleted",
		"max-changes":        "%d changes would be made to %d contracts",
		"min-contracts":      "there are %d contracts in the import, and %d in the store",
	}
	return fmt.Sprintf("refused by %s %d: "+texts[e.Guard]+"; %s %d approves it", e.Guard, e.Limit, e.Is, e.Before, e.Guard, e.Approve)
}

// refuse compares what an import would do with the guards; rows is the number
// of rows of the import, before that of the store.
func (g Guards) refuse(r Report, rows, before int) error {
	percent := 0
	if before > 0 {
		percent = (100*r.Deleted + before - 1) / before
	}
	for _, guard := range []struct {
		name      string
		limit, is int
	}{
		{"max-deletes", g.MaxDeletes, r.Deleted},
		{"max-delete-percent", g.MaxDeletePercent, percent},
		{"max-changes", g.MaxChanges, r.changes()},
	} {
		if limit := max(guard.limit, 0); guard.limit != 0 && guard.is > limit {
			return &GuardError{guard.name, limit, guard.is, before, guard.is}
		}
	}
	if rows < g.MinContracts {
		return &GuardError{"min-contracts", g.MinContracts, rows, before, rows}
	}
	return nil
}
