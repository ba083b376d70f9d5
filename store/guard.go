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
	would := fmt.Sprintf("%d changes would be made", e.Is)
	switch e.Guard {
	case "max-deletes":
		would = fmt.Sprintf("%d of %d contracts would be deleted", e.Is, e.Before)
	case "max-delete-percent":
		would = fmt.Sprintf("%d%% of %d contracts would be deleted", e.Is, e.Before)
	case "min-contracts":
		would = fmt.Sprintf("the import has %d contracts, the store %d", e.Is, e.Before)
	}
	return fmt.Sprintf("refused by %s %d: %s; %s %d approves it", e.Guard, e.Limit, would, e.Guard, e.Approve)
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

// refuseOverrides holds MaxChanges against an import of overrides.
func (g Guards) refuseOverrides(added int) error {
	if limit := max(g.MaxChanges, 0); g.MaxChanges != 0 && added > limit {
		return &GuardError{"max-changes", limit, added, 0, added}
	}
	return nil
}
