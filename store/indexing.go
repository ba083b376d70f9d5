package store

import (
	"bytes"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// indexing keeps the index what the contracts in the file are. A change tells it
// while readers are barred: between the commit and the first look-up by a reader
// that sees it. Look-ups beside a writer ask the file.
type indexing struct {
	current atomic.Pointer[index] // nil: there is none, ask the file

	mu       sync.Mutex // guards the others, and changes of current
	building bool
	late     []change // committed since building began
	stale    bool     // more than late can tell: what is being built is of no use
}

// maxLate bounds the changes that are kept for an index that is being built.
const maxLate = 4 * directChanges

// updateContracts is update for whoever changes contracts; changes are all that
// it makes of them, nil where there are too many to name.
func (s *Store) updateContracts(changes iter.Seq[change], fn func(*bolt.Tx) error) error {
	s.readers.bar()
	defer s.readers.lift()
	err := s.inTurn(fn)
	lost := false
	// Whether a transaction that failed at its end is on the disk, nobody knows.
	if err != nil || changes == nil {
		lost = s.index.drop()
	} else {
		lost = s.index.follow(changes)
	}
	s.warmer.Load().want(lost)
	return err
}

// follow makes changes that were committed. It reports whether that was the end
// of an index.
func (i *indexing) follow(changes iter.Seq[change]) (lost bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	x := i.current.Load()
	for c := range changes {
		switch {
		case x != nil && !x.set(c.key, c.after), x == nil && i.building && len(i.late) == maxLate:
			return i.dropLocked()
		case x == nil && i.building && !i.stale:
			i.late = append(i.late, change{key: bytes.Clone(c.key), after: bytes.Clone(c.after)})
		}
	}
	return false
}

// drop is called while readers are barred. It reports whether there was an index
// or one was being built.
func (i *indexing) drop() (lost bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.dropLocked()
}

func (i *indexing) dropLocked() (lost bool) {
	x := i.current.Swap(nil)
	if x != nil {
		x.free()
	}
	lost = x != nil || i.building
	i.stale, i.late = true, nil
	return lost
}

// begin tells that one is being built: what is committed from now on is kept for
// it. It is refused while there is one.
func (i *indexing) begin() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.building, i.stale, i.late = i.current.Load() == nil, false, nil
	return i.building
}

// end makes what was built the index that look-ups use, if it can be brought up
// to date; x is nil where nothing came of it. What is late may have been seen or
// not: the last change of an account is what holds.
func (i *indexing) end(x *index) (ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	ok = x != nil && !i.stale
	for _, c := range i.late {
		ok = ok && x.set(c.key, c.after)
	}
	i.building, i.late = false, nil
	if ok {
		i.current.Store(x)
	}
	return ok
}

// buildIndex reads all contracts, in short transactions, unless there is an index
// or it would take more than limit bytes. It is not built by two at a time.
func (s *Store) buildIndex(limit int64, stop <-chan struct{}) error {
	n, err := s.Count()
	if err != nil || int64(indexBytes(n)) > limit || !s.index.begin() {
		return err
	}
	x, err := newIndex(n)
	if err != nil {
		s.index.end(nil)
		return err
	}
	if err = s.readInto(x, stop); err != nil {
		s.index.end(nil)
	} else if s.index.end(x) {
		return nil
	}
	x.free()
	return err
}

// errOutgrown says that contracts were added faster than they were read.
var errOutgrown = errors.New("too many new contracts for its index")

func (s *Store) readInto(x *index, stop <-chan struct{}) error {
	var after []byte
	for n := walkRows; n == walkRows; {
		began := time.Now()
		err := s.view(func(tx *bolt.Tx) error {
			b, err := contractsIn(tx)
			if err != nil {
				return err
			}
			c := b.Cursor()
			k, v := walk{after: after}.seek(c)
			for n = 0; k != nil && n < walkRows; n++ {
				if !x.add(k, v) {
					return errOutgrown
				}
				after = append(after[:0], k...)
				k, v = c.Next()
			}
			return nil
		})
		if err != nil {
			return err
		}
		select {
		case <-stop:
			return ErrClosed
		case <-time.After(time.Since(began)): // half a processor is for those who log in after a start
		}
	}
	return nil
}
