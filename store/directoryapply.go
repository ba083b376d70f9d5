package store

import (
	"context"
	"fmt"
	"iter"

	bolt "go.etcd.io/bbolt"
)

// DirectoryOptions say what becomes of a batch.
type DirectoryOptions struct {
	// Full says that the batch is all of the directory: what it does not tell of
	// is not there.
	Full bool
	// Named says that entries of a full batch were kept without having been read:
	// it is no comparison of everything.
	Named  bool
	Cookie Cookie // kept in the transaction of the last change
	Guards DirectoryGuards
	// Grace: a contract whose entry is gone stays as it is until
	// ExpireDirectory, and comes back with the entry.
	Grace  bool
	DryRun bool // report only
	Hold   bool // keep what a guard refuses, to be approved
	Diff   int  // how many changes the report shows, at most 50,000
}

// DirectoryReport counts what a batch did, or would do. Deleted counts those
// that vanished, too.
type DirectoryReport struct {
	Report
	Entries   int `json:"entries"`   // told of
	Vanished  int `json:"vanished"`  // their entry is gone: they stay for their grace
	Returned  int `json:"returned"`  // their entry is there again
	Replaced  int `json:"replaced"`  // the account belongs to another entry now
	Doubles   int `json:"doubles"`   // entries whose account belongs to another one
	Overrides int `json:"overrides"` // revoked, for their contract is another one or gone
}

// HeldError says that a guard refused the changes and that they are held.
type HeldError struct{ Held }

// Error says which limit, how many, and under what id.
func (e *HeldError) Error() string {
	return fmt.Sprintf("refused by %s; held as %s", e.Guard.Text(), e.ID)
}

// Unwrap gives the guard.
func (e *HeldError) Unwrap() error { return &e.Guard }

// ApplyDirectory compares a batch with the store and makes the changes, all or
// none of them, with their audit, the overrides that end with them and the
// cookie. Over a limit it is a *GuardError, or with Hold a *HeldError, and
// nothing has changed; a batch that passes ends what was held before.
//
// Up to 50,000 changes go into one transaction; more of them into second copies
// of what they change, as in ImportContracts.
func (s *Store) ApplyDirectory(ctx context.Context, by By, b *DirectoryBatch, opts DirectoryOptions) (DirectoryReport, error) {
	if _, bad := by.tidy(); len(bad) > 0 {
		return DirectoryReport{}, bad
	}
	if err := b.finish(); err != nil {
		return DirectoryReport{}, fmt.Errorf("directory %s: %w", b.source, full(err))
	}
	s.importing.Lock()
	defer s.importing.Unlock()
	report, err := s.applyBatch(ctx, by, b, opts)
	if err != nil {
		return report, fmt.Errorf("directory %s: %w", b.source, full(err))
	}
	return report, nil
}

func (s *Store) applyBatch(ctx context.Context, by By, b *DirectoryBatch, opts DirectoryOptions) (DirectoryReport, error) {
	dir, err := s.openDirectory(b.source)
	if err != nil {
		return DirectoryReport{}, err
	}
	b.row, b.known = dir, dir.Entries > 0
	r := rules{full: opts.Full, grace: opts.Grace, now: nanos(s.now())}
	a := &application{
		Store: s, by: by, source: b.source, row: dir, op: "sync.apply", cookie: opts.Cookie, full: opts.Full, named: opts.Named, guards: opts.Guards,
		found: newDirectoryTally(s.direct), entries: b.entries,
		changes: func() iter.Seq2[settlement, error] { return b.settled(ctx, r) },
		ids:     func() iter.Seq2[row, error] { return b.idRows() },
	}
	// All that a first load does is to add: it is counted while it is written.
	a.first = opts.Full && !b.known && !opts.DryRun && opts.Diff == 0
	if a.first {
		a.found = newDirectoryTally(0)
	} else if err := a.compare(b.unlist); err != nil {
		return DirectoryReport{}, err
	}
	if err := b.ids.finish(); err != nil {
		return DirectoryReport{}, err
	}
	if opts.Diff > 0 {
		if a.found.shown, err = a.found.diff(opts.Diff); err != nil {
			return DirectoryReport{}, err
		}
	}
	if guard := opts.Guards.refuse(a); guard != nil {
		return a.refused(guard, opts)
	}
	if opts.DryRun {
		return a.report(), nil
	}
	return a.run(ctx)
}

// refused gives the error of a guard, and holds the changes where that is
// wanted.
func (a *application) refused(guard *GuardError, opts DirectoryOptions) (DirectoryReport, error) {
	if opts.DryRun || !opts.Hold {
		return a.report(), guard
	}
	held, err := a.hold(*guard)
	if err != nil {
		return a.report(), err
	}
	return a.report(), &HeldError{held}
}

// unlist notes entries that have nothing any more.
func (b *DirectoryBatch) unlist(ids []EntryID) error {
	for _, id := range ids {
		if err := b.ids.add(id[:], nil, b.ids.n); err != nil {
			return err
		}
	}
	return nil
}

func (b *DirectoryBatch) idRows() iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		var last row
		for r, err := range b.ids.all() {
			if err != nil {
				yield(row{}, err)
				return
			}
			if last.key != nil && string(last.key) != string(r.key) && !yield(last, nil) {
				return
			}
			last = r.row
		}
		if last.key != nil {
			yield(last, nil)
		}
	}
}

// application is a set of changes while it is the only one.
type application struct {
	*Store
	by      By
	source  string
	op      string // for the audit
	row     directoryRow
	cookie  Cookie
	full    bool
	named   bool
	first   bool
	entries int
	guards  DirectoryGuards
	keep    bool // the overrides of replaced contracts
	found   *directoryTally
	changes func() iter.Seq2[settlement, error]
	ids     func() iter.Seq2[row, error]
	// rewritten is the bucket of the accounts before all was written anew; nil
	// where it was not.
	rewritten []byte
}

func (a *application) report() DirectoryReport {
	r := a.found.report
	r.Report = a.found.tally.Report
	r.Diff = a.found.shown
	r.Entries = a.entries
	return r
}

// compare counts the changes and keeps the first ones.
func (a *application) compare(unlist func([]EntryID) error) error {
	for c, err := range a.changes() {
		if err != nil {
			return err
		}
		a.found.add(c)
		if err := unlist(c.unlisted); err != nil {
			return err
		}
	}
	return nil
}

// run makes the changes.
func (a *application) run(ctx context.Context) (_ DirectoryReport, err error) {
	before, err := a.Count()
	if err != nil {
		return a.report(), err
	}
	if a.first || a.found.touched > a.direct {
		err = a.rewrite(ctx, before)
	} else {
		err = a.applyDirectly(before)
	}
	if err != nil {
		return DirectoryReport{}, err
	}
	if a.found.touched > 0 {
		a.notify(a.found.concerned())
	}
	return a.report(), nil
}

func (a *application) applyDirectly(before int) error {
	return a.updateContracts(a.found.written, func(tx *bolt.Tx) error {
		contracts, err := contractsIn(tx)
		if err != nil {
			return err
		}
		owners := tx.Bucket(a.row.Accounts)
		for i := range a.found.kept {
			c := &a.found.kept[i]
			if c.kind.writes() {
				if err := c.change.apply(contracts); err != nil {
					return err
				}
			}
			if err := c.putOwner(owners); err != nil {
				return err
			}
		}
		entries, err := a.putIDs(tx)
		if err != nil {
			return err
		}
		return a.conclude(tx, a.row.Entries+entries, before)
	})
}

func (s *settlement) putOwner(owners *bolt.Bucket) error {
	switch {
	case s.is.owned:
		return owners.Put(s.key, s.is.owner.encode())
	case s.was.owned:
		return owners.Delete(s.key)
	}
	return nil
}

// putIDs tells by how many entries there are more.
func (a *application) putIDs(tx *bolt.Tx) (more int, err error) {
	ids := tx.Bucket(a.row.IDs)
	for r, err := range a.ids() {
		if err != nil {
			return more, err
		}
		had := ids.Get(r.key) != nil
		if len(r.value) == 0 {
			if had {
				more--
			}
			err = ids.Delete(r.key)
		} else {
			if !had {
				more++
			}
			err = ids.Put(r.key, r.value)
		}
		if err != nil {
			return more, err
		}
	}
	return more, nil
}

// conclude is the end of the last transaction, in which it all becomes true.
func (a *application) conclude(tx *bolt.Tx, entries, before int) error {
	if err := a.putDoubles(tx); err != nil {
		return err
	}
	overrides, err := a.endOverrides(tx)
	if err != nil {
		return err
	}
	a.found.report.Overrides = overrides
	r, now := a.row, nanos(a.now())
	a.gracesBegin(a.source, now)
	r.Cookie, r.Server, r.Held = a.cookie.Value, a.cookie.Server, nil
	switch {
	case a.op == "sync.approve":
		r.Steps = nil // somebody has looked at it
	case a.op == "sync.apply" && a.row.Entries > 0: // a first load is no change
		report := a.report()
		r.Steps = a.guards.step(r.Steps, report.Spent(), now)
	}
	r.Entries = entries
	r.Missing += a.found.missing
	r.Doubles += a.found.doubles
	if a.full && !a.named {
		r.Loaded = now
	}
	n := before + a.found.Added - a.found.Deleted + a.found.report.Vanished
	if err := putUint64(tx.Bucket(metaBucket), metaContractsN, uint64(n)); err != nil {
		return err
	}
	if a.found.touched > 0 || a.full {
		r.Applied = now
	}
	if err := putDirectory(tx, a.source, r); err != nil {
		return err
	}
	if a.found.touched == 0 && a.row.Held == nil && a.op == "sync.apply" {
		return nil // nothing that anybody would look for in an audit
	}
	return a.record(tx, n, before)
}

func (a *application) putDoubles(tx *bolt.Tx) error {
	b := tx.Bucket(doublesBucket)
	for _, c := range a.found.doubled {
		for _, d := range c.was.doubles {
			if err := b.Delete(d.key(a.source, c.key)); err != nil {
				return err
			}
		}
		for _, d := range c.is.doubles {
			if err := b.Put(d.key(a.source, c.key), d.contract); err != nil {
				return err
			}
		}
	}
	return nil
}
