package admin

import (
	"bytes"
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

// UnreachableError says at which socket or server no daemon answers, and why.
type UnreachableError struct {
	Path string
	Err  error
}

// Error names the socket, the cause and what to do about it.
func (e *UnreachableError) Error() string {
	hint := "is the daemon running? start it with: systemctl start sekisho, or: sekisho serve"
	switch {
	case strings.Contains(e.Path, "://"):
		hint = "is it the daemon's admin.listen address, and does the daemon run?"
	case errors.Is(e.Err, fs.ErrPermission):
		hint = "the site file says under admin who may use it: socket-mode, socket-group and roles"
	}
	return fmt.Sprintf("no answer at %s: %v\n%s", e.Path, e.Err, hint)
}

// Unwrap gives ErrUnreachable and the cause.
func (e *UnreachableError) Unwrap() []error { return []error{ErrUnreachable, e.Err} }

// Client asks a daemon. It is safe for concurrent use. Its methods return a
// *Problem when the daemon refuses and an *UnreachableError when there is none.
type Client struct {
	path  string // of the socket, or the server's URL
	base  string // of every URL
	token string // empty at a socket, where the kernel says who asks
	http  *http.Client
}

// Dial makes a client of the daemon at a unix socket. It connects when it is
// asked something, not before.
func Dial(socketPath string) *Client {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return &Client{path: socketPath, base: "http://sekisho", http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socketPath)
		},
	}}}
}

// Close closes the connections that wait for a next question.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// get asks for path, which is escaped already, and decodes the answer into v.
func (c *Client) get(ctx context.Context, path string, query url.Values, v any) error {
	return c.do(ctx, question{method: http.MethodGet, path: path, query: query}, v)
}

// post sends JSON, or nothing where body is nil.
func (c *Client) post(ctx context.Context, path string, query url.Values, body io.Reader, v any) error {
	return c.do(ctx, question{method: http.MethodPost, path: path, query: query, body: body}, v)
}

// send posts a file.
func (c *Client) send(ctx context.Context, path string, query url.Values, contentType string, body io.Reader, v any) error {
	return c.do(ctx, question{http.MethodPost, path, query, http.Header{"Content-Type": {contentType}}, body}, v)
}

// sendJSON sends body as JSON, with further headers.
func (c *Client) sendJSON(ctx context.Context, method, path string, query url.Values, header http.Header, body, v any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.do(ctx, question{method, path, query, header, bytes.NewReader(text)}, v)
}

// download copies an answer that is no JSON value. An answer that breaks off is
// an error.
func (c *Client) download(ctx context.Context, method, path string, query url.Values, w io.Writer) error {
	resp, err := c.ask(ctx, question{method: method, path: path, query: query})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return c.unread(method, err)
	}
	return nil
}

// question is what a client asks; path is escaped already.
type question struct {
	method, path string
	query        url.Values
	header       http.Header // beside a Content-Type, which is JSON where it is not said
	body         io.Reader   // nil: none
}

func (c *Client) do(ctx context.Context, q question, v any) error {
	resp, err := c.ask(ctx, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		return c.unread(q.method, err)
	}
	return nil
}

// ask returns an answer that is none of a problem; its body is the caller's to
// close.
func (c *Client) ask(ctx context.Context, q question) (*http.Response, error) {
	address := c.base + q.path
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, q.method, address, q.body)
	if err != nil {
		return nil, err
	}
	if q.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range q.header {
		req.Header[name] = values
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.failure(q.method, err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		defer resp.Body.Close()
		return nil, problemIn(resp)
	}
	return resp, nil
}

// failure tells a daemon that is not there from a conversation that broke off.
func (c *Client) failure(method string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return &UnreachableError{c.path, op.Err}
	}
	var in *url.Error
	if errors.As(err, &in) {
		err = in.Err
	}
	if brokeOff(err) {
		return &BrokenOffError{c.path, method != http.MethodGet, err}
	}
	return fmt.Errorf("talking to %s: %w%s", c.path, err, untrusted(err))
}

func problemIn(resp *http.Response) error {
	p := Problem{Status: resp.StatusCode, Title: http.StatusText(resp.StatusCode)}
	if resp.Header.Get("Content-Type") == problemType {
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
			return fmt.Errorf("reading a problem of status %d: %w", resp.StatusCode, err)
		}
		return &p
	}
	// It is not our door that answers, or not as we know it: it may say what it is.
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	p.Detail = fmt.Sprintf("%s answers with status %d, %s: %q", resp.Request.URL.Host, p.Status, p.Title, strings.TrimSpace(string(text)))
	return &p
}

// because is the query of a change with a reason, if there is one.
func because(reason string) url.Values {
	if reason == "" {
		return nil
	}
	return url.Values{"reason": {reason}}
}

// pathSegment escapes a name as one segment of a path. A segment of dots only
// would be taken for a way up the path.
func pathSegment(name string) string {
	if name == "." || name == ".." {
		return strings.ReplaceAll(name, ".", "%2E")
	}
	return url.PathEscape(name)
}
