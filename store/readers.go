package store

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// readers are read transactions that stay open between look-ups. To begin one
// and to find the buckets anew costs as much as the look-up in a million rows,
// and allocates a dozen times; and they change only when something is written.
//
// Whoever writes closes them first and keeps them closed: a new one sees what
// was written, and bbolt, which waits for its readers when it has to map a file
// that has grown, waits for none of these. Meanwhile look-ups begin their own.
type readers struct {
	barred atomic.Int32 // writers at work, and for good once the store is closed
	all    [8]reader    // more than look up at once
}

// reader is one of them with what look-ups have needed before. All of it is
// guarded by mu.
type reader struct {
	mu        sync.Mutex
	tx        *bolt.Tx // nil: closed
	contracts *bolt.Cursor
	standing  *bolt.Cursor
	key       []byte

	// rows are decoded contracts by their octets in the file, but for the account.
	// A million contracts differ in little else: there are as many as there are
	// courses, areas and options together. It depends on nothing but the octets,
	// so no change makes it wrong.
	rows map[string]*engine.Contract
}

// maxRows bounds the rows of a reader; beyond it they are gathered anew.
const maxRows = 4096

// take locks a reader that nobody uses; nil while somebody writes.
func (rs *readers) take() *reader {
	for i := range rs.all {
		r := &rs.all[i]
		if !r.mu.TryLock() {
			continue
		}
		// Asked with the lock held: a writer that comes after this waits for it.
		if rs.barred.Load() == 0 {
			return r
		}
		r.mu.Unlock()
	}
	return nil
}

// bar closes the readers until it is lifted.
func (rs *readers) bar() {
	rs.barred.Add(1)
	for i := range rs.all {
		r := &rs.all[i]
		r.mu.Lock()
		r.close()
		r.mu.Unlock()
	}
}

func (rs *readers) lift() { rs.barred.Add(-1) }

func (r *reader) open(s *Store) error {
	return s.transact(s.begin, func(tx *bolt.Tx) error {
		contracts, err := contractsIn(tx)
		if err != nil {
			return err
		}
		r.tx, r.contracts, r.standing = tx, contracts.Cursor(), tx.Bucket(standingBucket).Cursor()
		s.warmer.Load().mapped(s.db.Info().Data)
		return nil
	})
}

// begin is bolt.DB.View for a transaction that stays open unless fn fails.
func (s *Store) begin(fn func(*bolt.Tx) error) error {
	tx, err := s.db.Begin(false)
	if err != nil {
		return err
	}
	kept := false
	defer func() {
		if !kept { // fn may have panicked
			_ = tx.Rollback()
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	kept = true
	return nil
}

func (r *reader) close() {
	if r.tx != nil {
		_ = r.tx.Rollback() // of a read transaction: it cannot fail
	}
	r.tx, r.contracts, r.standing = nil, nil, nil
}

// subscriber is what Subscriber tells, unless it fails.
func (r *reader) subscriber(s *Store, folded string, f *engine.Facts) error {
	if r.tx == nil {
		if err := r.open(s); err != nil {
			return err
		}
	}
	err := guard(func() (err error) {
		if err = r.contract(s, folded, f); err == nil {
			f.Overrides, err = r.overrides(folded, s.now)
		}
		return err
	})
	if err != nil {
		r.close() // whatever is wrong with it, the next one looks for itself
	}
	return err
}

func (r *reader) contract(s *Store, folded string, f *engine.Facts) error {
	if x := s.index.current.Load(); x != nil { // no writer changes it before this reader is let go
		if row, ask := x.contract(folded); !ask {
			f.Know(row, folded)
			return nil
		}
	}
	r.key = append(r.key[:0], folded...)
	k, v := r.contracts.Seek(r.key)
	if !bytes.Equal(k, r.key) {
		return nil
	}
	if row, ok := r.rows[string(v)]; ok {
		f.Know(row, folded)
		return nil
	}
	c, err := decodeContract(folded, v)
	if err != nil {
		return err
	}
	f.Know(&c, c.Account)
	if c.Account == folded { // it need not be the row's own word
		r.keep(v, &c)
	}
	return nil
}

// keep keeps a row, without the account: the text is the caller's, and part of a
// larger one perhaps.
func (r *reader) keep(row []byte, c *engine.Contract) {
	if r.rows == nil || len(r.rows) >= maxRows {
		r.rows = map[string]*engine.Contract{}
	}
	c.Account = ""
	r.rows[string(row)] = c
}

// overrides are those that end after endedKept ago. Few accounts have any.
func (r *reader) overrides(folded string, now func() time.Time) ([]engine.Override, error) {
	r.key = append(append(r.key[:0], folded...), 0)
	if k, _ := r.standing.Seek(r.key); !bytes.HasPrefix(k, r.key) {
		return nil, nil
	}
	return overridesOf(r.tx, folded, now().Add(-endedKept))
}
