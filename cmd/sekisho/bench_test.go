package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/cmd/internal/load"
	"sekisho/radius/radiustest"

	"github.com/HdrHistogram/hdrhistogram-go"
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
		"one subscriber":      {args("--user", "a@isp.example", "--password-file", password), 0, "wrong      0\n"},
		"a file":              {args("--users", file("users.csv", "user,password,filter\na@isp.example,p,\n"), "--chap", "50"), 0, "0 rejected"},
		"a filter is missed":  {args("--users", file("missed.csv", "user,password,filter\na@isp.example,p,op25b\n")), exitFailed, "wrong Filter-Id"},
		"once":                {[]string{"bench", aaa.Addr.String(), "--secret-file", secret, "--users", file("once.csv", "user,password\na@isp.example,p\na@isp.example,p\n"), "--once", "--tries", "3"}, 0, "sent       2 in"},
		"once and a duration": {args("--user", "a", "--once"), exitUsage, "--duration says nothing"},
		"never":               {args("--user", "a", "--tries", "0"), exitUsage, "at least once"},
		"no subscriber":       {args(), exitUsage, "--users FILE or --user NAME"},
		"no server":           {[]string{"bench", "isp.example", "--secret-file", secret, "--user", "a"}, exitUsage, "expected the address of a server"},
		"an empty secret":     {[]string{"bench", "192.0.2.1", "--secret-file", file("empty", "\n"), "--user", "a"}, exitFailed, "expected the shared secret"},
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
		var figures struct {
			Sent, Accepted, Lost uint64
			Tries, Goodput       []uint64
		}
		if err := json.Unmarshal([]byte(got.stdout), &figures); err != nil || figures.Sent == 0 || figures.Accepted != figures.Sent || !slices.Equal(figures.Tries, []uint64{figures.Sent}) || len(figures.Goodput) == 0 {
			t.Errorf("%+v, %v: %s", figures, err, got.stdout)
		}
	})
}

func TestBenchOfAStorm(t *testing.T) {
	t.Parallel()
	r := &load.Report{
		Sent: 30, Resent: 7, Accepted: 29, Tries: []uint64{24, 4, 1}, Lost: 1, Late: 2,
		Took: 4 * time.Second, Sending: 3500 * time.Millisecond, Goodput: []uint64{12, 6, 10, 1},
		Latency: hdrhistogram.New(1, 10, 3),
	}
	want := `sent       30 in 4.0 s, and 7 times again
answered   29, 7/s: 29 accepted, 0 rejected, 0 accounted
tries      1: 24 2: 4 3: 1
goodput    12 in the first second of sending, 6 in the worst after it, 10 in the last
lost       1
late       2, after another answer or the end of waiting
not sent   0, for want of identifiers
wrong      0
latency    p50 0s p90 0s p99 0s p99.9 0s p100 0s
`
	var got strings.Builder
	if err := writeBench(&got, r); err != nil || got.String() != want {
		t.Errorf("%v, got\n%swant\n%s", err, got.String(), want)
	}
}
