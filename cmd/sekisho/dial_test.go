package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhichDaemonIsAsked(t *testing.T) {
	t.Parallel()
	token, two := writeFile(t, "token", "a-token\n"), writeFile(t, "two", "a b\n")
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"--server https://127.0.0.1:1 --token-file " + token, exitUnreachable, "https://127.0.0.1:1"},
		{"--server http://192.0.2.1 --token-file " + token, exitUsage, "without TLS only a loopback address"},
		{"--server 192.0.2.1 --token-file " + token, exitUsage, "expected a server such as https://"},
		{"--server https://127.0.0.1:1", exitUsage, "wants --token-file"},
		{"--token-file " + token, exitUsage, "--token-file is for --server"},
		{"--server https://127.0.0.1:1 --token-file " + two, exitFailed, "expected one token and nothing else"},
		{"--server https://127.0.0.1:1 --token-file gone", exitFailed, "gone"},
		{"--server https://127.0.0.1:1 --ca-file " + token + " --token-file " + token, exitFailed, "expected certificates in PEM"},
	} {
		r := sekisho(t, "", append([]string{"status"}, strings.Fields(tt.args)...)...)
		if r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
			t.Errorf("%s: code %d, want %d; %q, want %q", tt.args, r.code, tt.code, r.stderr, tt.says)
		}
	}
}

// TestWithATokenFromAnotherMachine asks over TCP: a token lets in whom it may,
// to what its role may, until it is revoked.
func TestWithATokenFromAnotherMachine(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "2007-05-16T10:00:00+09:00")
	made := o.run(t, "token", "create", "noc", "--role", "viewer")
	if made.code != exitOK || strings.Count(made.stdout, "\n") != 1 {
		t.Fatalf("%+v", made)
	}
	far := []string{"--server", "http://" + o.daemon.Door(), "--token-file", writeFile(t, "token", made.stdout)}
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"overrides -o csv", exitOK, "account,kind,action"},
		{"explain ua700aa007g", exitOK, "BLOCK by stage-2"},
		{"grant ua700aa007g --reason x", exitRefused, "needs the role support, and token noc has viewer"},
		{"audit list", exitRefused, "needs the role operator"},
		{"backup " + t.TempDir() + "/copy", exitRefused, "needs the role admin"},
	} {
		r := sekisho(t, "", append(strings.Fields(tt.args), far...)...)
		if r.code != tt.code || !strings.Contains(r.stdout+r.stderr, tt.says) {
			t.Errorf("%s: code %d, want %d; %s%s, want %q", tt.args, r.code, tt.code, r.stdout, r.stderr, tt.says)
		}
	}
	if r := o.run(t, "token", "revoke", "noc", "--reason", "lost"); r.code != exitOK {
		t.Error(r.stderr)
	}
	if r := sekisho(t, "", append([]string{"status"}, far...)...); r.code != exitRefused {
		t.Errorf("after it was revoked: code %d, %s", r.code, r.stderr)
	}
}

func TestATokenFileThatOthersMayReadIsWarnedOf(t *testing.T) {
	name := filepath.Join(t.TempDir(), "token")
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true} {
		if err := os.WriteFile(name, []byte("sekisho_x\n"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		if token, err := readToken(name, &said); err != nil || token != "sekisho_x" || (said.Len() > 0) != warned {
			t.Errorf("mode %04o: %q, %v, said %q", mode, token, err, said.String())
		}
	}
}
