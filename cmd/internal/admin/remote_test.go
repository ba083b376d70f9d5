package admin

import (
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRemoteSendsItsTokenOverTLSOnly(t *testing.T) {
	t.Parallel()
	far := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer a-token" {
			writeError(w, &Problem{Status: http.StatusUnauthorized, Detail: "no token"})
			return
		}
		_, _ = w.Write([]byte(`{"policy":"p"}`))
	}))
	t.Cleanup(far.Close)
	roots := x509.NewCertPool()
	roots.AddCert(far.Certificate())
	for name, tt := range map[string]struct {
		remote Remote
		says   string // empty: it works
	}{
		"a token":              {Remote{far.URL, "a-token", roots}, ""},
		"a wrong token":        {Remote{far.URL, "another", roots}, "no token"},
		"an unknown authority": {Remote{far.URL, "a-token", nil}, "name its certificate with --ca-file FILE, or SEKISHO_CA_FILE"},
		"another name":         {Remote{strings.Replace(far.URL, "127.0.0.1", "localhost", 1), "a-token", roots}, "ask --server by a name that its certificate has"},
		"no TLS":               {Remote{"http://192.0.2.1", "a-token", nil}, "only a loopback address"},
		"no scheme":            {Remote{"sekisho.example:8443", "a-token", nil}, "expected a server such as"},
		"a path":               {Remote{"https://sekisho.example/v1", "a-token", nil}, "expected a server such as"},
		"a password":           {Remote{"https://a:b@sekisho.example", "a-token", nil}, "expected a server such as"},
		"nobody":               {Remote{"http://127.0.0.1:1", "a-token", nil}, "is it the daemon's admin.listen address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := DialRemote(tt.remote)
			if err == nil {
				defer c.Close()
				_, err = c.Status(t.Context())
			}
			if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
			if name == "nobody" && !errors.Is(err, ErrUnreachable) {
				t.Errorf("%v is not ErrUnreachable", err)
			}
		})
	}
}

// TestRemoteFollowsNobody holds that a token does not go where an answer says.
func TestRemoteFollowsNobody(t *testing.T) {
	t.Parallel()
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("it went on to %s with %q", r.URL, r.Header.Get("Authorization"))
	}))
	t.Cleanup(thief.Close)
	far := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusFound))
	t.Cleanup(far.Close)
	c, err := DialRemote(Remote{Server: far.URL, Token: "a-token"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Status(t.Context()); statusOf(err) != http.StatusFound {
		t.Errorf("got %v", err)
	}
}

// TestRemoteSaysWhoAnswers is about a server that is not the daemon, or that
// wants TLS.
func TestRemoteSaysWhoAnswers(t *testing.T) {
	t.Parallel()
	other := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	server := strings.Replace(other.URL, "https", "http", 1)
	c, err := DialRemote(Remote{Server: server, Token: "a-token"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Status(t.Context())
	if statusOf(err) != http.StatusBadRequest || !strings.Contains(err.Error(), "HTTP request to an HTTPS server") {
		t.Errorf("got %v", err)
	}
}
