package admin

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"
)

// door is what every request passes, before its operation sees it.
type door struct {
	routes  *Routes
	access  func() Access
	tokens  TokenFinder
	log     *slog.Logger
	refused refusals
}

func newDoor(routes *Routes, o Options) *door {
	d := &door{routes: routes, access: o.Access, tokens: o.Tokens, log: o.Log}
	if d.access == nil {
		d.access = func() Access { return Access{Own: os.Getuid()} }
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	d.refused.log, d.refused.now = d.log, time.Now
	return d
}

// ServeHTTP finds out who asks for what, lets them through if they may, and
// turns a panic of an operation into an answer.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			d.log.Error("panic in a handler", "path", r.URL.Path, "panic", p)
			writeError(w, &Problem{Status: http.StatusInternalServerError, Detail: "a mistake in sekisho; its log says more"})
		}
	}()
	caller, unknown := d.identify(r)
	op, found := d.routes.of(r)
	if err := refuse(caller, unknown, op, found); err != nil {
		turnAway(w, err)
		return
	}
	if !found {
		d.notFound(w, r)
		return
	}
	d.routes.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
}

// refuse tells why a caller may not ask for an operation. What there is and
// what not is the business of those who have a role.
func refuse(c Caller, unknown *Problem, op Operation, found bool) *Problem {
	need := op.Role
	if !found {
		need = Viewer
	}
	switch {
	case c.Role >= need:
		return nil
	case unknown != nil:
		return unknown
	case c.Role == Anybody:
		return &Problem{Status: http.StatusForbidden, Detail: fmt.Sprintf("%s has no role here; root can give one in the site file under admin.roles", c.Who)}
	}
	return &Problem{Status: http.StatusForbidden, Detail: fmt.Sprintf("%s needs the role %s, and %s has %s", op.ID, need, c.Who, c.Role)}
}

func turnAway(w http.ResponseWriter, p *Problem) {
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sekisho"`)
	}
	w.Header().Set("Connection", "close") // what else it meant to send is not read
	writeError(w, p)
}

// notFound answers in the one format for errors also where no operation is
// asked for: an unknown path, a method that the path does not have.
func (d *door) notFound(w http.ResponseWriter, r *http.Request) {
	refused := &statusOnly{header: w.Header()}
	d.routes.mux.ServeHTTP(refused, r)
	writeError(w, &Problem{Status: refused.status, Detail: r.Method + " " + r.URL.Path})
}

// statusOnly keeps what the mux would have answered, but for the body.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }
func (s *statusOnly) Write(p []byte) (int, error) { return len(p), nil }
