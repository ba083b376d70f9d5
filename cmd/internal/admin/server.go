// Package admin is the operators' door: an HTTP API on a unix socket, and its
// client for the command line. Whoever may open the socket is known by name
// (see PeerFrom); there are no passwords here. The package knows how things
// are asked and answered; what the answers are, the interfaces say that the
// Mount functions take, one file per group of operations.
package admin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"
)

// limits are how long the server waits for a client.
type limits struct {
	header time.Duration // for the head of a request
	read   time.Duration // for a whole request; uploads have their own, see patientBody
	write  time.Duration // from the request's head to the end of the answer
	idle   time.Duration // for the next request
}

var patience = limits{header: 5 * time.Second, read: 30 * time.Second, write: time.Minute, idle: 2 * time.Minute}

// Server is a running door.
type Server struct {
	http *http.Server
	done chan struct{} // closed when no connection is accepted any more
}

// Serve answers at the unix socket path with what is mounted on mux, until
// Shutdown; log may be nil. See Listen for the socket. Only root and the
// daemon's own user are answered; others get a problem of status 403.
func Serve(path string, mux *http.ServeMux, log *slog.Logger) (*Server, error) {
	l, err := Listen(path)
	if err != nil {
		return nil, err
	}
	return start(l, mux, log, patience), nil
}

func start(l net.Listener, mux *http.ServeMux, log *slog.Logger, t limits) *Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Server{done: make(chan struct{}), http: &http.Server{
		Handler:           guard(os.Getuid(), log, problemsFor(mux)),
		ReadHeaderTimeout: t.header,
		ReadTimeout:       t.read,
		WriteTimeout:      t.write,
		IdleTimeout:       t.idle,
		MaxHeaderBytes:    64 << 10,
		ConnContext:       withPeer,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("admin socket closed", "error", err)
		}
	}()
	return s
}

// Shutdown removes the socket and waits for the requests under way; when ctx
// ends before, it cuts them off and returns the error of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.done
	return err
}

// guard lets only those through who may speak here, and turns a panic of a
// handler into an answer.
func guard(own int, log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, ok := PeerFrom(r.Context())
		if !ok || !peer.may(own) {
			writeError(w, &Problem{Status: http.StatusForbidden, Detail: "only root and the user that runs the daemon may use this socket"})
			return
		}
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				log.Error("panic in a handler", "path", r.URL.Path, "panic", p)
				writeError(w, &Problem{Status: http.StatusInternalServerError, Detail: "a mistake in sekisho; its log says more"})
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// problemsFor answers in the one format for errors also where no handler is
// asked: an unknown path, a method that the path does not have.
func problemsFor(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		refused := &statusOnly{header: w.Header()}
		mux.ServeHTTP(refused, r)
		writeError(w, &Problem{Status: refused.status, Detail: r.Method + " " + r.URL.Path})
	})
}

// statusOnly keeps what the mux would have answered, but for the body.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }
func (s *statusOnly) Write(p []byte) (int, error) { return len(p), nil }
