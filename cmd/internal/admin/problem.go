package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	problemType = "application/problem+json"
	// maxJSON bounds the JSON body of a request, in bytes.
	maxJSON = 1 << 20
)

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
		b.WriteByte('\n')
		if f.Location != "" {
			b.WriteString(f.Location + ": ")
		}
		b.WriteString(f.Message)
	}
	return b.String()
}

func badRequest(detail string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Detail: detail}
}

func unprocessable(detail string) *Problem {
	return &Problem{Status: http.StatusUnprocessableEntity, Detail: detail}
}

// writeError answers with a problem: err itself if it is one, else status 500.
func writeError(w http.ResponseWriter, err error) {
	p := Problem{Status: http.StatusInternalServerError, Detail: err.Error()}
	var known *Problem
	if errors.As(err, &known) {
		p = *known
	}
	if p.Type == "" {
		p.Type = "about:blank"
	}
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	write(w, problemType, p.Status, p)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	write(w, "application/json", status, v)
}

func write(w http.ResponseWriter, contentType string, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that went away has no use for an error
}

// readJSON decodes the body of a request, at most maxJSON bytes, into v. What
// v does not know, and what follows the value, is an error: a misspelt field
// must not be a change that silently does something else.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxJSON))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("there is more after the JSON value")
	}
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return &Problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("at most %d bytes of JSON", tooLarge.Limit)}
	}
	return badRequest("body: " + err.Error())
}

// readQuery gives the parameters of a request and refuses those it does not
// expect: "dryrun=true" must not import.
func readQuery(r *http.Request, expected ...string) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("query: " + err.Error())
	}
	for name := range values {
		if !slices.Contains(expected, name) {
			return nil, badRequest(fmt.Sprintf("unknown parameter %q: expected %s", name, strings.Join(expected, ", ")))
		}
	}
	return values, nil
}
