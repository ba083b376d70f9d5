//go:build realparts

package realparts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// eapParts are what a test with EAP needs.
func eapParts() []Requirement {
	return append(wireParts(), Program("eapol_test", "eapoltest"))
}

// TLSFiles are the certificate of a server and the authority that signed it.
type TLSFiles struct{ CA, Certificate, Key string }

// NewTLSFiles makes an authority of its own and a server's certificate.
func NewTLSFiles(t testing.TB) *TLSFiles {
	t.Helper()
	dir := WorkDir(t, "tls")
	authority := template509("Test Authority")
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authority.KeyUsage = x509.KeyUsageCertSign
	authorityKey := newKey(t)
	root := issue(t, authority, authority, authorityKey, authorityKey)

	server := template509("aaa.example")
	server.SerialNumber = big.NewInt(2)
	server.DNSNames = []string{"aaa.example"}
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	serverKey := newKey(t)
	leaf := issue(t, server, authority, serverKey, authorityKey)

	der, err := x509.MarshalECPrivateKey(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	return &TLSFiles{
		CA:          WriteFile(t, dir, "ca.pem", pemText("CERTIFICATE", root)),
		Certificate: WriteFile(t, dir, "server.pem", pemText("CERTIFICATE", leaf)),
		Key:         WriteFile(t, dir, "server.key", pemText("EC PRIVATE KEY", der)),
	}
}

func template509(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func issue(t testing.TB, what, by *x509.Certificate, key, byKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, what, by, &key.PublicKey, byKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// A Supplicant is a user who logs in by EAP.
type Supplicant struct {
	Method   string // of EAP, e.g. PEAP
	Inner    string // what is spoken inside the tunnel, e.g. auth=MSCHAPV2; empty without one
	Outer    string // the identity outside the tunnel; the user's own when empty
	User     string
	Password string
	CA       string // file with the authority of the server
	Keys     bool   // the method ends with keys for the link
}

// network is the user's side as wpa_supplicant's configuration has it.
func (s Supplicant) network() string {
	lines := []string{
		"key_mgmt=WPA-EAP", "eap=" + s.Method,
		fmt.Sprintf("identity=%q", s.User), fmt.Sprintf("password=%q", s.Password),
	}
	if s.Outer != "" {
		lines = append(lines, fmt.Sprintf("anonymous_identity=%q", s.Outer))
	}
	if s.Inner != "" {
		lines = append(lines, fmt.Sprintf("phase2=%q", s.Inner), fmt.Sprintf("ca_cert=%q", s.CA))
	}
	return "network={\n\t" + strings.Join(lines, "\n\t") + "\n}\n"
}

// An EAPResult is how a login by eapol_test ended.
type EAPResult struct {
	Status int    // eapol_test's exit status, 0 after a success
	Output string // all that it said
}

// KeysMatch reports whether the keys that the NAS got in the Accept are those that
// the user's side has worked out.
func (r EAPResult) KeysMatch() bool {
	return strings.Contains(r.Output, "\nMPPE keys OK: 1  mismatch: 0\n")
}

// EAP logs a user in with eapol_test, which is the NAS and the user at once.
func (n NAS) EAP(t testing.TB, s Supplicant) EAPResult {
	t.Helper()
	dir := WorkDir(t, "eapol")
	args := []string{
		"-c", WriteFile(t, dir, "network.conf", s.network()), "-a", n.Server, "-p", fmt.Sprint(n.AuthPort),
		"-s", n.Secret, "-t", "10", "-N", "4:x:0xc0000201", "-N", "32:s:switch-1",
	}
	if !s.Keys {
		args = append(args, "-n")
	}
	out, err := n.Netns.Command("eapol_test", args...).CombinedOutput()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		t.Fatalf("eapol_test: %v\n%s", err, out)
	}
	r := EAPResult{Output: string(out)}
	if status != nil {
		r.Status = status.ExitCode()
	}
	return r
}
