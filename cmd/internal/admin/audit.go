package admin

import (
	"context"
	"encoding/hex"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/store"
)

// AuditReader reads the trail; see store.Store.
type AuditReader interface {
	Audit(store.AuditFilter) (page []store.Entry, next uint64, err error)
	AllAudit(store.AuditFilter) iter.Seq2[store.Entry, error]
	VerifyAudit() (store.AuditReport, error)
}

// trail are the operations on the audit; zone is where dates are meant.
type trail struct {
	store AuditReader
	zone  func() *time.Location
}

// MountAudit serves who changed what.
func MountAudit(r *Routes, s AuditReader, zone func() *time.Location) {
	t := trail{s, zone}
	stream(r, Operator, huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: "/v1/audit", Tags: tagAudit,
		Summary:     "Who changed what, from where and why, a page at a time",
		Description: "With Accept: application/x-ndjson the page is one entry a line, and the Link header names the next one.",
		Responses:   valueOf[AuditPage](r, "a page"),
	}, t.list)
	stream(r, Operator, huma.Operation{
		OperationID: "export-audit", Method: http.MethodGet, Path: "/v1/audit/export", Tags: tagAudit,
		Summary:   "All entries that are meant, one a line",
		Responses: linesOf[AuditEntry](r, "entries"),
	}, t.export)
	ask(r, Operator, huma.Operation{
		OperationID: "verify-audit", Method: http.MethodGet, Path: "/v1/audit/verify", Tags: tagAudit,
		Summary: "Whether the trail is as it was written, and where it is not",
	}, t.verify)
}

// AuditFilter is an AuditQuery as it stands in a query.
type AuditFilter struct {
	From    string `query:"from" doc:"RFC 3339, or a local date or date-time"`
	Until   string `query:"until" doc:"and not from then on"`
	Who     string `query:"who" doc:"or its beginning" example:"alice"`
	Op      string `query:"op" doc:"or what is before its dot" example:"override"`
	Subject string `query:"subject" doc:"or its beginning" example:"ua700aa007g"`
	Newest  bool   `query:"newest" doc:"the last ones first"`
}

func (t trail) filter(in *AuditFilter) (f store.AuditFilter, err error) {
	f = store.AuditFilter{Who: in.Who, Op: in.Op, Subject: in.Subject, Newest: in.Newest}
	for text, at := range map[string]*time.Time{in.From: &f.From, in.Until: &f.Until} {
		if text == "" {
			continue
		}
		if *at, err = Instant(text, t.zone()); err != nil {
			return f, err
		}
	}
	return f, nil
}

type auditListInput struct {
	AuditFilter
	After  uint64 `query:"after" doc:"the next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"how many at most"`
	Accept string `header:"Accept"`
}

func (t trail) list(w http.ResponseWriter, r *http.Request, in *auditListInput) error {
	filter, err := t.filter(&in.AuditFilter)
	if err != nil {
		return err
	}
	filter.After, filter.Limit = in.After, in.Limit
	found, next, err := t.store.Audit(filter)
	if err != nil {
		return err
	}
	page := AuditPage{Entries: make([]AuditEntry, 0, len(found)), Next: next}
	for i := range found {
		page.Entries = append(page.Entries, entryOf(&found[i]))
	}
	if !strings.Contains(in.Accept, linesType) {
		return writeJSON(w, page)
	}
	return writeLines(w, r, page)
}

// writeLines answers with the entries only; where the page ends, the Link
// header says how to go on (RFC 8288).
func writeLines(w http.ResponseWriter, r *http.Request, page AuditPage) error {
	if page.Next != 0 {
		q := r.URL.Query()
		q.Set("after", strconv.FormatUint(page.Next, 10))
		w.Header().Set("Link", "<"+r.URL.Path+"?"+q.Encode()+`>; rel="next"`)
	}
	w.Header().Set("Content-Type", linesType)
	out := newLineWriter(w)
	for _, e := range page.Entries {
		if out.emit(e, false) != nil {
			return nil // a client that went away has no use for an error
		}
	}
	_ = out.flush()
	return nil
}

func (t trail) export(w http.ResponseWriter, r *http.Request, in *AuditFilter) error {
	filter, err := t.filter(in)
	if err != nil {
		return err
	}
	out := newLineWriter(w)
	for e, err := range t.store.AllAudit(filter) {
		if err == nil {
			err = r.Context().Err()
		}
		if err == nil {
			err = out.emit(entryOf(&e), false)
		}
		if err != nil && !out.begun {
			return err
		}
		if err != nil {
			panic(http.ErrAbortHandler) // half a trail must not look like a whole one
		}
	}
	w.Header().Set("Content-Type", linesType) // where there was none
	_ = out.flush()
	return nil
}

func entryOf(e *store.Entry) AuditEntry {
	return AuditEntry{
		Seq: e.Seq, At: e.At, Who: e.Who, From: e.From, Why: e.Why, Op: e.Op, Subject: e.Subject, Before: e.Before, After: e.After,
		Prev: hex.EncodeToString(e.Prev[:]), Hash: hex.EncodeToString(e.Hash[:]),
	}
}

func (t trail) verify(context.Context, *none) (AuditReport, error) {
	found, err := t.store.VerifyAudit()
	if err != nil {
		return AuditReport{}, err
	}
	report := AuditReport{
		OK: found.OK(), Entries: found.Entries, First: found.First, Last: found.Last, Head: hex.EncodeToString(found.Head[:]),
		Faults: []AuditFault{}, More: found.More,
	}
	for _, f := range found.Faults {
		report.Faults = append(report.Faults, AuditFault(f))
	}
	return report, nil
}
