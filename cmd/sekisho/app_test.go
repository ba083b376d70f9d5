package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is printed as what is expected")

// result is what a command line does.
type result struct {
	stdout, stderr string
	code           int
}

// oneAtATime is for command lines of parallel tests: the library writes its
// package-wide help flag whenever one is run.
var oneAtATime sync.Mutex

// sekisho runs a command line in this process.
func sekisho(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	app := newApp()
	app.Reader, app.Writer, app.ErrWriter = strings.NewReader(stdin), &stdout, &stderr
	oneAtATime.Lock()
	defer oneAtATime.Unlock()
	code := exitCode(app, app.RunContext(t.Context(), flagsFirst(app, append([]string{"sekisho"}, args...))))
	return result{stdout.String(), stderr.String(), code}
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got\n%s", name, diff)
	}
}

// difference is what differs from run to run, and what stands for it.
type difference struct {
	found *regexp.Regexp
	is    string
}

// changing is what differs from run to run in the demo's output.
var changing = []difference{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`\S*/sekisho-demo-\d+`), "DIR"},
	{regexp.MustCompile(`\n  \S+ --socket`), "\n  sekisho --socket"},
}

func settled(s string) string { return settle(s, changing) }

func settle(s string, differences []difference) string {
	for _, d := range differences {
		s = d.found.ReplaceAllString(s, d.is)
	}
	return s
}

func TestDemoShowsWhoIsBlockedAndWhy(t *testing.T) {
	for _, tt := range []struct{ name, clock, lang string }{
		{"demo-2007-05-14.txt", "2007-05-14", "en"},
		{"demo-2007-05-15-ja.txt", "2007-05-15", "ja"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := sekisho(t, "", "demo", "--once", "--clock", tt.clock, "--lang", tt.lang)
			if r.code != exitOK || r.stderr != "" {
				t.Fatalf("code %d, stderr %s", r.code, r.stderr)
			}
			golden(t, tt.name, settled(r.stdout))
		})
	}
}

// ofTheNight is what differs in what the demo shows of live sessions.
var ofTheNight = []difference{
	{regexp.MustCompile(`\d\d:\d\d:\d\d`), "HH:MM:SS"},
	{regexp.MustCompile(`\b0[0-9A-Z]{25}\b`), "ULID"},
	{regexp.MustCompile(`(?m)^    author .*$`), "    author   WHO"},
	{regexp.MustCompile(`acknowledged, \d\.\d\d s`), "acknowledged, 0.01 s"},
}

// coaLines are what the demo's router is told at one time, in no order.
var coaLines = regexp.MustCompile(`(?m)(^.*  CoA-Request to .*\n)+`)

func settledNight(s string) string {
	return coaLines.ReplaceAllStringFunc(settle(settled(s), ofTheNight), func(lines string) string {
		return strings.Join(slices.Sorted(strings.Lines(lines)), "")
	})
}

func TestDemoShowsTheNight(t *testing.T) {
	began := time.Now()
	r := sekisho(t, "", "demo", "--once")
	if r.code != exitOK || r.stderr != "" {
		t.Fatalf("code %d, stderr %s", r.code, r.stderr)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s, longer than anybody watches", took)
	}
	golden(t, "demo.txt", settledNight(r.stdout))
}

// TestReadmeShowsTheDemo compares what the README shows of the demo with what
// the demo shows.
func TestReadmeShowsTheDemo(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown, err := os.ReadFile("testdata/demo.txt")
	if err != nil {
		t.Fatal(err)
	}
	const first = "All of them stay connected."
	_, text, found := strings.Cut(string(readme), "\n"+first)
	text, _, ends := strings.Cut(text, "```")
	if !found || !ends || !strings.Contains(string(shown), first+settledNight(text)) {
		t.Errorf("README.md has no part of the demo's output that begins with %q; the demo shows:\n%s", first, shown)
	}
}

// TestVerbsReachTheDaemon starts a demo that goes on running and asks it from
// other command lines, as its last lines invite to.
func TestVerbsReachTheDaemon(t *testing.T) {
	s := startDemo(t, "2007-05-14")
	at := "2007-05-14T12:00:00+09:00"
	tests := []struct {
		name string
		args []string
		code int
	}{
		{"explain-fixed.txt", []string{"explain", "f.uf234at567c@atson.net", "--at", at}, exitOK},
		{"explain-before-stage-ja.txt", []string{"explain", "ua700aa007g@atson.net", "--lang", "ja", "--at", "2007-05-15"}, exitOK},
		{"explain-fixed-ja.txt", []string{"explain", "F.UF234AT567C@ATSON.NET", "--lang", "ja", "--at", at, "--stage", "all", "--request", "NAS-Port-Type=ISDN"}, exitOK},
		{"explain-no-contract-ja.txt", []string{"explain", "nobody", "--lang", "ja", "--at", at}, exitOK},
		{"explain-until-ja.txt", []string{"explain", "ua700aa007g@atson.net", "--lang", "ja", "--at", at}, exitOK},
		{"explain-planned.txt", []string{"explain", "um100ae010j@atson.net", "--stage", "all", "--at", at}, exitOK},
		{"explain-no-contract.txt", []string{"explain", "nobody@atson.net", "--at", at}, exitOK},
		{"explain-no-login.txt", []string{"explain", "nobody", "--at", at}, exitOK},
		{"explain-json.txt", []string{"explain", "ua700aa007g@atson.net", "-o", "json", "--at", at}, exitOK},
		{"explain-unknown-nas.txt", []string{"explain", "a@atson.net", "--nas", "bras-tokio"}, exitNotFound},
		{"contracts.txt", []string{"contracts", "list", "uf"}, exitOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := sekisho(t, "", append(tt.args, "--socket", s)...)
			if r.code != tt.code {
				t.Errorf("code %d, want %d", r.code, tt.code)
			}
			golden(t, tt.name, settled(r.stdout+r.stderr))
		})
	}
	t.Run("status", func(t *testing.T) {
		r := sekisho(t, "", "status", "-o", "json", "--socket", s)
		var status struct {
			Policy    string
			Contracts int
		}
		if err := json.Unmarshal([]byte(r.stdout), &status); err != nil || status.Policy != "asahi-net" || status.Contracts != 12 {
			t.Errorf("got %s %s", r.stdout, r.stderr)
		}
		if r := sekisho(t, "", "status", "--socket", s); !strings.Contains(r.stdout, "injected=4 nothing-to-say=12") {
			t.Errorf("got %s", r.stdout)
		}
	})
}

// startDemo runs the demo until the test ends and returns its socket.
func startDemo(t *testing.T, clock string) string {
	t.Helper()
	out := &printed{found: make(chan string, 1), want: regexp.MustCompile(`--socket (\S+)`)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	app := newApp()
	app.Writer = out
	go func() { done <- app.RunContext(ctx, []string{"sekisho", "demo", "--clock", clock}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case socket := <-out.found:
		return socket
	case err := <-done:
		done <- err
		t.Fatalf("the demo ended: %v", err)
	}
	return ""
}

// printed is an output that is waited on.
type printed struct {
	bytes.Buffer
	want  *regexp.Regexp
	found chan string
}

func (p *printed) Write(b []byte) (int, error) {
	n, err := p.Buffer.Write(b)
	if m := p.want.FindSubmatch(p.Bytes()); m != nil {
		select {
		case p.found <- string(m[1]):
		default:
		}
	}
	return n, err
}

func TestExitCodes(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone.sock")
	tests := []struct {
		name string
		args []string
		code int
		want string // on stderr
	}{
		{"a misspelt command", []string{"explan"}, exitUsage, `sekisho has no command "explan"; did you mean "explain"?`},
		{"a misspelt command of a group", []string{"contracts", "lst"}, exitUsage, `sekisho contracts has no command "lst"; did you mean "list"?`},
		{"an unknown command of a group", []string{"policy", "frobnicate"}, exitUsage, `known: test, check, show, chart`},
		{"an unknown flag", []string{"reload", "--frobnicate"}, exitUsage, "sekisho reload has no flag --frobnicate; known: --reason, --help, --socket"},
		{"a misspelt flag", []string{"explain", "--ns", "u"}, exitUsage, `sekisho explain has no flag --ns; did you mean "--nas"?`},
		{"a misspelt flag of the program", []string{"--sockt", "s", "status"}, exitUsage, `sekisho has no flag --sockt; did you mean "--socket"?`},
		{"no argument", []string{"explain"}, exitUsage, "expected USER, got none; see sekisho explain --help"},
		{"two arguments", []string{"explain", "a", "b"}, exitUsage, `expected USER, got 2: ["a" "b"]`},
		{"an argument of a verb that takes none", []string{"status", "now"}, exitUsage, "expected no argument, got 1"},
		{"an account that is named like a command", []string{"explain", "help", "--socket", gone}, exitUnreachable, "is the daemon running?"},
		{"a format that is none", []string{"status", "-o", "xml"}, exitUsage, `--output: expected table or json, got "xml"`},
		{"a format that explain does not have", []string{"explain", "u", "-o", "csv"}, exitUsage, `--output: expected table or json, got "csv"`},
		{"a bad time", []string{"demo", "--clock", "soon"}, exitUsage, `--clock: expected a time such as 2007-05-15T00:00:00+09:00 or 2007-05-15, got "soon"`},
		{"a bad language", []string{"explain", "u", "--lang", "fr"}, exitUsage, "--lang: expected en or ja"},
		{"a missing flag", []string{"decide"}, exitUsage, "--policy is required; see sekisho decide --help"},
		{"no daemon", []string{"status", "--socket", gone}, exitUnreachable, "is the daemon running?"},
		{"no daemon to reload", []string{"reload", "--socket", gone}, exitUnreachable, "is the daemon running?"},
		{"an unknown policy", []string{"decide", "--policy", "asahinet"}, exitFailed, `did you mean "asahi-net"?`},
		{"a stage that the policy does not have", []string{"policy", "chart", "asahi-net", "--stage", "al"}, exitUsage, `policy asahi-net has no rule "al"; did you mean "all"?`},
		{"no site file", []string{"check", "gone.yaml"}, exitFailed, "gone.yaml"},
		{"serve without a site file", []string{"serve", "--config", "gone.yaml"}, exitFailed, "gone.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := sekisho(t, "", tt.args...)
			if r.code != tt.code || !strings.Contains(r.stderr, tt.want) {
				t.Errorf("code %d, want %d; stderr %q, want %q", r.code, tt.code, r.stderr, tt.want)
			}
		})
	}
}

func TestCheckSaysEverythingAtOnce(t *testing.T) {
	bad := "../internal/config/testdata/unknown-keys.bad.yaml"
	r := sekisho(t, "", "check", bad)
	if r.code != exitFailed || strings.Count(r.stderr, "unknown key") != 3 || r.stdout != "" {
		t.Errorf("code %d, stdout %q, stderr %q", r.code, r.stdout, r.stderr)
	}
	good := "../internal/config/testdata/full.good.yaml"
	r = sekisho(t, "", "check", good)
	if want := good + ": ok, policy asahi-net, 5 NAS, 2 realms\n"; r.code != exitOK || r.stdout != want {
		t.Errorf("code %d, got %q, want %q", r.code, r.stdout, want)
	}
}

func TestDecideAnswersLineByLine(t *testing.T) {
	in := `{"user":"ut400te004d@atson.net","contract":{"course":"TEPCOひかりホーム"},"at":"2007-02-01T00:00:00+09:00"}
{"user":"F.UF234AT567C@ATSON.NET","contract":{"course":"Ｂフレッツファミリー","options":["fixed-ip"]},"stages":["all"]}
`
	want := `{"action":"block","rule":"stage-1","until":null,"account":"ut400te004d"}
{"action":"open","rule":"fixed-ip-option","until":null,"account":"uf234at567c"}
`
	r := sekisho(t, in, "decide", "--policy", "asahi-net")
	if diff := cmp.Diff(want, r.stdout); diff != "" || r.code != exitOK {
		t.Errorf("code %d, stderr %q\n%s", r.code, r.stderr, diff)
	}
	if r := sekisho(t, "{\"usr\":1}\n", "decide", "--policy", "asahi-net"); r.code != exitFailed || !strings.Contains(r.stderr, "line 1") {
		t.Errorf("code %d, stderr %q", r.code, r.stderr)
	}
}

func TestVersion(t *testing.T) {
	if r := sekisho(t, "", "version"); r.code != exitOK || !strings.HasPrefix(r.stdout, "sekisho "+release) {
		t.Errorf("got %+v", r)
	}
}
