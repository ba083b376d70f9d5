package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// maxOverrideRows is how many overrides one import may bring: they are made in
// one transaction, for which other writers wait.
const maxOverrideRows = 20_000

// ImportOverrides adds the rows to the overrides, all or nothing. A row whose
// key belongs to an override of the same content changes nothing, nor does a row
// without a key that says what an override that stands on its account says: so
// the same file may be imported twice. Both are counted as unchanged. Of opts,
// DryRun, MaxChanges, Op and Settle are asked; nothing is ever replaced.
//
// All that is wrong with the rows, up to 100 errors, is in an *ImportError, each
// with the number of its row. A guard is a *GuardError, with the report of what
// would have been.
func (s *Store) ImportOverrides(ctx context.Context, by By, rows iter.Seq2[Override, error], opts ImportOptions) (Report, error) {
	return s.importOverrides(ctx, by, inOrder(rows), opts)
}

// ImportOverridesFile is ImportOverrides of what ReadOverrides reads. All errors
// of rows are *LineError, also those that only the store can find.
func (s *Store) ImportOverridesFile(ctx context.Context, by By, name string, r io.Reader, zone *time.Location, opts ImportOptions) (Report, error) {
	t := newTable(name, r, overrideColumns, overrideColumns[:4])
	return s.importOverrides(ctx, by, readTable(t, func() (placed[Override], []error) {
		o, errs := readOverride(t, zone)
		return placed[Override]{o, name, t.lines.line}, errs
	}), opts)
}

// wrong says where an error is.
func (p placed[T]) wrong(account string, err error) error {
	switch {
	case err == nil:
		return nil
	case p.file != "":
		return &LineError{File: p.file, Line: p.line, Message: err.Error()}
	}
	return fmt.Errorf("row %d, account %q: %w", p.line, account, err)
}

func (s *Store) importOverrides(ctx context.Context, by By, rows iter.Seq2[placed[Override], error], opts ImportOptions) (Report, error) {
	i := overrideImport{Store: s, by: by, opts: opts}
	err := i.stage(ctx, rows)
	if err == nil {
		err = s.update(i.run)
	}
	var guard *GuardError
	switch {
	case errors.Is(err, errDryRun):
		return i.report, nil
	case errors.As(err, &guard):
		return i.report, fmt.Errorf("importing overrides: %w", err)
	case err != nil:
		return Report{}, fmt.Errorf("importing overrides: %w", err)
	}
	if len(i.accounts) > 0 {
		s.notify(Changed{Accounts: i.accounts})
	}
	return i.report, nil
}

var errDryRun = errors.New("dry run")

type overrideImport struct {
	*Store
	by       By
	opts     ImportOptions
	rows     []placed[Override] // that are right as far as can be told of each alone
	bad      ImportError        // what is wrong with the others
	report   Report
	accounts []string // that got one
}

// stage reads the rows. What is wrong with single ones is kept for run, which
// finds what is wrong with the others.
func (i *overrideImport) stage(ctx context.Context, rows iter.Seq2[placed[Override], error]) error {
	for p, err := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err == nil {
			var wrong FieldErrors
			p.value, wrong = tidyOverride(p.value)
			err = p.wrong(p.value.Account, wrong.orNil())
		}
		if err == nil && i.opts.Settle != nil {
			err = p.wrong(p.value.Account, i.settle(&p.value))
		}
		if err == nil && len(i.rows) == maxOverrideRows {
			return fmt.Errorf("more than %d overrides: import them in parts", maxOverrideRows)
		}
		if err == nil {
			i.rows = append(i.rows, p)
		} else if !i.bad.add(err) {
			return &i.bad
		}
	}
	return nil
}

// settle completes a row. One that is refused is told its times as well: run,
// which knows the rows that were made before, does not come to see it.
func (i *overrideImport) settle(o *Override) error {
	err := i.opts.Settle(o)
	if err == nil {
		return nil
	}
	now := i.now()
	if late := i.limitsOf(o.Kind).refuseTimes(beginning(o.From, now), o.Until, now); len(late) > 0 {
		return fmt.Errorf("%w; %w", err, late)
	}
	return err
}

// run makes all of them; an error leaves none.
func (i *overrideImport) run(tx *bolt.Tx) error {
	var made []Override
	for _, p := range i.rows {
		got, existed, err := i.one(tx, p.value)
		switch {
		case err != nil:
			if !i.bad.add(p.wrong(p.value.Account, err)) {
				return i.bad.inOrder()
			}
		case existed:
			i.report.Unchanged++
		default:
			i.report.Added++
			made = append(made, got)
			i.accounts = append(i.accounts, engine.Fold(got.Account))
		}
	}
	if err := i.bad.inOrder(); err != nil {
		return err
	}
	return i.finish(tx, made)
}

func (i *overrideImport) finish(tx *bolt.Tx, made []Override) error {
	if err := i.opts.refuseOverrides(i.report.Added); err != nil {
		return err
	}
	if i.opts.DryRun {
		return errDryRun
	}
	each := i.by
	each.Why = "" // each has a reason of its own; that of the file stands with the import
	for n := range made {
		if err := i.auditNew(tx, each, &made[n]); err != nil {
			return err
		}
	}
	if len(made) == 0 {
		return nil
	}
	op := i.opts.Op
	if op == "" {
		op = "override.import"
	}
	after := fmt.Appendf(nil, `{"added":%d,"unchanged":%d}`, i.report.Added, i.report.Unchanged)
	return i.audit(tx, Entry{By: i.by, Op: op, Subject: "overrides", After: after})
}

func (i *overrideImport) one(tx *bolt.Tx, o Override) (Override, bool, error) {
	if found, exists, err := keyedOverride(tx, &o); exists || err != nil {
		return found, exists, err
	}
	if o.Key == "" {
		if found, exists, err := sameStanding(tx, &o, i.now()); exists || err != nil {
			return found, exists, err
		}
	}
	made, err := i.insertOverride(tx, i.by, o)
	return made, false, err
}

// sameStanding finds an override on the account that says the same and stands.
func sameStanding(tx *bolt.Tx, o *Override, now time.Time) (found Override, exists bool, err error) {
	prefix := accountPrefix(engine.Fold(o.Account))
	c := tx.Bucket(standingBucket).Cursor()
	for k, _ := c.Seek(untilKey(engine.Fold(o.Account), now)); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		found, err = getOverride(tx, idOf(k))
		if err != nil || found.content() == o.content() {
			return found, err == nil, err
		}
	}
	return Override{}, false, nil
}
