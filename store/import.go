package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// directChanges is up to how many changes an import writes in one transaction
// to the contracts in use; with more of them it writes a new generation.
const directChanges = 50_000

// ImportOptions say what an import does with its rows.
type ImportOptions struct {
	Replace bool // delete the contracts that are not among the rows
	DryRun  bool // report only
	Guards
	Diff int    // how many changes the report shows, at most 50,000
	Op   string // what the audit calls it; empty is "contracts.import" or "contracts.replace"
}

// Report counts what an import did, or would do. Contracts that are not among
// the rows are counted only where they are deleted.
type Report struct {
	Added     int           `json:"added"`
	Changed   int           `json:"changed"`
	Unchanged int           `json:"unchanged"`
	Deleted   int           `json:"deleted"`
	Diff      *ContractDiff `json:"diff,omitempty"` // nil unless it was asked for
}

func (r Report) changes() int { return r.Added + r.Changed + r.Deleted }

// ImportContracts adds the rows to the contracts, or changes those whose
// folded account is there already. It is all or nothing, for readers and after
// a crash: any error in rows (the first 100 of them are in the *ImportError),
// an account that occurs twice, a contract that WriteContracts could not
// write, a guard (*GuardError, with the report of what would have been), or the
// end of ctx, and nothing has changed. When it returns nil, all of it is on
// disk, with its entry in the audit. Imports wait for each other.
//
// The rows are held in memory to be sorted: with ReadContracts before it, the
// process grows by some 0.5 GB for a million rows. Up to 50,000 changes go into
// one transaction; more of them into a second copy of the contracts (the file
// grows by their size, once) in transactions of 20,000 rows, so that other
// writers wait milliseconds, and readers not at all.
func (s *Store) ImportContracts(ctx context.Context, by By, rows iter.Seq2[engine.Contract, error], opts ImportOptions) (Report, error) {
	report, err := s.importContracts(ctx, by, rows, opts)
	if err != nil {
		return report, fmt.Errorf("importing contracts: %w", err)
	}
	return report, nil
}

func (s *Store) importContracts(ctx context.Context, by By, rows iter.Seq2[engine.Contract, error], opts ImportOptions) (Report, error) {
	if _, bad := by.tidy(); len(bad) > 0 {
		return Report{}, bad
	}
	staged, err := stage(ctx, rows)
	if err != nil {
		return Report{}, err
	}
	if len(staged) == 0 && opts.Replace {
		return Report{}, ErrEmptyReplace
	}
	s.importing.Lock()
	defer s.importing.Unlock()
	i := importing{Store: s, by: by, sorted: staged, opts: opts}
	err = i.run(ctx)
	var guard *GuardError
	if err != nil && !errors.As(err, &guard) {
		return Report{}, err
	}
	return i.report(), err
}

// importing is one import while it is the only one.
type importing struct {
	*Store
	by     By
	sorted []row
	opts   ImportOptions
	before int // contracts in the store
	found  *tally
	diff   *ContractDiff
}

func (i *importing) report() Report {
	r := i.found.Report
	r.Diff = i.diff
	return r
}

func (i *importing) run(ctx context.Context) (err error) {
	if i.before, err = i.Count(); err != nil {
		return err
	}
	if i.found, err = i.compare(ctx); err != nil {
		return err
	}
	if i.opts.Diff > 0 {
		if i.diff, err = i.found.diff(i.opts.Diff); err != nil {
			return err
		}
	}
	if err := i.opts.refuse(i.found.Report, len(i.sorted), i.before); err != nil {
		return err
	}
	changes := i.found.Report.changes()
	if i.opts.DryRun || changes == 0 {
		return nil
	}
	if changes <= i.direct {
		err = i.applyChanges()
	} else {
		err = i.rewrite(ctx)
	}
	if err == nil {
		i.notify(i.found.accounts())
	}
	return err
}

// rewrite makes a new generation of all contracts.
func (i *importing) rewrite(ctx context.Context) error {
	merged := merge(i.rows(contractsIn, walk{}), seq(i.sorted), i.opts.Replace)
	err := i.writeGeneration(ctx, remaining(merged), i.record)
	// Published or given up, one of the two generations has no reader now. If
	// it cannot be removed here, the next Open does it.
	if err := i.dropStrayGenerations(); err != nil {
		i.log.Warn("removing old contracts", "file", i.path, "err", err)
	}
	return err
}

// compare counts the changes and keeps the first ones.
func (i *importing) compare(ctx context.Context) (*tally, error) {
	old := i.matching(i.sorted)
	if i.opts.Replace {
		old = i.rows(contractsIn, walk{})
	}
	found := newTally()
	for c, err := range merge(old, seq(i.sorted), i.opts.Replace) {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		found.add(c, max(i.direct, auditedChanges))
	}
	return found, nil
}

func (i *importing) applyChanges() error {
	return i.update(func(tx *bolt.Tx) error {
		b, err := contractsIn(tx)
		if err != nil {
			return err
		}
		for _, c := range i.found.changes {
			if err := c.apply(b); err != nil {
				return err
			}
		}
		n := i.before + i.found.Added - i.found.Deleted
		if err := putUint64(tx.Bucket(metaBucket), metaContractsN, uint64(n)); err != nil {
			return err
		}
		return i.record(tx, n)
	})
}

// record tells the audit of the import, which leaves n contracts.
func (i *importing) record(tx *bolt.Tx, n int) error {
	op := i.opts.Op
	switch {
	case op != "":
	case i.opts.Replace:
		op = "contracts.replace"
	default:
		op = "contracts.import"
	}
	after, err := i.found.audited(n)
	if err != nil {
		return err
	}
	before := fmt.Appendf(nil, `{"contracts":%d}`, i.before)
	return i.audit(tx, Entry{By: i.by, Op: op, Subject: "contracts", Before: before, After: after})
}

// seq is a sequence without errors.
func seq(rows []row) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// matching gives those rows of the store that sorted has, too, without a walk
// over all the others.
func (s *Store) matching(sorted []row) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for part := range slices.Chunk(sorted, walkRows) {
			found, err := s.lookup(part)
			if err != nil {
				yield(row{}, err)
				return
			}
			for _, r := range found {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

func (s *Store) lookup(rows []row) (found []row, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		b, err := contractsIn(tx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if v := b.Get(r.key); v != nil {
				found = append(found, row{r.key, bytes.Clone(v)})
			}
		}
		return nil
	})
	return found, err
}
