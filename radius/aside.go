package radius

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// errStuck is why the fail mode answers at once while others wait in vain.
var errStuck = errors.New("decisions do not come to an end")

// errCrowded is why it answers at once while too many others take long.
var errCrowded = errors.New("too many decisions take long")

// maxStuck is how many decisions may hang over their budget before the others
// stop trying: a store that hangs must not take every login with it.
const maxStuck = 4

// maxAside is how many decisions may take long at once before the others stop
// trying. Each keeps a goroutine and its buffer, some 60 MiB for all. Every
// socket may add the one that its reader had begun. They are as many as come
// within a fraction of the budget at the highest rates: where the machine is
// busy elsewhere for a moment, each decision takes long for no fault of the
// store's.
const maxAside = 4096

// aside are the goroutines that are still busy with a reply while another one
// reads their socket. In ordinary life there are none.
type aside struct {
	most    int64  // of them at once before the others stop trying
	yield   func() // lets every goroutine run that was preempted before: runtime.Gosched
	running atomic.Int64
	stuck   atomic.Int64 // of these, the ones that were overruled

	mu       sync.Mutex
	attempts map[*attempt]struct{}
}

// enter takes an attempt in, unless its goroutine reads its socket on. To
// settle that and to take it in are one step: who comes to leave has entered.
func (s *aside) enter(a *attempt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !a.settled.CompareAndSwap(false, true) {
		return false
	}
	if s.attempts == nil {
		s.attempts = map[*attempt]struct{}{}
	}
	s.attempts[a] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *aside) leave(a *attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.attempts, a)
	s.running.Add(-1)
	if a.stage.Load() == overruled {
		s.stuck.Add(-1)
	}
}

// overdue takes the answers from those that have been deciding since before an
// instant. One that only waits for a processor comes first: where the machine
// has more to do than it can, a goroutine that was preempted waits behind
// hundreds of others, and who yields stands behind it.
func (s *aside) overdue(since time.Time) []*attempt {
	if !s.slow() || !s.late(since) {
		return nil
	}
	s.yield()
	s.mu.Lock()
	defer s.mu.Unlock()
	var over []*attempt
	for a := range s.attempts {
		if a.heard.Before(since) && a.stage.CompareAndSwap(deciding, overruled) {
			s.stuck.Add(1)
			over = append(over, a)
		}
	}
	return over
}

// late reports whether any has been deciding since before an instant.
func (s *aside) late(since time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for a := range s.attempts {
		if a.heard.Before(since) && a.stage.Load() == deciding {
			return true
		}
	}
	return false
}

// slow reports whether decisions that may still come in time take long.
func (s *aside) slow() bool { return s.running.Load() > s.stuck.Load() }

// refusal is why another decision is not worth trying, nil if it is.
func (s *aside) refusal() error {
	switch {
	case s.stuck.Load() >= maxStuck:
		return errStuck
	case s.running.Load() >= s.most:
		return errCrowded
	}
	return nil
}
