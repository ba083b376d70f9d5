package store

import (
	"slices"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// maxTogether is how many changes one transaction of the writer holds.
const maxTogether = 256

// writer commits the small changes of many callers together: whoever comes
// while a transaction is on its way to the disk shares the next one. Nobody
// waits for company.
type writer struct {
	mu    sync.Mutex // guards queue
	queue []*pending
	turn  sync.Mutex // held by whoever commits
}

// pending is a change of one caller. done and err belong to the holder of turn.
type pending struct {
	change func(*bolt.Tx) error
	done   bool
	err    error
}

// write makes a small change; when it returns nil, the change is on disk. An
// error of change leaves nothing of it, and nothing to the others. It may be
// called more than once and must set afresh whatever it returns through its
// variables.
func (s *Store) write(change func(*bolt.Tx) error) error {
	p := &pending{change: change}
	s.writer.add(p)
	s.writer.turn.Lock()
	defer s.writer.turn.Unlock()
	for !p.done {
		s.commit(s.writer.take())
	}
	return p.err
}

func (w *writer) add(p *pending) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, p)
}

func (w *writer) take() []*pending {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.queue), maxTogether)
	batch := w.queue[:n:n]
	w.queue = w.queue[n:]
	return batch
}

// commit writes a batch in one transaction. Whoever fails leaves the batch,
// and the others begin anew without what was half done.
func (s *Store) commit(batch []*pending) {
	for len(batch) > 0 {
		at, err := s.attempt(batch)
		if at < 0 {
			finish(batch, err)
			return
		}
		finish(batch[at:at+1], err)
		batch = slices.Delete(batch, at, at+1)
	}
}

// attempt tells whose change failed; -1: none, err is the transaction's.
func (s *Store) attempt(batch []*pending) (at int, err error) {
	at = -1
	err = s.update(func(tx *bolt.Tx) error {
		for i, p := range batch {
			at = i // also for guard, should the change panic
			if err := p.change(tx); err != nil {
				return err
			}
		}
		at = -1
		return nil
	})
	return at, err
}

func finish(batch []*pending, err error) {
	for _, p := range batch {
		p.done, p.err = true, err
	}
}
