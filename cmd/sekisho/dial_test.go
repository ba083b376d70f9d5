package main

import (
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
