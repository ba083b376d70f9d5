package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/store"
	"sekisho/store/ldapsync"
)

// Directory is what follows a directory; see ldapsync.Syncer.
type Directory interface {
	Status() ldapsync.Status
	Unmapped(n int) []ldapsync.Unmapped
	Sync(context.Context, ldapsync.RunOptions) (ldapsync.Report, error)
	Approve(ctx context.Context, by store.By, id string, keepOverrides bool) (store.DirectoryReport, error)
	Drop(ctx context.Context, by store.By, id string) error
}

// HeldReader shows what is held; see store.Store.
type HeldReader interface {
	HeldChanges(source, id, after string, limit int) (store.Held, []store.ContractChange, string, error)
}

// directorySync are the operations on the directory; of gives nil where none is
// followed.
type directorySync struct {
	of   func() Directory
	held HeldReader
	now  func() time.Time
}

// MountSync serves how the directory is followed, and lets it be told.
func MountSync(r *Routes, of func() Directory, held HeldReader, now func() time.Time) {
	d := directorySync{of, held, now}
	ask(r, Viewer, huma.Operation{
		OperationID: "sync-status", Method: http.MethodGet, Path: "/v1/sync", Tags: tagSync,
		Summary: "How the directory is followed, and what is odd in it",
	}, d.status)
	stream(r, Operator, huma.Operation{
		OperationID: "sync-run", Method: http.MethodPost, Path: "/v1/sync/run", Tags: tagSync,
		Summary:     "Bring the contracts up to date now",
		Description: "Answers with one JSON object a line: how many entries were read, then the report or a problem. Status 409 says that a guard refused.",
		Responses:   linesOf[SyncLine](r, "lines, of which the last one has the report or a problem"),
	}, func(w http.ResponseWriter, r *http.Request, in *body[SyncQuestion]) error {
		return d.run(w, r, in.Body)
	})
	ask(r, Viewer, huma.Operation{
		OperationID: "sync-held", Method: http.MethodGet, Path: "/v1/sync/held", Tags: tagSync,
		Summary: "The changes that are held, in the order of accounts",
	}, d.changes)
	ask(r, Operator, huma.Operation{
		OperationID: "sync-approve", Method: http.MethodPost, Path: "/v1/sync/held/{id}/approve", Tags: tagSync,
		Summary:     "Make the changes that are held",
		Description: "Exactly those, or none: status 412 says that the directory has changed and something else is held, or that contracts have.",
	}, d.approve)
	ask(r, Operator, huma.Operation{
		OperationID: "sync-drop", Method: http.MethodPost, Path: "/v1/sync/held/{id}/drop", Tags: tagSync,
		Summary: "Forget the changes that are held, and compare anew",
	}, d.drop)
}

func (d directorySync) directory() (Directory, error) {
	if f := d.of(); f != nil {
		return f, nil
	}
	return nil, &Problem{Status: http.StatusNotFound, Detail: "no directory is followed: the site file has no section ldap"}
}

type syncStatusQuery struct {
	Unmapped int `query:"unmapped" minimum:"0" maximum:"1000" doc:"list so many entries of which no contract can be made"`
}

func (d directorySync) status(_ context.Context, q *syncStatusQuery) (SyncStatus, error) {
	f := d.of()
	if f == nil {
		return SyncStatus{}, nil
	}
	s := syncStatusOf(f.Status(), d.now())
	s.UnmappedEntries = f.Unmapped(q.Unmapped)
	return s, nil
}

// restless is how often somebody who waits is told that it goes on.
const restless = 10 * time.Second

func (d directorySync) run(w http.ResponseWriter, r *http.Request, q SyncQuestion) error {
	f, err := d.directory()
	if err != nil {
		return err
	}
	read, last := make(chan int, 1), 0
	type outcome struct {
		report ldapsync.Report
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		report, err := f.Sync(r.Context(), ldapsync.RunOptions{Full: q.Full, DryRun: q.DryRun, Diff: q.Diff, Progress: func(n int) {
			select {
			case read <- n:
			default: // the one before is not sent yet
			}
		}})
		done <- outcome{report, err}
	}()
	out := newLineWriter(w)
	again := time.NewTicker(restless)
	defer again.Stop()
	for {
		select {
		case last = <-read:
			err = out.emit(SyncLine{Read: last}, true)
		case <-again.C:
			err = out.emit(SyncLine{Read: last}, true)
		case o := <-done:
			return lastLine(out, o.report, o.err)
		}
		if err != nil {
			return nil // nobody listens any more; the run goes on
		}
	}
}

// lastLine ends with the report, or with what went wrong.
func lastLine(out *lineWriter, report ldapsync.Report, err error) error {
	line := SyncLine{Report: (*SyncReport)(&report)}
	if err != nil {
		problem := syncProblem(err)
		if !out.begun {
			return problem
		}
		line = SyncLine{Problem: asProblem(problem)}
	}
	if err := out.emit(line, true); err != nil && !out.begun {
		return err
	}
	return nil
}

type heldQuery struct {
	After string `query:"after" doc:"accounts after this one: the next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"how many at most"`
}

func (d directorySync) changes(_ context.Context, q *heldQuery) (HeldPage, error) {
	held, changes, next, err := d.held.HeldChanges(ldapsync.Source, "", q.After, q.Limit)
	if errors.Is(err, store.ErrNotFound) {
		return HeldPage{Changes: []store.ContractChange{}}, nil
	}
	if changes == nil {
		changes = []store.ContractChange{}
	}
	return HeldPage{Held: heldOf(&held), Changes: changes, Next: next}, err
}

type approvalOf struct {
	ID   string `path:"id" doc:"of what is held"`
	Body Approval
}

func (d directorySync) approve(ctx context.Context, in *approvalOf) (store.DirectoryReport, error) {
	f, err := d.directory()
	if err != nil {
		return store.DirectoryReport{}, err
	}
	by := CallerFrom(ctx).by()
	by.Why = in.Body.Reason
	report, err := f.Approve(ctx, by, in.ID, in.Body.KeepOverrides)
	return report, syncProblem(err)
}

type dropOf struct {
	ID   string `path:"id" doc:"of what is held"`
	Body Reason
}

// Dropped is the answer when nothing is held any more.
type Dropped struct {
	ID string `json:"id"`
}

func (d directorySync) drop(ctx context.Context, in *dropOf) (Dropped, error) {
	f, err := d.directory()
	if err != nil {
		return Dropped{}, err
	}
	by := CallerFrom(ctx).by()
	by.Why = in.Body.Reason
	return Dropped{in.ID}, syncProblem(f.Drop(ctx, by, in.ID))
}

// syncProblem gives an error of a sync the status that says what it is.
func syncProblem(err error) error {
	var held *store.HeldError
	var guard *store.GuardError
	status := 0
	switch {
	case err == nil:
		return nil
	case errors.As(err, &held):
		return &Problem{Status: http.StatusConflict, Detail: held.Error()}
	case errors.As(err, &guard):
		return &Problem{Status: http.StatusConflict, Detail: "refused by " + guard.Text()}
	case errors.Is(err, store.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, store.ErrVersion), errors.Is(err, store.ErrHeldChanged):
		status = http.StatusPreconditionFailed
	case errors.Is(err, store.ErrClosed), errors.Is(err, store.ErrFull), errors.Is(err, store.ErrDamaged):
		return err
	default:
		status = http.StatusBadGateway
	}
	return &Problem{Status: status, Detail: err.Error()}
}
