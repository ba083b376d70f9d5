package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/store"
)

const problemType = "application/problem+json"

// Problem is an error as it travels (RFC 9457), and as handlers and the client
// return it. The status carries the meaning: 404 not found, 409 refused by a
// guard, 422 understood but wrong.
type Problem struct {
	Type   string  `json:"type"`  // about:blank where empty
	Title  string  `json:"title"` // the text of the status where empty
	Status int     `json:"status"`
	Detail string  `json:"detail,omitempty"`
	Errors []Fault `json:"errors,omitempty"`
}

// Fault is one of several things that are wrong.
type Fault struct {
	Location string `json:"location,omitempty"` // such as FILE:LINE:COLUMN
	Message  string `json:"message"`
}

// Error gives the detail, or the title without one, and each fault on a line.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Detail)
	if p.Detail == "" {
		b.WriteString(p.Title)
	}
	for _, f := range p.Errors {
		b.WriteString("\n" + f.String())
	}
	return b.String()
}

// String is the fault on one line.
func (f Fault) String() string {
	if f.Location == "" {
		return f.Message
	}
	return f.Location + ": " + f.Message
}

func badRequest(detail string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Detail: detail}
}

func unprocessable(detail string) *Problem {
	return &Problem{Status: http.StatusUnprocessableEntity, Detail: detail}
}

// GetStatus and ContentType are what huma asks an error for.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType says that this JSON is a problem.
func (p *Problem) ContentType(string) string { return problemType }

// What huma finds wrong by itself, parameters and bodies that are not as the
// document says, travels as our problems do. It has no other place to say so.
func init() {
	huma.ValidateStrictCasing = true // else "reason" and "Reason" may both stand there, and the last one counts
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return refusal(status, message, errs)
	}
}

// refusal is a problem of what huma found. A question that is not one is 400;
// 422 is for what was understood and is wrong.
func refusal(status int, message string, errs []error) *Problem {
	switch status {
	case http.StatusUnprocessableEntity:
		status = http.StatusBadRequest
	case http.StatusRequestEntityTooLarge:
		message = fmt.Sprintf("at most %d bytes of JSON", maxJSON)
	}
	p := &Problem{Status: status, Detail: message}
	for _, err := range errs {
		if err == nil {
			continue
		}
		fault := Fault{Message: err.Error()}
		if known := huma.ErrorDetailer(nil); errors.As(err, &known) {
			detail := known.ErrorDetail() // its value stays here: it may be a secret, or long
			fault = Fault{Location: detail.Location, Message: detail.Message}
		}
		p.Errors = append(p.Errors, fault)
	}
	return p.single().whole()
}

// single makes the only fault the detail, for those who read no further.
func (p *Problem) single() *Problem {
	if len(p.Errors) == 1 {
		p.Detail, p.Errors = p.Errors[0].String(), nil
	}
	return p
}

// whole fills in what a problem has left to its status.
func (p *Problem) whole() *Problem {
	q := *p
	if q.Type == "" {
		q.Type = "about:blank"
	}
	if q.Title == "" {
		q.Title = http.StatusText(q.Status)
	}
	return &q
}

// asProblem makes any error a problem: itself if it is one, else of the status
// that says what it is, else 500.
func asProblem(err error) *Problem {
	var known *Problem
	if errors.As(err, &known) {
		return known.whole()
	}
	var fields store.FieldErrors
	if errors.As(err, &fields) {
		return ofFields(fields).whole()
	}
	for _, e := range statuses {
		if errors.Is(err, e.err) {
			return (&Problem{Status: e.status, Detail: err.Error()}).whole()
		}
	}
	if errors.Is(err, store.ErrClosed) {
		return (&Problem{Status: http.StatusServiceUnavailable, Detail: "the daemon is shutting down"}).whole()
	}
	return (&Problem{Status: http.StatusInternalServerError, Detail: err.Error()}).whole()
}

// statuses are what the store's errors are in HTTP.
var statuses = []struct {
	err    error
	status int
}{
	{store.ErrNotFound, http.StatusNotFound},
	{store.ErrVersion, http.StatusPreconditionFailed},
	{store.ErrRevoked, http.StatusConflict},
	{store.ErrEnded, http.StatusConflict},
	{store.ErrExists, http.StatusConflict},
	{store.ErrTooMany, http.StatusConflict},
	{store.ErrKeyUsed, http.StatusUnprocessableEntity},
	{store.ErrFull, http.StatusInsufficientStorage},
}

func ofFields(fields store.FieldErrors) *Problem {
	p := unprocessable("nothing was changed")
	for _, f := range fields {
		p.Errors = append(p.Errors, Fault{Location: f.Field, Message: f.Message})
	}
	return p.single()
}

// writeError answers with a problem.
func writeError(w http.ResponseWriter, err error) {
	p := asProblem(err)
	body, err := json.Marshal(p)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // a client that went away has no use for an error
}
