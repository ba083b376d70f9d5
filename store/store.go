// Package store keeps what the daemon must not forget in one bbolt file. It
// knows how things are kept, not what they mean: decisions are the engine's,
// the wire is package radius'.
//
// One process holds the file at a time. Within it every method may be called
// from any goroutine, also while another one calls Close.
package store

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"
)

var (
	// ErrClosed says that the store was closed before or during the call.
	ErrClosed = errors.New("store is closed")
	// ErrLocked says that another process holds the file.
	ErrLocked = errors.New("store file is held by another process")
	// ErrNewer says that a newer release has written the file.
	ErrNewer = errors.New("store file is of a newer schema")
	// ErrForeign says that the file is not a store of ours.
	ErrForeign = errors.New("not a sekisho store")
	// ErrDamaged says that bytes of the file are missing or wrong.
	ErrDamaged = errors.New("store file is damaged")
	// ErrFull says that the disk, or this user's share of it, is full. Nothing of
	// the change was written; reading goes on.
	ErrFull = errors.New("no space left for the store file")
	// ErrNotFound says that there is nothing of that name.
	ErrNotFound = errors.New("not found")
	// ErrVersion says that somebody else has changed it meanwhile.
	ErrVersion = errors.New("changed meanwhile")
	// ErrRevoked says that it was revoked before.
	ErrRevoked = errors.New("revoked already")
	// ErrEnded says that its time is over.
	ErrEnded = errors.New("ended already")
	// ErrKeyUsed says that the idempotency key belongs to another override.
	ErrKeyUsed = errors.New("key belongs to an override of other content")
	// ErrExists says that the name is taken.
	ErrExists = errors.New("exists already")
)

// Store is an open store file. All methods are safe for concurrent use.
type Store struct {
	path string
	db   *bolt.DB
	file *os.File // db's
	log  *slog.Logger
	now  func() time.Time // Options.Clock, in UTC
	// importing serialises contract imports, the only writers of contracts:
	// what an import has compared stays true until it has written.
	importing sync.Mutex
	// graces tells since when an entry of a directory may be gone whose contract is
	// still there; no source: not known. Guarded by importing; see ExpireDirectory.
	graces     map[string]int64
	direct     int // directChanges, or less in tests
	sortMemory int // sortMemory, or less in tests
	writer     writer
	readers    readers
	warmer     atomic.Pointer[warmer]
	index      indexing
	watchers   watchers
	ids        ids
	limits     atomic.Pointer[[2]OverrideLimits] // by kind; see SetOverrideLimits
	writing    sync.Mutex                        // see inTurn
	lost       atomic.Bool                       // see transact
}

// Path names the file, as it was given to Open.
func (s *Store) Path() string { return s.path }

// Close waits for running transactions and releases the file. Calls that come
// later fail with ErrClosed; closing twice is no error. A store that has lost
// the beginning of its file stays open until the process ends, and says so.
func (s *Store) Close() error {
	if s.lost.Load() {
		return fmt.Errorf("closing store %s: %w", s.path, errLost)
	}
	s.readers.bar() // for good
	s.warmer.Swap(nil).close()
	s.index.drop()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("closing store %s: %w", s.path, err)
	}
	return nil
}

// Backup writes a consistent copy of the whole store to w, itself a valid
// store file, while reads and writes go on. Pages that are replaced meanwhile
// cannot be used again before it ends, so w should be a file, not a slow peer.
func (s *Store) Backup(w io.Writer) error {
	out := &failingWriter{Writer: w}
	err := s.view(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(out)
		return err
	})
	if err != nil && out.err != nil {
		err = full(out.err)
	}
	if err != nil {
		return fmt.Errorf("backing up store %s: %w", s.path, err)
	}
	return nil
}

// failingWriter keeps the error of a writer, of which bbolt passes on the text
// only.
type failingWriter struct {
	io.Writer
	err error
}

func (w *failingWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.err = err
	return n, err
}

// Check reads every page, compares everything that is kept twice, and reports
// all inconsistencies that it finds, joined; VerifyAudit is not part of it. It takes seconds per gigabyte, and writes wait for it; reads do not.
func (s *Store) Check() error {
	var errs []error
	// bbolt's list of free pages may only be read where no other transaction
	// writes; the error rolls back.
	err := s.update(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			errs = append(errs, fmt.Errorf("%w: %w", ErrDamaged, err))
		}
		_, faults := consistent(tx)
		errs = append(errs, faults...)
		return errChecked
	})
	if !errors.Is(err, errChecked) {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("checking store %s: %w", s.path, err)
	}
	return nil
}

var errChecked = errors.New("checked")

// view runs fn in a read transaction. Keep it short: see Options.MmapSize.
func (s *Store) view(fn func(*bolt.Tx) error) error { return s.transact(s.db.View, fn) }

// update runs fn in the write transaction; when it returns nil, what fn wrote
// is on disk.
func (s *Store) update(fn func(*bolt.Tx) error) error {
	s.readers.bar()
	defer s.readers.lift()
	return s.inTurn(fn)
}

// inTurn runs fn in the write transaction. Writers wait here and not in bbolt,
// where they would wait for ever once the one before them was lost; see
// transact.
func (s *Store) inTurn(fn func(*bolt.Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.transact(s.db.Update, fn)
}

var errLost = fmt.Errorf("%w: its beginning is gone; stop the daemon and restore a backup", ErrDamaged)

// transact runs fn in a transaction. When bbolt panics before fn, over the
// pages with which the file begins, it keeps its locks, and whoever asked it
// again would wait for ever: from then on everybody gets an error instead.
func (s *Store) transact(in func(func(*bolt.Tx) error) error, fn func(*bolt.Tx) error) error {
	if s.lost.Load() {
		return errLost
	}
	began := false
	err := guard(func() error {
		return in(func(tx *bolt.Tx) error {
			began = true
			return fn(tx)
		})
	})
	if !began && errors.Is(err, ErrDamaged) {
		s.lost.Store(true)
	}
	return err
}

// guard turns what bbolt does about a broken page, a panic or a memory fault
// beyond the end of the file, into an error: one bad page must not take down
// the path of every packet.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	err = fn()
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return full(err)
}

// full adds ErrFull to the errors of a full disk.
func full(err error) error {
	if (errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)) && !errors.Is(err, ErrFull) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
