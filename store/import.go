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

// ErrEmptyReplace refuses an import that would delete every contract because
// its list is empty: far more often a broken export than a wish.
var ErrEmptyReplace = errors.New("refusing to replace all contracts by an empty list")

// ImportOptions say what ImportContracts does with its rows.
type ImportOptions struct {
	Replace bool // delete the contracts that are not among the rows
	DryRun  bool // report only
}

// Report counts what an import did, or would do. Contracts that are not among
// the rows are counted only where they are deleted.
type Report struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Deleted   int `json:"deleted"`
}

func (r Report) changes() int { return r.Added + r.Changed + r.Deleted }

// ImportContracts adds the rows to the contracts, or changes those whose
// folded account is there already. It is all or nothing, for readers and after
// a crash: any error in rows (the first 100 of them are in the *ImportError),
// an account that occurs twice, a contract that WriteContracts could not
// write, or the end of ctx, and nothing has changed. When it returns nil, all
// of it is on disk. Imports wait for each other.
//
// The rows are held in memory to be sorted: with ReadContracts before it, the
// process grows by some 0.5 GB for a million rows. Up to 50,000 changes go into
// one transaction; more of them into a second copy of the contracts (the file
// grows by their size, once) in transactions of 20,000 rows, so that other
// writers wait milliseconds, and readers not at all.
func (s *Store) ImportContracts(ctx context.Context, rows iter.Seq2[engine.Contract, error], opts ImportOptions) (Report, error) {
	staged, err := stage(ctx, rows)
	if err != nil {
		return Report{}, fmt.Errorf("importing contracts: %w", err)
	}
	if len(staged) == 0 && opts.Replace {
		return Report{}, fmt.Errorf("importing contracts: %w", ErrEmptyReplace)
	}
	s.importing.Lock()
	defer s.importing.Unlock()
	report, err := s.importSorted(ctx, staged, opts)
	if err != nil {
		return Report{}, fmt.Errorf("importing contracts: %w", err)
	}
	return report, nil
}

func (s *Store) importSorted(ctx context.Context, sorted []row, opts ImportOptions) (Report, error) {
	old := s.matching(sorted)
	if opts.Replace {
		old = s.rows(contractsIn, walk{})
	}
	report, changes, err := compare(ctx, merge(old, sorted, opts.Replace), s.direct)
	switch {
	case err != nil, opts.DryRun, report.changes() == 0:
		return report, err
	case report.changes() <= s.direct:
		return report, s.applyChanges(changes, report)
	}
	merged := merge(s.rows(contractsIn, walk{}), sorted, opts.Replace)
	err = s.writeGeneration(ctx, remaining(merged))
	// Published or given up, one of the two generations has no reader now. If
	// it cannot be removed here, the next Open does it.
	if err := s.dropStrayGenerations(); err != nil {
		s.log.Warn("removing old contracts", "file", s.path, "err", err)
	}
	return report, err
}

// compare counts the changes, and keeps the first ones: as many as may be
// applied directly.
func compare(ctx context.Context, merged iter.Seq2[change, error], keep int) (r Report, changes []change, err error) {
	for c, err := range merged {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return r, nil, err
		}
		switch c.kind {
		case added:
			r.Added++
		case changed:
			r.Changed++
		case deleted:
			r.Deleted++
		case unchanged:
			r.Unchanged++
		}
		if c.kind.writes() && len(changes) < keep {
			changes = append(changes, c)
		}
	}
	return r, changes, nil
}

func (s *Store) applyChanges(changes []change, r Report) error {
	return s.update(func(tx *bolt.Tx) error {
		b, err := contractsIn(tx)
		if err != nil {
			return err
		}
		for _, c := range changes {
			if err := c.apply(b); err != nil {
				return err
			}
		}
		meta := tx.Bucket(metaBucket)
		n, err := getUint64(meta, metaContractsN)
		if err != nil {
			return err
		}
		return putUint64(meta, metaContractsN, n+uint64(r.Added)-uint64(r.Deleted))
	})
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
