package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/engine"
	"sekisho/store"
)

// maxPage is the most that a page holds.
const maxPage = 1000

// Contract is an engine.Contract as it travels.
type Contract struct {
	Account string   `json:"account"`
	Course  string   `json:"course"`
	Address string   `json:"address,omitempty"`
	Area    string   `json:"area,omitempty"`
	Segment string   `json:"segment,omitempty"`
	Options []string `json:"options,omitempty"`
	Status  string   `json:"status,omitempty"`
}

// ContractPage is some contracts in the order of their accounts. Next, unless
// empty, is the after of the next page.
type ContractPage struct {
	Contracts []Contract `json:"contracts"`
	Next      string     `json:"next,omitempty"`
}

// ContractReader finds contracts; see store.Store.
type ContractReader interface {
	Contract(account string) (engine.Contract, bool, error)
	Contracts(prefix, after string, limit int) ([]engine.Contract, error)
}

// ContractImporter changes contracts; see store.Store.
type ContractImporter interface {
	ImportContractsFile(_ context.Context, _ store.By, name string, csv io.Reader, _ store.ImportOptions) (store.Report, error)
}

// ContractStore holds the contracts.
type ContractStore interface {
	ContractReader
	ContractImporter
}

// MountContracts serves the subscribers' contracts.
func MountContracts(r *Routes, s ContractStore) {
	ask(r, Viewer, huma.Operation{
		OperationID: "list-contracts", Method: http.MethodGet, Path: "/v1/contracts", Tags: tagContracts,
		Summary: "Contracts in the order of their accounts, by prefix, a page at a time",
	}, func(_ context.Context, in *contractQuery) (ContractPage, error) { return listContracts(in, s) })
	ask(r, Viewer, huma.Operation{
		OperationID: "show-contract", Method: http.MethodGet, Path: "/v1/contracts/{account}", Tags: tagContracts,
		Summary: "The contract of an account, however it is spelled",
	}, func(_ context.Context, in *accountPath) (Contract, error) { return showContract(in.Account, s) })
	mountImport(r, importer{s, uploadPause})
}

type accountPath struct {
	Account string `path:"account" example:"ua700aa007g" doc:"one segment of the path: / is %2F"`
}

// contractQuery asks for a page.
type contractQuery struct {
	Prefix string `query:"prefix" doc:"accounts that begin so"`
	After  string `query:"after" doc:"accounts after this one: the next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"how many at most"`
}

func showContract(account string, s ContractReader) (Contract, error) {
	c, found, err := s.Contract(account)
	if err == nil && !found {
		err = &Problem{Status: http.StatusNotFound, Detail: fmt.Sprintf("there is no contract of account %q", account)}
	}
	return Contract(c), err
}

func listContracts(q *contractQuery, s ContractReader) (ContractPage, error) {
	found, err := s.Contracts(q.Prefix, q.After, q.Limit+1) // one more tells whether there is a next page
	page := ContractPage{Contracts: make([]Contract, 0, len(found))}
	if len(found) > q.Limit {
		found = found[:q.Limit]
		page.Next = engine.Fold(found[q.Limit-1].Account)
	}
	for _, c := range found {
		page.Contracts = append(page.Contracts, Contract(c))
	}
	return page, err
}

// importer reads contracts as CSV from the body of a request.
type importer struct {
	store ContractImporter
	pause time.Duration // the longest within an upload
}

type importQuery struct {
	Why
	Name             string `query:"name" default:"body" doc:"stands for the file in errors"`
	DryRun           bool   `query:"dry-run" doc:"report only"`
	Replace          bool   `query:"replace" doc:"delete the contracts that are not in the file"`
	Diff             int    `query:"diff" minimum:"0" maximum:"1000" doc:"how many changes the report shows"`
	MaxDeletes       int    `query:"max-deletes" minimum:"-1" doc:"refuse to delete more contracts; 0 is no limit, -1 none at all"`
	MaxDeletePercent int    `query:"max-delete-percent" minimum:"-1" maximum:"100" doc:"refuse to delete more of the contracts"`
	MaxChanges       int    `query:"max-changes" minimum:"-1" doc:"refuse to add, change and delete more"`
	MinContracts     int    `query:"min-contracts" minimum:"0" doc:"refuse a file with fewer"`
}

func (q *importQuery) options() store.ImportOptions {
	return store.ImportOptions{DryRun: q.DryRun, Replace: q.Replace, Diff: q.Diff, Guards: store.Guards{
		MaxDeletes: q.MaxDeletes, MaxDeletePercent: q.MaxDeletePercent, MaxChanges: q.MaxChanges, MinContracts: q.MinContracts,
	}}
}

func mountImport(r *Routes, i importer) {
	stream(r, Operator, huma.Operation{
		OperationID: "import-contracts", Method: http.MethodPost, Path: "/v1/contracts/import", Tags: tagContracts,
		Summary:     "Add and change contracts from CSV, all or nothing",
		Description: "A file with mistakes changes nothing; a problem of status 422 lists them with their lines. Status 409 says that a guard refused.",
		RequestBody: csvBody("a header line with account and course at least, and a line for each contract"),
		Responses:   valueOf[store.Report](r, "what was done, or would be"),
	}, i.serve)
}

func (i importer) serve(w http.ResponseWriter, r *http.Request, q *importQuery) error {
	by, err := CallerFrom(r.Context()).because(q.Reason)
	if err != nil {
		return err
	}
	body := newPatientBody(w, r, i.pause)
	report, err := i.store.ImportContractsFile(r.Context(), by, q.Name, body, q.options())
	body.finish()
	if err != nil {
		return importProblem(q.Name, err)
	}
	return writeJSON(w, report)
}

// importProblem gives the error of an import the status that says what it is.
func importProblem(name string, err error) error {
	var wrong *store.ImportError
	var large *http.MaxBytesError
	var guard *store.GuardError
	switch {
	case errors.As(err, &guard):
		return &Problem{Status: http.StatusConflict, Detail: name + ": " + guard.Error()}
	case errors.As(err, &large):
		return &Problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("%s: at most %d bytes", name, large.Limit)}
	case errors.Is(err, store.ErrEmptyReplace):
		return &Problem{Status: http.StatusConflict, Detail: name + ": " + store.ErrEmptyReplace.Error()}
	case errors.As(err, &wrong):
		return wrongRows(name, wrong)
	}
	return err
}

func wrongRows(name string, wrong *store.ImportError) *Problem {
	count := strconv.Itoa(len(wrong.Errs))
	if wrong.More {
		count = "more than " + count
	}
	p := unprocessable(fmt.Sprintf("%s: nothing was imported, errors: %s", name, count))
	for _, err := range wrong.Errs {
		fault := Fault{Message: err.Error()}
		if line := new(store.LineError); errors.As(err, &line) {
			fault = Fault{Location: line.Where(), Message: line.Message}
		}
		p.Errors = append(p.Errors, fault)
	}
	return p
}
