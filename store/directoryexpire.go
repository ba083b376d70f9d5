package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// ExpireDirectory removes the contracts whose entry was gone before an instant,
// with the overrides on them, in transactions of up to a thousand, and tells how
// many those were. It goes through the accounts once, and only when a grace may
// be over: that is millions of rows.
func (s *Store) ExpireDirectory(ctx context.Context, by By, source string, before time.Time) (n int, err error) {
	s.importing.Lock()
	defer s.importing.Unlock()
	if began, known := s.graces[source]; known && nanos(before) <= began {
		return 0, nil
	}
	g := graces{before: nanos(before), earliest: nanos(s.now())}
	for more := true; more; {
		var some int
		some, more, err = s.expireSome(ctx, by, source, &g)
		n += some
		if err != nil {
			return n, fmt.Errorf("directory %s: ending graces: %w", source, full(err))
		}
	}
	s.graces[source] = g.earliest
	return n, nil
}

// graces are how far a walk over the accounts is whose entry is gone.
type graces struct {
	before   int64  // since when the entry must be gone
	after    []byte // the account that was looked at last
	earliest int64  // since when the first entry is gone that goes on, or none at all
}

// gracesBegin notes that graces begin now. It is called while importing is held.
func (s *Store) gracesBegin(source string, now int64) {
	if earliest, known := s.graces[source]; known && now < earliest { // the clock was set back
		s.graces[source] = now
	}
}

// expireSome removes the next ones; more tells that there may be others.
func (s *Store) expireSome(ctx context.Context, by By, source string, g *graces) (n int, more bool, err error) {
	dir, err := s.openDirectory(source)
	if err != nil || dir.Missing == 0 {
		return 0, false, err
	}
	if dir.Held != nil {
		g.earliest = 0 // nobody has looked
		return 0, false, nil
	}
	over, err := s.overdue(ctx, dir, g)
	if err != nil || len(over) == 0 {
		return 0, false, err
	}
	a := &application{
		Store: s, by: by, source: source, row: dir, op: "sync.expire", cookie: Cookie{dir.Cookie, dir.Server},
		found:   newDirectoryTally(s.direct),
		changes: func() iter.Seq2[settlement, error] { return seqOf(over) },
	}
	var ids []EntryID
	if err := a.compare(func(more []EntryID) error { ids = append(ids, more...); return nil }); err != nil {
		return 0, false, err
	}
	a.ids = func() iter.Seq2[row, error] {
		return func(yield func(row, error) bool) {
			for _, id := range ids {
				if !yield(row{key: id[:]}, nil) {
					return
				}
			}
		}
	}
	_, err = a.run(ctx)
	return len(over), len(over) == walkRows, err
}

// overdue finds the next contracts whose grace is over.
func (s *Store) overdue(ctx context.Context, r directoryRow, g *graces) (over []settlement, err error) {
	var accounts [][]byte
	for found, err := range s.rows(named(r.Accounts), walk{after: g.after}) {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		o, err := decodeOwner(found.key, found.value)
		if err != nil {
			return nil, err
		}
		g.after = found.key
		switch {
		case o.missing == 0:
		case o.missing < g.before:
			accounts = append(accounts, found.key)
		default:
			g.earliest = min(g.earliest, o.missing)
		}
		if len(accounts) == walkRows {
			break
		}
	}
	err = s.view(func(tx *bolt.Tx) error {
		contracts, err := contractsIn(tx)
		if err != nil {
			return err
		}
		owners := tx.Bucket(r.Accounts)
		for _, account := range accounts {
			o, err := decodeOwner(account, owners.Get(account))
			if err != nil {
				return err
			}
			st := standing{account: account, owned: true, owner: o, contract: slices.Clone(contracts.Get(account))}
			c := settlement{change: change{kind: kept, key: account, before: st.contract}, was: st, fate: ended, unlisted: []EntryID{o.id}}
			if st.contract != nil {
				c.kind = deleted
			}
			over = append(over, c)
		}
		return nil
	})
	return over, err
}

func seqOf[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}
