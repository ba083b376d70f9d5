package store

import "sync"

// Changed says which accounts are to be decided again: one of their overrides
// or their contract is not what it was.
type Changed struct {
	Accounts []string // folded; only to be read
	All      bool     // too many to name: any account may be concerned
}

// watchers are told of changes.
type watchers struct {
	mu   sync.RWMutex
	list []func(Changed)
}

// Watch has f called after every commit that concerns accounts, before the
// call that changed them returns, by the goroutine that made the change: f must
// not block and must not change the store. Calls may overlap. There is no way
// back: whoever watches does so until the store is closed.
func (s *Store) Watch(f func(Changed)) {
	s.watchers.mu.Lock()
	defer s.watchers.mu.Unlock()
	s.watchers.list = append(s.watchers.list, f)
}

func (s *Store) notify(c Changed) {
	s.watchers.mu.RLock()
	defer s.watchers.mu.RUnlock()
	for _, f := range s.watchers.list {
		f(c)
	}
}
