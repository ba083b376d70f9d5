package store

import (
	"bytes"
	"iter"

	bolt "go.etcd.io/bbolt"
)

// kind says what an import makes of one row.
type kind byte

const (
	kept      kind = iota // in the store, not in the import, and stays
	unchanged             // in both, equal
	added
	changed
	deleted
)

// writes tells whether the row in the store has to be touched.
func (k kind) writes() bool { return k >= added }

// change is a row with what becomes of it: the new value, or for kept and
// deleted the old one.
type change struct {
	kind kind
	row  row
}

func (c change) apply(b *bolt.Bucket) error {
	if c.kind == deleted {
		return b.Delete(c.row.key)
	}
	return b.Put(c.row.key, c.row.value)
}

// merge walks two lists in key order, the store's and the import's.
func merge(old iter.Seq2[row, error], sorted []row, replace bool) iter.Seq2[change, error] {
	absent := kept
	if replace {
		absent = deleted
	}
	return func(yield func(change, error) bool) {
		rest := sorted
		for o, err := range old {
			if err != nil {
				yield(change{}, err)
				return
			}
			for len(rest) > 0 && bytes.Compare(rest[0].key, o.key) < 0 {
				if !yield(change{added, rest[0]}, nil) {
					return
				}
				rest = rest[1:]
			}
			c := change{absent, o}
			if len(rest) > 0 && bytes.Equal(rest[0].key, o.key) {
				c = update(o, rest[0])
				rest = rest[1:]
			}
			if !yield(c, nil) {
				return
			}
		}
		for _, r := range rest {
			if !yield(change{added, r}, nil) {
				return
			}
		}
	}
}

func update(old, fresh row) change {
	if bytes.Equal(old.value, fresh.value) {
		return change{unchanged, fresh}
	}
	return change{changed, fresh}
}

// remaining gives the rows that are there after the changes.
func remaining(merged iter.Seq2[change, error]) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for c, err := range merged {
			if err == nil && c.kind == deleted {
				continue
			}
			if !yield(c.row, err) {
				return
			}
		}
	}
}
