package admin

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// BrokenOffError says that a daemon took a question and did not answer it to the
// end.
type BrokenOffError struct {
	Path    string // of the socket, or the server
	Changes bool   // the question may have changed something
	Err     error
}

// Error says what is known of what was asked for.
func (e *BrokenOffError) Error() string {
	text := fmt.Sprintf("the daemon at %s ended, or hung up, before it had answered: %v\n", e.Path, e.Err)
	if !e.Changes {
		return text + "nothing was changed by this; ask again when it runs"
	}
	return text + "it is not known whether anything was changed: when it runs again, sekisho audit list tells"
}

// Unwrap gives the cause.
func (e *BrokenOffError) Unwrap() error { return e.Err }

// brokeOff tells whether an error is a connection's that the other side closed.
func brokeOff(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.EPIPE, syscall.ECONNRESET, net.ErrClosed} {
		if errors.Is(err, end) {
			return true
		}
	}
	return strings.HasSuffix(err.Error(), "server closed idle connection") // net/http has no name for it
}

// unread is the error of an answer that began and could not be read.
func (c *Client) unread(method string, err error) error {
	if brokeOff(err) {
		return &BrokenOffError{c.path, method != http.MethodGet, err}
	}
	return fmt.Errorf("reading the answer of %s: %w", c.path, err)
}

// untrusted says what helps against a certificate that is not believed.
func untrusted(err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.As(err, &authority):
		return "\nif that authority is your own, name its certificate with --ca-file FILE, or SEKISHO_CA_FILE"
	case errors.As(err, &name):
		return "\nask --server by a name that its certificate has"
	}
	return ""
}
