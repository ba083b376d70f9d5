// Package admin is the operators' door: an HTTP API on a unix socket, and its
// client for the command line. Whoever asks is known by name and has a role
// (see CallerFrom); every operation has the least role that may ask for it (see
// Routes). The package knows how things are asked and answered; what the
// answers are, the interfaces say that the Mount functions take, one file per
// group of operations.
package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
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
	tcp  net.Addr       // nil: none
	done sync.WaitGroup // until no connection is accepted any more
}

// Options are where the door is, and who may come in.
type Options struct {
	Socket string
	Mode   fs.FileMode // of the socket; 0: 0600
	Group  int         // gid of the socket; below 1: the daemon's own
	// Access tells, for every request anew, which role users of the socket
	// have; nil: root and the daemon's own user are admins, others nobody.
	Access func() Access
	// TCP is where programs with tokens are answered; not valid: nowhere.
	TCP netip.AddrPort
	// Certificate gives the certificate for a connection over TCP; nil: no TLS,
	// for which TCP must be a loopback address.
	Certificate func() *tls.Certificate
	Tokens      TokenFinder
	Log         *slog.Logger // nil: nowhere
}

// Serve answers at a unix socket, and over TCP if that is wanted, with the
// operations of routes until Shutdown. See Listen for the socket.
func Serve(routes *Routes, o Options) (*Server, error) {
	var tcp net.Listener
	if o.TCP.IsValid() {
		l, err := listenTCP(o)
		if err != nil {
			return nil, err
		}
		tcp = l
	}
	l, err := Listen(o.Socket, o.Mode, o.Group)
	if err != nil {
		if tcp != nil {
			err = errors.Join(err, tcp.Close())
		}
		return nil, err
	}
	s := start(l, routes, o, patience)
	if tcp != nil {
		s.tcp = tcp.Addr()
		s.serve(tcp, o.Log)
	}
	return s, nil
}

func start(l net.Listener, routes *Routes, o Options, t limits) *Server {
	d := newDoor(routes, o)
	s := &Server{http: &http.Server{
		Handler:           d,
		ReadHeaderTimeout: t.header,
		ReadTimeout:       t.read,
		WriteTimeout:      t.write,
		IdleTimeout:       t.idle,
		MaxHeaderBytes:    64 << 10,
		ConnContext:       withPeer,
		ErrorLog:          slog.NewLogLogger(d.log.Handler(), slog.LevelDebug), // strangers can cause as much of it as they like
	}}
	s.serve(l, d.log)
	return s
}

func (s *Server) serve(l net.Listener, log *slog.Logger) {
	s.done.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) && log != nil {
			log.Error("the door was closed", "address", l.Addr(), "error", err)
		}
	})
}

// TCP is where programs with tokens are answered; nil: nowhere.
func (s *Server) TCP() net.Addr { return s.tcp }

// Shutdown removes the socket and waits for the requests under way; when ctx
// ends before, it cuts them off and returns the error of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	s.done.Wait()
	return err
}
