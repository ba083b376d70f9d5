package ldapsync

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Connection is a connection to a server, bound and ready. One goroutine reads
// one answer at a time; Probe may be called beside it.
type Connection interface {
	// Search gives the entries as they come.
	Search(context.Context, *ldap.SearchRequest) ldap.Response
	// Syncrepl is a search that goes on; cookie is where it begins.
	Syncrepl(ctx context.Context, r *ldap.SearchRequest, cookie []byte) ldap.Response
	// Probe asks for a sign of life.
	Probe(context.Context) error
	// Lost tells why the connection is there no more, nil where it is.
	Lost() error
	Close()
}

// Dialer connects to a server by its URL.
type Dialer interface {
	Dial(ctx context.Context, server string) (Connection, error)
}

// defaultTimeout is that of Connect.
const defaultTimeout = 30 * time.Second

// buffered is how many entries go-ldap reads ahead.
const buffered = 256

// Dial connects, encrypts and binds as c says.
func (c *Connect) Dial(ctx context.Context, server string) (Connection, error) {
	conn, err := c.dial(ctx, server)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", server, err)
	}
	return conn, nil
}

func (c *Connect) dial(ctx context.Context, server string) (*connection, error) {
	address, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	raw, err := c.open(ctx, address, timeout)
	if err != nil {
		return nil, err
	}
	// go-ldap's own timeout is not set: it drops answers, entries among them, that
	// a reader does not take in time.
	conn := &connection{conn: ldap.NewConn(raw, address.Scheme == "ldaps"), raw: raw}
	conn.conn.Start()
	stop := context.AfterFunc(ctx, conn.Close)
	defer stop()
	if err := c.login(conn.conn, address.Hostname()); err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	return conn, nil
}

// open connects, and encrypts where that comes first.
func (c *Connect) open(ctx context.Context, address *url.URL, timeout time.Duration) (net.Conn, error) {
	network, port := "tcp", "389"
	switch address.Scheme {
	case "ldaps":
		port = "636"
	case "ldapi":
		network = "unix"
	}
	to := address.Path
	if network == "tcp" {
		if address.Port() != "" {
			port = address.Port()
		}
		to = net.JoinHostPort(address.Hostname(), port)
	}
	dialer := net.Dialer{Timeout: timeout}
	conn, err := dialer.DialContext(ctx, network, to)
	if err != nil {
		return nil, err
	}
	conn = &patient{Conn: conn, timeout: timeout}
	if address.Scheme != "ldaps" {
		return conn, nil
	}
	secured := tls.Client(conn, c.tls(address.Hostname()))
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error says it all
		return nil, err
	}
	return secured, nil
}

// tls is the configuration for a server. The name to expect is never left to
// the library: StartTLS does not know whom it has connected to.
func (c *Connect) tls(host string) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLS != nil {
		config = c.TLS.Clone()
	}
	config.ServerName = host
	return config
}

func (c *Connect) login(conn *ldap.Conn, host string) error {
	if c.StartTLS {
		if err := conn.StartTLS(c.tls(host)); err != nil {
			return fmt.Errorf("StartTLS: %w", err)
		}
	}
	switch {
	case c.External:
		if err := conn.ExternalBind(); err != nil {
			return fmt.Errorf("bind by SASL EXTERNAL: %w", err)
		}
	case c.BindDN != "":
		if err := conn.Bind(c.BindDN, string(c.Password)); err != nil {
			return fmt.Errorf("bind as %s: %w", c.BindDN, err)
		}
	}
	return nil
}

// patient gives the other side a while for every read and every write.
type patient struct {
	net.Conn
	timeout time.Duration
}

// Read waits for timeout at most.
func (p *patient) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(p.timeout)); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

// Write waits for timeout at most.
func (p *patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(p.timeout)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

// connection is one of go-ldap's.
type connection struct {
	conn *ldap.Conn
	raw  net.Conn
}

func (c *connection) Search(ctx context.Context, r *ldap.SearchRequest) ldap.Response {
	return c.conn.SearchAsync(ctx, r, buffered)
}

func (c *connection) Syncrepl(ctx context.Context, r *ldap.SearchRequest, cookie []byte) ldap.Response {
	return c.conn.Syncrepl(ctx, r, buffered, ldap.SyncRequestModeRefreshAndPersist, cookie, false)
}

// Probe reads the root DSE, which every server shows to everybody. The read
// ends by the connection's own patience.
func (c *connection) Probe(context.Context) error {
	_, err := c.conn.Search(rootDSE("1.1"))
	return err
}

var errLost = errors.New("connection lost")

// Lost: a search on a connection that has just gone may end like one that has
// found nothing more.
func (c *connection) Lost() error {
	if err := c.conn.GetLastError(); err != nil {
		return err
	}
	if c.conn.IsClosing() {
		return errLost
	}
	return nil
}

// Close does not wait for a server that takes nothing any more.
func (c *connection) Close() {
	_ = c.raw.Close() // there is nothing to lose on it
	_ = c.conn.Close()
}

func rootDSE(attributes ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", attributes, nil)
}
