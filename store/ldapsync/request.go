package ldapsync

import (
	"context"
	"errors"

	"sekisho/store"
)

// Report is what a run did, or would do.
type Report struct {
	store.DirectoryReport
	Unmappable int             `json:"unmappable"` // entries of which no contract could be made
	Unmapped   []Unmapped      `json:"unmapped,omitempty"`
	Courses    []UnknownCourse `json:"unknown_courses,omitempty"`
}

// maxShown is how many unmapped entries a report lists.
const maxShown = 100

// RunOptions say what a run on demand does.
type RunOptions struct {
	Full   bool // compare everything; without it what has changed
	DryRun bool // report only; always of everything
	Diff   int  // how many changes the report shows
	// Progress is told how many entries were read so far, by another goroutine.
	Progress func(entries int)
}

// request is what somebody asks of Run.
type request struct {
	full, dry bool
	diff      int
	progress  func(int)
	do        func() error // instead of a session
	report    Report
	done      chan error
}

// answer ends a request; nil is none.
func (r *request) answer(err error) {
	if r == nil {
		return
	}
	if errors.Is(err, errInterrupted) {
		err = nil
	}
	select {
	case r.done <- err:
	default: // it was answered before the session went on
	}
}

var errEnded = errors.New("the directory is not followed any more")

// ask hands a request to Run and waits for its answer.
func (s *Syncer) ask(ctx context.Context, r *request) error {
	r.done = make(chan error, 1)
	select {
	case s.requests <- r:
	case <-s.ended:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-s.ended:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Sync brings the contracts up to date now. It waits for a reading that is under
// way. Errors: those of store.ApplyDirectory, of the server, and of ctx, whose
// end does not stop the run.
func (s *Syncer) Sync(ctx context.Context, o RunOptions) (Report, error) {
	r := &request{full: o.Full || o.DryRun, dry: o.DryRun, diff: o.Diff, progress: o.Progress}
	err := s.ask(ctx, r)
	if ctx.Err() != nil || errors.Is(err, errEnded) {
		return Report{}, err // r may still be written to
	}
	return r.report, err
}

// Approve makes the changes that are held; see store.ApproveDirectory.
func (s *Syncer) Approve(ctx context.Context, by store.By, id string, keepOverrides bool) (report store.DirectoryReport, err error) {
	err = s.instead(ctx, false, func() error {
		report, err = s.store.ApproveDirectory(ctx, by, Source, id, store.ApproveOptions{KeepOverrides: keepOverrides, Grace: s.config.Times.Grace > 0})
		if err == nil {
			s.succeeded(report)
		}
		return err
	})
	return report, err
}

// Drop forgets what is held, and compares anew.
func (s *Syncer) Drop(ctx context.Context, by store.By, id string) error {
	return s.instead(ctx, true, func() error { return s.store.DropHeld(by, Source, id) })
}

// instead does something between two sessions; one under way while changes are
// held is only looking whether they still are what the directory says, and ends.
// full: everything has to be compared then.
func (s *Syncer) instead(ctx context.Context, full bool, do func() error) error {
	if state, err := s.store.Directory(Source); err != nil {
		return err
	} else if state.Held != nil {
		s.mu.Lock()
		if s.cancel != nil {
			s.cancel()
		}
		s.mu.Unlock()
	}
	return s.ask(ctx, &request{do: do, full: full})
}

// serve makes a plan of a request, or does at once what needs no session.
func (s *Syncer) serve(_ context.Context, r *request) plan {
	if r.do != nil {
		r.done <- r.do()
		return plan{full: r.full}
	}
	return plan{full: r.full, asker: r}
}

func (s *Syncer) progress(entries int) {
	s.mu.Lock()
	s.status.Read = entries
	watching := s.watching
	s.mu.Unlock()
	if watching != nil && watching.progress != nil {
		watching.progress(entries)
	}
}
