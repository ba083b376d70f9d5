package admin

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Remote is a daemon that is asked over TCP.
type Remote struct {
	Server string         // https://HOST[:PORT]; http only at a loopback address
	Token  string         // of the daemon; see CreateToken
	Roots  *x509.CertPool // that may have signed its certificate; nil: those of the system
}

// DialRemote makes a client of a daemon at another machine. It connects when it
// is asked something, not before. A token never crosses a network in the clear.
func DialRemote(r Remote) (*Client, error) {
	server, err := url.Parse(r.Server)
	if err != nil || server.Host == "" || server.Scheme != "https" && server.Scheme != "http" || server.Path != "" && server.Path != "/" ||
		server.RawQuery != "" || server.Fragment != "" || server.User != nil {
		return nil, fmt.Errorf("expected a server such as https://sekisho.example:8443, got %q", r.Server)
	}
	if server.Scheme == "http" && !isLoopback(server.Hostname()) {
		return nil, fmt.Errorf("%s: without TLS only a loopback address is asked, for the token could be read on its way", r.Server)
	}
	return &Client{path: server.Scheme + "://" + server.Host, base: server.Scheme + "://" + server.Host, token: r.Token, http: &http.Client{
		// Where a token goes is what the user has said, not what an answer says.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: r.Roots},
			TLSHandshakeTimeout: 10 * time.Second,
		},
	}}, nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
