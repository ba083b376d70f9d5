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
	"net/url"
	"strings"
	"time"
)

// ErrUnreachable is what errors.Is finds when no daemon answers at the socket.
var ErrUnreachable = errors.New("the daemon is not reachable")

// UnreachableError says at which socket no daemon answers, and why.
type UnreachableError struct {
	Path string
	Err  error
}

// Error names the socket, the cause and what to do about it.
func (e *UnreachableError) Error() string {
	hint := "is the daemon running? start it with: systemctl start sekisho, or: sekisho serve"
	if errors.Is(e.Err, fs.ErrPermission) {
		hint = "the site file says under admin who may use it: socket-mode, socket-group and roles"
	}
	return fmt.Sprintf("no answer at %s: %v\n%s", e.Path, e.Err, hint)
}

// Unwrap gives ErrUnreachable and the cause.
func (e *UnreachableError) Unwrap() []error { return []error{ErrUnreachable, e.Err} }

// Client asks a daemon. It is safe for concurrent use. Its methods return a
// *Problem when the daemon refuses and an *UnreachableError when there is none.
type Client struct {
	path string
	http *http.Client
}

// Dial makes a client of the daemon at a unix socket. It connects when it is
// asked something, not before.
func Dial(socketPath string) *Client {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return &Client{path: socketPath, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socketPath)
		},
	}}}
}

// Close closes the connections that wait for a next question.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// get asks for path, which is escaped already, and decodes the answer into v.
func (c *Client) get(ctx context.Context, path string, query url.Values, v any) error {
	return c.do(ctx, http.MethodGet, path, query, nil, v)
}

// post sends body, nil for none.
func (c *Client) post(ctx context.Context, path string, query url.Values, body io.Reader, v any) error {
	return c.do(ctx, http.MethodPost, path, query, body, v)
}

func (c *Client) do(ctx context.Context, method, path string, query url.Values, body io.Reader, v any) error {
	resp, err := c.ask(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", c.path, err)
	}
	return nil
}

// ask returns an answer that is none of a problem; its body is the caller's to
// close.
func (c *Client) ask(ctx context.Context, method, path string, query url.Values, body io.Reader) (*http.Response, error) {
	address := "http://sekisho" + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.failure(err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		defer resp.Body.Close()
		return nil, problemIn(resp)
	}
	return resp, nil
}

// failure tells a daemon that is not there from a conversation that broke off.
func (c *Client) failure(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return &UnreachableError{c.path, op.Err}
	}
	var in *url.Error
	if errors.As(err, &in) {
		err = in.Err
	}
	return fmt.Errorf("talking to %s: %w", c.path, err)
}

func problemIn(resp *http.Response) error {
	p := Problem{Status: resp.StatusCode, Title: http.StatusText(resp.StatusCode)}
	if resp.Header.Get("Content-Type") == problemType {
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
			return fmt.Errorf("reading a problem of status %d: %w", resp.StatusCode, err)
		}
	}
	return &p
}

// pathSegment escapes a name as one segment of a path. A segment of dots only
// would be taken for a way up the path.
func pathSegment(name string) string {
	if name == "." || name == ".." {
		return strings.ReplaceAll(name, ".", "%2E")
	}
	return url.PathEscape(name)
}
