package admin

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/store"
	"sekisho/store/storetest"
)

// tcpDoor serves who asks, over TCP.
func tcpDoor(t *testing.T, o Options) (address string) {
	t.Helper()
	routes := NewRoutes()
	MountTokens(routes, o.Tokens.(*store.Store), time.Now)
	o.Socket, o.TCP = socketName(t), netip.MustParseAddrPort("127.0.0.1:0")
	s, err := Serve(routes, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s.TCP().String()
}

func selfSigned(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// token puts a token into the store and gives its secret.
func token(t *testing.T, s *store.Store, name string, role Role, expires time.Time) string {
	t.Helper()
	secret := newSecret()
	if _, err := s.AddToken(store.By{Who: "test"}, store.Token{Name: name, Role: role.String(), Hash: hashOf(secret), Expires: expires}); err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestTokensLetProgramsIn(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := storetest.Open(t)
	log := &bytes.Buffer{}
	cert := selfSigned(t)
	address := tcpDoor(t, Options{Tokens: s, Certificate: func() *tls.Certificate { return cert }, Log: slog.New(slog.NewTextHandler(log, nil))})
	good := token(t, s, "noc", Operator, now.Add(time.Hour))
	gone := token(t, s, "gone", Admin, time.Time{})
	if err := s.RevokeToken(store.By{Who: "test"}, "gone"); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool(t, cert)}}}
	defer client.CloseIdleConnections()
	ask := func(path, authorization string) (*http.Response, Identity, error) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode >= 400 {
			return resp, Identity{}, problemIn(resp)
		}
		var id Identity
		return resp, id, json.NewDecoder(resp.Body).Decode(&id)
	}
	for _, tt := range []struct {
		name, authorization string
		status              int // of what needs a role
		says                string
	}{
		{"a token", "Bearer " + good, 403, "list-tokens needs the role admin, and token noc has operator"},
		{"in small letters", "bearer " + good, 403, "token noc has operator"},
		{"none", "", 401, "expected a token"},
		{"a password", "Basic " + good, 401, "expected a token"},
		{"an empty one", "Bearer ", 401, "no token"},
		{"a wrong one", "Bearer " + secretPrefix + "x", 401, "no token"},
		{"half of one", "Bearer " + good[:len(good)-1], 401, "no token"},
		{"one that was revoked", "Bearer " + gone, 401, "revoked"},
		{"a long one", "Bearer " + strings.Repeat("x", 30_000), 401, "no token"},
	} {
		resp, _, err := ask("/v1/tokens", tt.authorization)
		if statusOf(err) != tt.status || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want %d %s", tt.name, err, tt.status, tt.says)
		}
		if challenge := resp.Header.Get("WWW-Authenticate"); (tt.status == 401) != strings.HasPrefix(challenge, "Bearer") {
			t.Errorf("%s: challenge %q", tt.name, challenge)
		}
	}
	if _, id, err := ask("/v1/whoami", "Bearer "+good); err != nil || id != (Identity{"token noc", "127.0.0.1", Operator}) {
		t.Errorf("got %+v, %v", id, err)
	}
	if n := strings.Count(log.String(), "refused at the door"); n != 1 {
		t.Errorf("%d lines of refusals, want one: %s", n, log)
	}
	if strings.Contains(log.String(), secretPrefix) {
		t.Errorf("a secret stands in the log: %s", log)
	}
}

func pool(t *testing.T, cert *tls.Certificate) *x509.CertPool {
	t.Helper()
	parsed, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	p.AddCert(parsed)
	return p
}

func TestExpiredTokensLetNobodyIn(t *testing.T) {
	t.Parallel()
	d := newDoor(NewRoutes(), Options{Tokens: expired{}})
	r, err := http.NewRequest("GET", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer x")
	caller, problem := d.bearer(r, "192.0.2.1")
	if caller.Role != Anybody || problem == nil || problem.Status != 401 || !strings.Contains(problem.Detail, "expired") {
		t.Errorf("got %+v, %v", caller, problem)
	}
}

type expired struct{}

func (expired) TokenByHash([32]byte) (store.Token, error) { return store.Token{}, store.ErrEnded }

func TestPlainTCPIsForLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:0"} {
		_, err := Serve(NewRoutes(), Options{Socket: socketName(t), TCP: netip.MustParseAddrPort(address)})
		if err == nil || !strings.Contains(err.Error(), "only a loopback address") {
			t.Errorf("%s: got %v", address, err)
		}
	}
}

func TestRefusalsAreLoggedAtAPace(t *testing.T) {
	t.Parallel()
	log, now := &bytes.Buffer{}, time.Unix(0, 0).Add(time.Hour)
	r := refusals{log: slog.New(slog.NewTextHandler(log, nil)), now: func() time.Time { return now }}
	for range 1000 {
		r.note("192.0.2.1", "x")
	}
	r.note("192.0.2.2", "x")
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("%d lines, want one for each address: %s", n, log)
	}
	now = now.Add(refusalPause)
	r.note("192.0.2.1", "x")
	if !strings.Contains(log.String(), "unlogged=999") {
		t.Errorf("what was not logged is not told: %s", log)
	}
	for i := range 2 * maxRefused {
		r.note(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String(), "x")
	}
	if len(r.since) > maxRefused {
		t.Errorf("%d addresses are remembered", len(r.since))
	}
}
