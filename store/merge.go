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

// change is what becomes of one row: the value that is in the store, nil for
// added, and the value that will be, nil for deleted.
type change struct {
	kind               kind
	key, before, after []byte
}

func (c change) apply(b *bolt.Bucket) error {
	if c.kind == deleted {
		return b.Delete(c.key)
	}
	return b.Put(c.key, c.after)
}

// merge walks two lists in key order, the store's and the import's.
func merge(old, fresh iter.Seq2[row, error], replace bool) iter.Seq2[change, error] {
	return func(yield func(change, error) bool) {
		next, stop := iter.Pull2(fresh)
		defer stop()
		m := merger{next: next, yield: yield, replace: replace}
		m.advance()
		for o, err := range old {
			if m.err == nil {
				m.err = err
			}
			if m.err != nil || !m.upTo(o) {
				break
			}
		}
		for m.err == nil && !m.stopped && m.more {
			m.add()
		}
		if m.err != nil {
			yield(change{}, m.err)
		}
	}
}

// merger stands at the row of the import that comes next.
type merger struct {
	next    func() (row, error, bool)
	yield   func(change, error) bool
	replace bool
	fresh   row
	more    bool // there is a fresh
	stopped bool
	err     error
}

func (m *merger) advance() {
	var err error
	if m.fresh, err, m.more = m.next(); m.more && err != nil {
		m.err = err
	}
}

func (m *merger) add() {
	m.stopped = !m.yield(change{kind: added, key: m.fresh.key, after: m.fresh.value}, nil)
	m.advance()
}

// upTo gives what comes before a row of the store and what becomes of it, and
// tells whether to go on.
func (m *merger) upTo(o row) bool {
	for m.err == nil && !m.stopped && m.more && bytes.Compare(m.fresh.key, o.key) < 0 {
		m.add()
	}
	if m.err != nil || m.stopped {
		return false
	}
	c := change{kind: kept, key: o.key, before: o.value, after: o.value}
	switch {
	case m.more && bytes.Equal(m.fresh.key, o.key):
		c = update(o, m.fresh)
		m.advance()
	case m.replace:
		c.kind, c.after = deleted, nil
	}
	m.stopped = !m.yield(c, nil)
	return m.err == nil && !m.stopped
}

func update(old, fresh row) change {
	c := change{kind: changed, key: fresh.key, before: old.value, after: fresh.value}
	if bytes.Equal(old.value, fresh.value) {
		c.kind = unchanged
	}
	return c
}

// remaining gives the rows that are there after the changes.
func remaining(merged iter.Seq2[change, error]) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for c, err := range merged {
			if err == nil && c.kind == deleted {
				continue
			}
			if !yield(row{c.key, c.after}, err) {
				return
			}
		}
	}
}
