package store

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// warmPiece is how many bytes of the file are read and mapped at a time, and
// what a look-up that needs the disk meanwhile has to wait for.
const warmPiece = 256 << 10

// warmer brings the file into memory before look-ups ask for it: after a boot
// each of them would wait for the disk several times, for bbolt has the kernel
// read single pages. It reads the file, not the mapping, and maps what it has
// read within a short read transaction: while one is open bbolt leaves the
// mapping where it is.
type warmer struct {
	file    *os.File // bbolt's
	limit   int64    // bytes
	mapping atomic.Uintptr
	again   chan struct{} // holds one wish at most
	stop    chan struct{}
	stopped sync.WaitGroup
}

// KeepWarm brings the first limit bytes of the file into memory, in the
// background, and again whenever bbolt has mapped it anew, until the store is
// closed; where there is room within limit it keeps an index of the contracts as
// well. Only the first call does anything. The pages remain the kernel's, who
// takes them back where memory is short; with a limit well below what is
// available they drive out nothing that others need.
func (s *Store) KeepWarm(limit int64) {
	w := &warmer{file: s.file, limit: limit, again: make(chan struct{}, 1), stop: make(chan struct{})}
	if !s.warmer.CompareAndSwap(nil, w) {
		return
	}
	w.want(true)
	w.stopped.Go(func() { s.warm(w) })
}

// want has it begin anew where there is something to do.
func (w *warmer) want(something bool) {
	if w == nil || !something {
		return
	}
	select {
	case w.again <- struct{}{}:
	default:
	}
}

// mapped is told where the file is mapped by whoever has a transaction open.
func (w *warmer) mapped(at uintptr) {
	if w != nil {
		w.want(w.mapping.Swap(at) != at)
	}
}

func (w *warmer) close() {
	if w != nil {
		close(w.stop)
		w.stopped.Wait()
	}
}

func (s *Store) warm(w *warmer) {
	for {
		select {
		case <-w.stop:
			return
		case <-w.again:
		}
		began := time.Now()
		n, err := s.warmOnce(w)
		if err == nil && n < w.limit { // all of it: to read the rest for an index would take minutes
			err = s.buildIndex(w.limit-n, w.stop)
		}
		switch {
		case errors.Is(err, ErrClosed):
			return
		case err != nil:
			s.log.Warn("the store is not in memory: look-ups wait for the disk", "file", s.path, "bytes", n, "err", err)
		default:
			s.log.Info("the store is in memory", "file", s.path, "bytes", n, "index", s.index.current.Load() != nil, "took", time.Since(began))
		}
	}
}

// warmOnce goes through the file and tells how much of it is in memory.
func (s *Store) warmOnce(w *warmer) (done int64, err error) {
	size, err := s.beginWarming(w)
	if err != nil {
		return 0, err
	}
	piece := make([]byte, warmPiece)
	for size = min(size, w.limit); done < size; {
		if stopping(w.stop) {
			return done, ErrClosed
		}
		n, err := w.file.ReadAt(piece[:min(warmPiece, size-done)], done)
		if err != nil && err != io.EOF {
			return done, err
		}
		if mapErr := s.mapPages(w, done, int64(n)); mapErr != nil {
			return done, mapErr
		}
		if done += int64(n); err == io.EOF {
			break
		}
	}
	return done, nil
}

func stopping(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// beginWarming tells how much of the file is in use.
func (s *Store) beginWarming(w *warmer) (size int64, err error) {
	// The kernel would read megabytes ahead, before the page of a look-up. Where
	// it cannot be told so, that is all that happens.
	_ = unix.Fadvise(int(w.file.Fd()), 0, 0, unix.FADV_RANDOM)
	err = s.view(func(tx *bolt.Tx) error {
		w.mapping.Store(s.db.Info().Data)
		size = tx.Size()
		return nil
	})
	return size, err
}

// mapPages maps n bytes from an offset that are in memory; unmapped, every few
// pages cost the look-up that needs them first a fault.
func (s *Store) mapPages(w *warmer, from, n int64) error {
	return s.view(func(tx *bolt.Tx) error {
		if n = min(n, tx.Size()-from); n <= 0 { // beyond that there need not be a mapping
			return nil
		}
		at := s.db.Info().Data
		w.mapped(at) // if it was moved on the way, what lies before is mapped the next time
		_, _, errno := unix.Syscall(unix.SYS_MADVISE, at+uintptr(from), uintptr(n), unix.MADV_POPULATE_READ)
		if errno != 0 && errno != unix.EINVAL { // Linux before 5.14 does not know it
			return errno
		}
		return nil
	})
}
