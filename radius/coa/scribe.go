package coa

import (
	"log/slog"
	"sync"
)

// scribe does what has to wait for the disk, in order, off the keeper's
// goroutine.
type scribe struct {
	log  *slog.Logger
	mu   sync.Mutex
	jobs []func() error
	busy sync.WaitGroup
	on   bool // a goroutine works the jobs off
}

// add puts down a job.
func (s *scribe) add(job func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, job)
	if !s.on {
		s.on = true
		s.busy.Go(s.work)
	}
}

func (s *scribe) work() {
	for {
		s.mu.Lock()
		if len(s.jobs) == 0 {
			s.on = false
			s.mu.Unlock()
			return
		}
		job := s.jobs[0]
		s.jobs = s.jobs[1:]
		s.mu.Unlock()
		if err := job(); err != nil {
			s.log.Error("a campaign cannot be kept", "error", err)
		}
	}
}

// wait returns when everything is written.
func (s *scribe) wait() { s.busy.Wait() }

func (k *Keeper) keep(job func() error) { k.scribe.add(job) }
