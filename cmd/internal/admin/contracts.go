package admin

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"sekisho/engine"
	"sekisho/store"
)

const (
	defaultPage = 100
	maxPage     = 1000
)

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
	ImportContracts(context.Context, iter.Seq2[engine.Contract, error], store.ImportOptions) (store.Report, error)
}

// ContractStore holds the contracts.
type ContractStore interface {
	ContractReader
	ContractImporter
}

// MountContracts serves GET /v1/contracts, GET /v1/contracts/{account} and
// POST /v1/contracts/import.
func MountContracts(mux *http.ServeMux, s ContractStore) {
	mux.HandleFunc("GET /v1/contracts", func(w http.ResponseWriter, r *http.Request) { answer(w, r, s, listContracts) })
	mux.HandleFunc("GET /v1/contracts/{account}", func(w http.ResponseWriter, r *http.Request) { answer(w, r, s, showContract) })
	mux.Handle("POST /v1/contracts/import", importer{s, uploadPause})
}

// answer writes what a reading operation returns.
func answer[T any](w http.ResponseWriter, r *http.Request, s ContractReader, operation func(*http.Request, ContractReader) (T, error)) {
	v, err := operation(r, s)
	if err != nil {
		writeError(w, unavailable(err))
		return
	}
	writeJSON(w, http.StatusOK, v)
}

func showContract(r *http.Request, s ContractReader) (Contract, error) {
	account := r.PathValue("account")
	c, found, err := s.Contract(account)
	if err == nil && !found {
		err = &Problem{Status: http.StatusNotFound, Detail: fmt.Sprintf("there is no contract of account %q", account)}
	}
	return Contract(c), err
}

func listContracts(r *http.Request, s ContractReader) (ContractPage, error) {
	q, err := readQuery(r, "prefix", "after", "limit")
	if err != nil {
		return ContractPage{}, err
	}
	limit, err := pageLimit(q)
	if err != nil {
		return ContractPage{}, err
	}
	found, err := s.Contracts(q.Get("prefix"), q.Get("after"), limit+1) // one more tells whether there is a next page
	page := ContractPage{Contracts: make([]Contract, 0, len(found))}
	if len(found) > limit {
		found = found[:limit]
		page.Next = engine.Fold(found[limit-1].Account)
	}
	for _, c := range found {
		page.Contracts = append(page.Contracts, Contract(c))
	}
	return page, err
}

func pageLimit(q url.Values) (int, error) {
	if !q.Has("limit") {
		return defaultPage, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 || n > maxPage {
		return 0, badRequest(fmt.Sprintf("limit: expected a number from 1 to %d, got %q", maxPage, q.Get("limit")))
	}
	return n, nil
}

// importer reads contracts as CSV from the body of a request.
type importer struct {
	store ContractImporter
	pause time.Duration // the longest within an upload
}

func (i importer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, opts, err := importQuery(r)
	if err != nil {
		writeError(w, err)
		return
	}
	body := newPatientBody(w, r, i.pause)
	report, err := i.store.ImportContracts(r.Context(), store.ReadContracts(name, body), opts)
	body.finish()
	if err != nil {
		writeError(w, unavailable(importProblem(name, err)))
		return
	}
	writeJSON(w, http.StatusOK, report)
}

func importQuery(r *http.Request) (name string, opts store.ImportOptions, err error) {
	q, err := readQuery(r, "dry-run", "replace", "name")
	if err != nil {
		return "", opts, err
	}
	name = q.Get("name")
	if name == "" {
		name = "body"
	}
	for key, value := range map[string]*bool{"dry-run": &opts.DryRun, "replace": &opts.Replace} {
		if !q.Has(key) {
			continue
		}
		if *value, err = strconv.ParseBool(q.Get(key)); err != nil {
			return "", opts, badRequest(fmt.Sprintf("%s: expected true or false, got %q", key, q.Get(key)))
		}
	}
	return name, opts, nil
}

// importProblem gives the error of an import the status that says what it is.
func importProblem(name string, err error) error {
	var wrong *store.ImportError
	var large *http.MaxBytesError
	switch {
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

// unavailable says that the daemon is going down, where that is the reason.
func unavailable(err error) error {
	if errors.Is(err, store.ErrClosed) {
		return &Problem{Status: http.StatusServiceUnavailable, Detail: "the daemon is shutting down"}
	}
	return err
}
