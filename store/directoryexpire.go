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
// many those were.
func (s *Store) ExpireDirectory(ctx context.Context, by By, source string, before time.Time) (n int, err error) {
	s.importing.Lock()
	defer s.importing.Unlock()
	for {
		some, err := s.expireSome(ctx, by, source, before)
		n += some
		if err != nil {
			return n, fmt.Errorf("directory %s: ending graces: %w", source, full(err))
		}
		if some < walkRows {
			return n, nil
		}
	}
}

func (s *Store) expireSome(ctx context.Context, by By, source string, before time.Time) (int, error) {
	dir, err := s.openDirectory(source)
	if err != nil || dir.Missing == 0 || dir.Held != nil {
		return 0, err
	}
	over, err := s.overdue(ctx, dir, nanos(before))
	if err != nil || len(over) == 0 {
		return 0, err
	}
	a := &application{
		Store: s, by: by, source: source, row: dir, op: "sync.expire", cookie: Cookie{dir.Cookie, dir.Server},
		found:   newDirectoryTally(s.direct),
		changes: func() iter.Seq2[settlement, error] { return seqOf(over) },
	}
	var ids []EntryID
	if err := a.compare(func(more []EntryID) error { ids = append(ids, more...); return nil }); err != nil {
		return 0, err
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
	return len(over), err
}

// overdue finds contracts whose grace is over.
func (s *Store) overdue(ctx context.Context, r directoryRow, before int64) (over []settlement, err error) {
	var accounts [][]byte
	for found, err := range s.rows(named(r.Accounts), walk{}) {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		o, err := decodeOwner(found.key, found.value)
		if err != nil {
			return nil, err
		}
		if o.missing != 0 && o.missing < before {
			accounts = append(accounts, found.key)
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
