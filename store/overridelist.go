package store

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// OverrideFilter says which overrides are meant; empty fields mean any. Texts
// are compared folded.
type OverrideFilter struct {
	Account                      string // the whole of it
	Prefix                       string // of the account
	Kind, Action, Author, Ticket string
	States                       []State   // at Now; none means any
	Now                          time.Time // zero is the store's clock
	EndsBefore                   time.Time // only those that have an end before it
	After                        string    // the next of the page before
	Limit                        int       // of a page; below 1 gives none
}

// Overrides lists up to f.Limit overrides in the order of their folded
// accounts. Of one account, those that stand come in the order of their ends
// where f.States asks for such only, else all in the order in which they were
// made. next is the After of the next page, empty at the end; with other
// States it means nothing.
func (s *Store) Overrides(f OverrideFilter) (page []Override, next string, err error) {
	if f.Limit < 1 {
		return nil, "", nil
	}
	var last []byte
	for found, err := range s.overrides(f) {
		if err != nil {
			return nil, "", err
		}
		if len(page) == f.Limit {
			return page, hex.EncodeToString(last), nil
		}
		page, last = append(page, found.Override), found.key
	}
	return page, "", nil
}

// AllOverrides walks those that f means, in the order of Overrides and beyond
// f.Limit. It reads in short transactions: a change during the walk shows in
// what comes after. An error ends the walk.
func (s *Store) AllOverrides(f OverrideFilter) iter.Seq2[Override, error] {
	return func(yield func(Override, error) bool) {
		for found, err := range s.overrides(f) {
			if !yield(found.Override, err) {
				return
			}
		}
	}
}

// indexed is an override with the key that it was found by.
type indexed struct {
	Override
	key []byte
}

func (s *Store) overrides(f OverrideFilter) iter.Seq2[indexed, error] {
	return func(yield func(indexed, error) bool) {
		w, err := f.walk()
		for err == nil {
			var page []indexed
			if page, w.after, err = s.overridePage(&f, w); err != nil {
				break
			}
			for _, found := range page {
				if !yield(found, nil) {
					return
				}
			}
			if w.after == nil {
				return
			}
		}
		yield(indexed{}, fmt.Errorf("listing overrides: %w", err))
	}
}

// walk is where in the index to look.
func (f *OverrideFilter) walk() (walk, error) {
	w := walk{prefix: []byte(engine.Fold(f.Prefix))}
	if account := engine.Fold(f.Account); account != "" {
		if !bytes.HasPrefix([]byte(account), w.prefix) {
			return w, FieldErrors{{"prefix", "is not that of the account"}}
		}
		w.prefix = accountPrefix(account)
	}
	after, err := hex.DecodeString(f.After)
	if err != nil {
		return w, FieldErrors{{"after", fmt.Sprintf("%q is not of a page before", f.After)}}
	}
	w.after = after
	return w, nil
}

// overridePage reads the next walkRows of the index; next is nil at its end.
func (s *Store) overridePage(f *OverrideFilter, w walk) (page []indexed, next []byte, err error) {
	now := f.Now
	if now.IsZero() {
		now = s.now()
	}
	err = s.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(f.index()).Cursor()
		visited := 0
		for k, _ := w.seek(c); bytes.HasPrefix(k, w.prefix) && k != nil; k, _ = c.Next() {
			if visited++; visited > walkRows {
				return nil
			}
			next = bytes.Clone(k)
			o, err := getOverride(tx, idOf(k))
			if err != nil {
				return err
			}
			if f.means(&o, now) {
				page = append(page, indexed{o, next})
			}
		}
		next = nil
		return nil
	})
	return page, next, err
}

// index is the shortest list in which all that f means are found.
func (f *OverrideFilter) index() []byte {
	if len(f.States) == 0 || slices.ContainsFunc(f.States, func(s State) bool { return s != Active && s != Pending }) {
		return byAccountBucket
	}
	return standingBucket
}

func (f *OverrideFilter) means(o *Override, now time.Time) bool {
	return wants(f.Kind, o.Kind) && wants(f.Action, o.Action) && wants(f.Author, o.Author) && wants(f.Ticket, o.Ticket) &&
		(len(f.States) == 0 || slices.Contains(f.States, o.State(now))) &&
		(f.EndsBefore.IsZero() || !o.Until.IsZero() && o.Until.Before(f.EndsBefore))
}

func wants(asked, is string) bool {
	asked = engine.Fold(asked)
	return asked == "" || asked == engine.Fold(is)
}
