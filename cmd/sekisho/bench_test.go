package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sekisho/radius/radiustest"
)

func TestBench(t *testing.T) {
	t.Parallel()
	aaa, err := radiustest.NewAAA("secret", radiustest.Users(map[string]radiustest.User{"a@isp.example": {Password: "p"}}))
	if err != nil {
		t.Fatal(err)
	}
	defer aaa.Close()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret := file("secret", "secret\n")
	password := file("password", "p\n")
	args := func(more ...string) []string {
		return append([]string{"bench", aaa.Addr.String(), "--secret-file", secret, "--duration", "30ms", "--window", "4"}, more...)
	}
	tests := map[string]struct {
		args []string
		code int
		want string
	}{
		"one subscriber":     {args("--user", "a@isp.example", "--password-file", password), 0, "wrong      0\n"},
		"a file":             {args("--users", file("users.csv", "user,password,filter\na@isp.example,p,\n"), "--chap", "50"), 0, "0 rejected"},
		"a filter is missed": {args("--users", file("missed.csv", "user,password,filter\na@isp.example,p,op25b\n")), exitFailed, "wrong Filter-Id"},
		"no subscriber":      {args(), exitUsage, "--users FILE or --user NAME"},
		"no server":          {[]string{"bench", "isp.example", "--secret-file", secret, "--user", "a"}, exitUsage, "expected the address of a server"},
		"an empty secret":    {[]string{"bench", "192.0.2.1", "--secret-file", file("empty", "\n"), "--user", "a"}, exitFailed, "expected the shared secret"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := sekisho(t, "", test.args...)
			if out := got.stdout + got.stderr; got.code != test.code || !strings.Contains(out, test.want) {
				t.Errorf("exit code %d, want %d: %s", got.code, test.code, out)
			}
		})
	}
	t.Run("for programs", func(t *testing.T) {
		got := sekisho(t, "", args("--user", "a@isp.example", "--password-file", password, "-o", "json")...)
		if got.code != 0 {
			t.Fatal(got.stderr)
		}
		var figures struct{ Sent, Accepted, Lost uint64 }
		if err := json.Unmarshal([]byte(got.stdout), &figures); err != nil || figures.Sent == 0 || figures.Accepted != figures.Sent {
			t.Errorf("%+v, %v: %s", figures, err, got.stdout)
		}
	})
}
