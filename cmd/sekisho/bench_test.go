package main

import (
	"bytes"
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
			var out bytes.Buffer
			app := newApp()
			app.Writer, app.ErrWriter = &out, &out
			code := exitCode(app, app.Run(flagsFirst(app, append([]string{"sekisho"}, test.args...))))
			if code != test.code || !strings.Contains(out.String(), test.want) {
				t.Errorf("exit code %d, want %d: %s", code, test.code, out.String())
			}
		})
	}
	t.Run("for programs", func(t *testing.T) {
		var out bytes.Buffer
		app := newApp()
		app.Writer = &out
		if err := app.Run(flagsFirst(app, append([]string{"sekisho"}, args("--user", "a@isp.example", "--password-file", password, "-o", "json")...))); err != nil {
			t.Fatal(err)
		}
		var figures struct{ Sent, Accepted, Lost uint64 }
		if err := json.Unmarshal(out.Bytes(), &figures); err != nil || figures.Sent == 0 || figures.Accepted != figures.Sent {
			t.Errorf("%+v, %v: %s", figures, err, out.String())
		}
	})
}
