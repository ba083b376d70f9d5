package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	// Settle completes an override of an import by what the store does not know,
	// or says why it is refused; nil takes them as they are.
	Settle func(*Override) error
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
// The rows are sorted in files without a name beside the store, so memory does
// not grow with them. Up to 50,000 changes go into
// one transaction; more of them into a second copy of the contracts (the file
// grows by their size, once) in transactions of 20,000 rows, so that other
// writers wait milliseconds, and readers not at all.
func (s *Store) ImportContracts(ctx context.Context, by By, rows iter.Seq2[engine.Contract, error], opts ImportOptions) (Report, error) {
	return s.importRows(ctx, by, "", inOrder(rows), opts)
}

// ImportContractsFile is ImportContracts of what ReadContracts reads, in memory
// that does not grow with the file; an account that occurs twice is found with
// its lines all the same.
func (s *Store) ImportContractsFile(ctx context.Context, by By, name string, r io.Reader, opts ImportOptions) (Report, error) {
	return s.importRows(ctx, by, name, readContractLines(name, r), opts)
}

// importRows imports rows of a file, or where that is empty, of a sequence.
func (s *Store) importRows(ctx context.Context, by By, file string, rows iter.Seq2[placed[engine.Contract], error], opts ImportOptions) (Report, error) {
	report, err := s.importContracts(ctx, by, file, rows, opts)
	if err != nil {
		return report, fmt.Errorf("importing contracts: %w", full(err))
	}
	return report, nil
}

func (s *Store) importContracts(ctx context.Context, by By, file string, rows iter.Seq2[placed[engine.Contract], error], opts ImportOptions) (Report, error) {
	if _, bad := by.tidy(); len(bad) > 0 {
		return Report{}, bad
	}
	sorted, err := s.stage(ctx, file, rows)
	defer sorted.close()
	switch {
	case err != nil:
		return Report{}, err
	case sorted.n == 0 && opts.Replace:
		return Report{}, ErrEmptyReplace
	}
	s.importing.Lock()
	defer s.importing.Unlock()
	i := importing{Store: s, by: by, file: file, sorted: sorted, opts: opts}
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
	file   string // that the rows came from; empty: they are numbered
	sorted *sorter
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
	if err := i.opts.refuse(i.found.Report, i.sorted.n, i.before); err != nil {
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
	merged := merge(i.rows(contractsIn, walk{}), once(i.sorted, i.file, nil), i.opts.Replace)
	err := i.writeGeneration(ctx, remaining(merged), i.record)
	// Published or given up, one of the two generations has no reader now. If
	// it cannot be removed here, the next Open does it.
	if err := i.drainStrayGenerations(); err != nil {
		i.log.Warn("removing old contracts", "file", i.path, "err", err)
	}
	return err
}

// compare counts the changes and keeps the first ones.
func (i *importing) compare(ctx context.Context) (*tally, error) {
	var twice ImportError
	fresh := once(i.sorted, i.file, &twice)
	merged := i.lookedUp(fresh)
	if i.opts.Replace || i.sorted.n > i.before/8 { // then a walk is faster
		merged = merge(i.rows(contractsIn, walk{}), fresh, i.opts.Replace)
	}
	found := newTally()
	for c, err := range merged {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		found.add(c, max(i.direct, auditedChanges))
	}
	return found, twice.inOrder()
}

func (i *importing) applyChanges() error {
	return i.updateContracts(slices.Values(i.found.changes), func(tx *bolt.Tx) error {
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

// lookedUp compares rows with those of the store one by one, which is less than
// a walk over all where there are few.
func (i *importing) lookedUp(fresh iter.Seq2[row, error]) iter.Seq2[change, error] {
	return func(yield func(change, error) bool) {
		part := make([]row, 0, walkRows)
		flush := func() (goOn bool) {
			changes, err := i.lookup(part)
			part = part[:0]
			if err != nil {
				yield(change{}, err)
				return false
			}
			for _, c := range changes {
				if !yield(c, nil) {
					return false
				}
			}
			return true
		}
		for r, err := range fresh {
			if err != nil {
				yield(change{}, err)
				return
			}
			if part = append(part, r); len(part) == walkRows && !flush() {
				return
			}
		}
		flush()
	}
}

func (s *Store) lookup(rows []row) (changes []change, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		b, err := contractsIn(tx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			c := change{kind: added, key: r.key, after: r.value}
			if v := b.Get(r.key); v != nil {
				c = update(row{r.key, bytes.Clone(v)}, r)
			}
			changes = append(changes, c)
		}
		return nil
	})
	return changes, err
}
