package admin

import (
	"context"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/store"
)

// OverrideFiles are overrides as CSV; see store.Store.
type OverrideFiles interface {
	AllOverrides(store.OverrideFilter) iter.Seq2[store.Override, error]
	ImportOverridesFile(_ context.Context, _ store.By, name string, csv io.Reader, zone *time.Location, _ store.ImportOptions) (store.Report, error)
}

type overrideImportQuery struct {
	Why
	Name       string `query:"name" default:"body" doc:"stands for the file in errors"`
	DryRun     bool   `query:"dry-run" doc:"report only"`
	Force      bool   `query:"force" doc:"also for accounts without a contract"`
	MaxChanges int    `query:"max-changes" minimum:"-1" doc:"refuse to make more; 0 is no limit"`
}

func (o overrides) mountFiles(r *Routes, files OverrideFiles) {
	stream(r, Operator, huma.Operation{
		OperationID: "import-overrides", Method: http.MethodPost, Path: "/v1/overrides/import", Tags: tagOverrides,
		Summary: "Grant and restrict from CSV, all or nothing",
		Description: "A row with a key that was used for the same, or that says what stands already, changes nothing: the same file may be " +
			"sent twice. A file with mistakes changes nothing; a problem of status 422 lists them with their lines.",
		RequestBody: csvBody("a header line with account, kind, action and reason at least, beside ticket, from, until, area, nas and key; a line for each override"),
		Responses:   valueOf[OverrideReport](r, "what was done, or would be"),
	}, func(w http.ResponseWriter, r *http.Request, q *overrideImportQuery) error {
		return o.importFile(w, r, q, files)
	})
	stream(r, Viewer, huma.Operation{
		OperationID: "export-overrides", Method: http.MethodGet, Path: "/v1/overrides/export", Tags: tagOverrides,
		Summary:   "Overrides as CSV",
		Responses: answers("text/csv", "what an import reads, and what the store adds"),
	}, func(w http.ResponseWriter, r *http.Request, in *OverrideFilter) error {
		return o.export(w, r, in, files)
	})
}

func (o overrides) importFile(w http.ResponseWriter, r *http.Request, q *overrideImportQuery, files OverrideFiles) error {
	by, err := CallerFrom(r.Context()).because(q.Reason)
	if err != nil {
		return err
	}
	body := newPatientBody(w, r, uploadPause)
	report, err := files.ImportOverridesFile(r.Context(), by, q.Name, body, o.advisor.Now().Location(), store.ImportOptions{
		DryRun: q.DryRun,
		Guards: store.Guards{MaxChanges: q.MaxChanges},
		Settle: func(row *store.Override) error { return o.advisor.SettleRow(row, q.Force) },
	})
	body.finish()
	if err != nil {
		return importProblem(q.Name, err)
	}
	return writeJSON(w, OverrideReport{Added: report.Added, Existed: report.Unchanged})
}

func (o overrides) export(w http.ResponseWriter, r *http.Request, in *OverrideFilter, files OverrideFiles) error {
	filter, err := o.filter(in)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	if err := store.WriteOverrides(newPatientWriter(w), until(r.Context(), files.AllOverrides(filter))); err != nil {
		panic(http.ErrAbortHandler) // half a file must not look like a whole one
	}
	return nil
}

// until ends a walk with an error when nobody waits for it any more.
func until(ctx context.Context, all iter.Seq2[store.Override, error]) iter.Seq2[store.Override, error] {
	return func(yield func(store.Override, error) bool) {
		for o, err := range all {
			if err == nil {
				err = ctx.Err()
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}
