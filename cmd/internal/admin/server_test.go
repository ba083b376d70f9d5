package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"
)

// doorOf serves what mount mounts at a socket of the test.
func doorOf(t *testing.T, mount func(*Routes)) (*Client, string) {
	t.Helper()
	return doorWith(t, patience, mount)
}

func doorWith(t *testing.T, l limits, mount func(*Routes)) (*Client, string) {
	t.Helper()
	path := socketName(t)
	routes := NewRoutes()
	routes.read = l.read
	mount(routes)
	listener, err := Listen(path, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := start(listener, routes, Options{}, l)
	c := Dial(path)
	t.Cleanup(func() {
		c.Close()
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c, path
}

// socketName is short: the names of t.TempDir can be longer than a socket's.
func socketName(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "door")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// serving mounts one operation that is a plain handler.
func serving(pattern string, h http.HandlerFunc) func(*Routes) {
	return func(r *Routes) {
		method, path, _ := strings.Cut(pattern, " ")
		stream(r, Viewer, huma.Operation{OperationID: path, Method: method, Path: path}, func(w http.ResponseWriter, r *http.Request, _ *none) error {
			h(w, r)
			return nil
		})
	}
}

// serveOnce asks a handler without a network for a problem.
func serveOnce(ctx context.Context, t *testing.T, h http.Handler, method, path string) Problem {
	t.Helper()
	w := &answerOf{header: http.Header{}}
	r, err := http.NewRequestWithContext(ctx, method, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.ServeHTTP(w, r)
	var p Problem
	if err := json.Unmarshal([]byte(w.body.String()), &p); err != nil {
		t.Fatalf("%q: %v", w.body.String(), err)
	}
	if got := w.header.Get("Content-Type"); got != problemType || w.status != p.Status {
		t.Errorf("status %d, type %q: %+v", w.status, got, p)
	}
	return p
}

type answerOf struct {
	header http.Header
	status int
	body   strings.Builder
}

func (a *answerOf) Header() http.Header         { return a.header }
func (a *answerOf) WriteHeader(status int)      { a.status = status }
func (a *answerOf) Write(p []byte) (int, error) { return a.body.Write(p) }

func TestEveryErrorIsAProblem(t *testing.T) {
	t.Parallel()
	routes := NewRoutes()
	ask(routes, Viewer, huma.Operation{Method: "GET", Path: "/known"}, func(context.Context, *none) (string, error) {
		return "", errors.New("disk full")
	})
	ask(routes, Viewer, huma.Operation{Method: "GET", Path: "/problem"}, func(context.Context, *none) (string, error) {
		return "", fmt.Errorf("wrapped: %w", &Problem{Status: 409, Title: "Too many deletes", Errors: []Fault{{Location: "a:1", Message: "m"}}})
	})
	root := context.WithValue(t.Context(), peerKey{}, Peer{})
	tests := []struct {
		name, method, path string
		want               Problem
	}{
		{"unknown path", "GET", "/nowhere", Problem{Type: "about:blank", Title: "Not Found", Status: 404, Detail: "GET /nowhere"}},
		{"another method", "DELETE", "/known", Problem{Type: "about:blank", Title: "Method Not Allowed", Status: 405, Detail: "DELETE /known"}},
		{"any error", "GET", "/known", Problem{Type: "about:blank", Title: "Internal Server Error", Status: 500, Detail: "disk full"}},
		{"a problem", "GET", "/problem", Problem{Type: "about:blank", Title: "Too many deletes", Status: 409, Errors: []Fault{{Location: "a:1", Message: "m"}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := serveOnce(root, t, newDoor(routes, Options{}), test.method, test.path)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPanicOfAHandlerIsAProblem(t *testing.T) {
	t.Parallel()
	c, _ := doorOf(t, serving("GET /panic", func(http.ResponseWriter, *http.Request) { panic("oh") }))
	var problem *Problem
	if err := c.get(t.Context(), "/panic", nil, nil); !errors.As(err, &problem) || problem.Status != http.StatusInternalServerError {
		t.Errorf("error %v", err)
	}
}

// TestSlowClientsAreCutOff sends less than a request and waits for the end,
// which only one of the limits brings about.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	const short = 20 * time.Millisecond
	tests := []struct {
		name, sent string
		limit      func(*limits) *time.Duration
	}{
		{"nothing", "", func(l *limits) *time.Duration { return &l.header }},
		{"half a head", "POST / HTTP/1.1\r\nHost: x\r\n", func(l *limits) *time.Duration { return &l.header }},
		{"half a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf", func(l *limits) *time.Duration { return &l.read }},
		{"no further request", "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", func(l *limits) *time.Duration { return &l.idle }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := limits{header: time.Hour, read: time.Hour, write: time.Hour, idle: time.Hour}
			*test.limit(&l) = short
			_, path := doorWith(t, l, serving("POST /", func(w http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				writeError(w, badRequest(fmt.Sprint(err)))
			}))
			conn, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, test.sent); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the server waits for ever")
			}
		})
	}
}

// TestATricklingBodyIsCutOff sends an octet whenever the one before has gone,
// which no limit on a pause would end.
func TestATricklingBodyIsCutOff(t *testing.T) {
	t.Parallel()
	l := limits{header: time.Hour, read: 50 * time.Millisecond, write: time.Hour, idle: time.Hour}
	c, _ := doorWith(t, l, func(r *Routes) {
		ask(r, Viewer, huma.Operation{Method: "POST", Path: "/x"}, func(_ context.Context, in *body[reasonBody]) (reasonBody, error) {
			t.Error("the operation was asked")
			return in.Body, nil
		})
	})
	err := c.post(t.Context(), "/x", nil, endless{}, nil)
	if err == nil || statusOf(err) != 0 && statusOf(err) != http.StatusRequestTimeout {
		t.Errorf("got %v", err)
	}
}

// endless is a JSON text that never ends, a blank every millisecond.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	<-time.After(time.Millisecond)
	b[0] = ' '
	return 1, nil
}

func TestShutdownFinishesRequestsUnderWay(t *testing.T) {
	t.Parallel()
	path, asked, goOn := socketName(t), make(chan struct{}), make(chan struct{})
	routes := NewRoutes()
	ask(routes, Viewer, huma.Operation{Method: "GET", Path: "/slow"}, func(context.Context, *none) (string, error) {
		close(asked)
		<-goOn
		return "done", nil
	})
	s, err := Serve(routes, Options{Socket: path})
	if err != nil {
		t.Fatal(err)
	}
	c, answered := Dial(path), make(chan error, 1)
	go func() {
		var text string
		answered <- c.get(context.Background(), "/slow", nil, &text)
	}()
	<-asked
	over, cancel := context.WithCancel(t.Context())
	cancel()
	soon := make(chan error, 1)
	go func() { soon <- s.http.Shutdown(t.Context()) }() // waits for the request
	close(goOn)
	if err := errors.Join(<-answered, <-soon); err != nil {
		t.Error(err)
	}
	if err := s.Shutdown(over); err != nil {
		t.Errorf("with nothing under way: %v", err)
	}
	if err := c.get(t.Context(), "/slow", nil, nil); !errors.Is(err, ErrUnreachable) {
		t.Errorf("after Shutdown: %v", err)
	}
}

func TestShutdownCutsOffWhenItsTimeIsUp(t *testing.T) {
	t.Parallel()
	path, asked := socketName(t), make(chan struct{})
	routes := NewRoutes()
	ask(routes, Viewer, huma.Operation{Method: "GET", Path: "/endless"}, func(ctx context.Context, _ *none) (string, error) {
		close(asked)
		<-ctx.Done()
		return "", ctx.Err()
	})
	s, err := Serve(routes, Options{Socket: path})
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() { answered <- Dial(path).get(context.Background(), "/endless", nil, nil) }()
	<-asked
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(over); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-answered; err == nil || errors.Is(err, ErrUnreachable) {
		t.Errorf("the request under way: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	dead := socketName(t)
	listenUnix(t, dead).Close()
	for name, path := range map[string]string{"no socket": socketName(t), "dead socket": dead} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := Dial(path).get(t.Context(), "/", nil, nil)
			var unreachable *UnreachableError
			if !errors.Is(err, ErrUnreachable) || !errors.As(err, &unreachable) || unreachable.Path != path {
				t.Fatalf("error %v", err)
			}
			for _, part := range []string{path, "is the daemon running? start it with"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
		})
	}
	denied := &UnreachableError{"/s", fs.ErrPermission}
	if !strings.Contains(denied.Error(), "socket-mode, socket-group and roles") {
		t.Errorf("without permission: %q", denied)
	}
}
