package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/cmd/internal/daemon"
	"sekisho/radius/radiustest"

	"github.com/google/go-cmp/cmp"
)

const (
	deskSecret   = "a secret of the tests of the verbs"
	deskPassword = "himitsu"
)

const deskSite = `listen: {auth: "127.0.0.1:0", acct: "127.0.0.1:0"}
admin: {socket: %[1]s/s}
store: {path: %[1]s/db}
policy: asahi-net
nas:
  bras-tokyo: {source: 127.0.0.1, nas-ip-address: 192.0.2.1, secret: %[2]s, area: tokyo, profile: filter-id}
  bras-osaka: {source: 127.0.0.1, nas-ip-address: 192.0.2.2, secret: %[2]s, area: osaka, profile: juniper-mx}
aaa:
  servers: {home: {address: 127.0.0.1, auth-port: %[3]d, acct-port: %[3]d, secret: %[2]s}}
  pools: {main: {servers: home}}
  realms: {"*": main}
`

// office is a whole installation on loopback, with a clock that tests move.
type office struct {
	daemon *daemon.Daemon
	socket string
	clock  atomic.Pointer[time.Time]
}

// openOffice starts it at an instant with the demo's subscribers.
func openOffice(t *testing.T, at string) *office {
	t.Helper()
	users := map[string]radiustest.User{}
	for _, login := range demoLogins {
		users[login+demoRealm] = radiustest.User{Password: deskPassword}
	}
	aaa, err := radiustest.NewAAA(deskSecret, radiustest.Users(users))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(aaa.Close)
	dir, err := os.MkdirTemp("", "desk") // the names of t.TempDir are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	conf, problems := config.Parse(filepath.Join(dir, "sekisho.yaml"), fmt.Appendf(nil, deskSite, dir, deskSecret, aaa.Addr.Port()))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	o := &office{socket: conf.Socket}
	o.move(t, at)
	if o.daemon, err = daemon.Start(conf, daemon.Options{Version: "test", Clock: func() time.Time { return *o.clock.Load() }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.daemon.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if _, err := admin.Dial(o.socket).ImportContracts(t.Context(), "demo.csv", strings.NewReader(demoContracts), admin.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) move(t *testing.T, at string) {
	t.Helper()
	instant, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	o.clock.Store(&instant)
}

// run runs a command line at this daemon.
func (o *office) run(t *testing.T, args ...string) result {
	t.Helper()
	return sekisho(t, "", append([]string{"--socket", o.socket}, args...)...)
}

// login dials in at bras-tokyo and tells what the router was told.
func (o *office) login(t *testing.T, user string) string {
	t.Helper()
	auth, _ := o.daemon.Addresses()
	nas, err := radiustest.NewNAS(netip.MustParseAddrPort(auth[0]), deskSecret)
	if err != nil {
		t.Fatal(err)
	}
	defer nas.Close()
	address := radiustest.Attribute{Type: radiustest.NASIPAddress, Value: []byte{192, 0, 2, 1}}
	request := nas.Request(radiustest.AccessRequest, radiustest.PAP(user, deskPassword, radiustest.MA(), address)...)
	reply, err := nas.Exchange(request, 5*time.Second)
	switch {
	case err != nil:
		t.Fatal(err)
	case reply.Code != radiustest.AccessAccept:
		t.Fatalf("%s: code %d", user, reply.Code)
	case reply.Value(radiustest.FilterID) == "":
		return "Access-Accept without a Filter-Id\n"
	}
	return fmt.Sprintf("Access-Accept with Filter-Id = %q\n", reply.Value(radiustest.FilterID))
}

var (
	anyID      = regexp.MustCompile(`\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b`)
	ownName    = regexp.MustCompile(`\S+ \(uid \d+\)`)
	anyHash    = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	movedTo    = regexp.MustCompile(`\d{4}-\d\d-\d\dT\S+\d`)
	logsIn     = regexp.MustCompile(`logs in as (\S+@\S+\w)`)
	callFences = regexp.MustCompile("(?s)```call\n(.*?)```")
)

// anonymous makes every id and every hash the same, and whoever runs the tests
// somebody whose name is as long as root's, for the columns.
func anonymous(text string) string {
	text = anyHash.ReplaceAllString(text, strings.Repeat("c0ffee42", 8))
	return ownName.ReplaceAllString(anyID.ReplaceAllString(text, "01HZX3VQ8M2N4P6R8T0V2X4Z6B"), "sato (uid 7)")
}

var blanks = regexp.MustCompile(` +`)

// narrow takes the width of columns out of a comparison.
func narrow(text string) string { return blanks.ReplaceAllString(text, " ") }

// TestASupportCall replays the transcript of docs/support.md: commands behind
// "$ ", and comments that move the clock or let the subscriber dial in. With
// -update it writes what came out.
func TestASupportCall(t *testing.T) {
	const page = moduleRoot + "/docs/support.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	o := openOffice(t, "2007-05-16T10:00:00+09:00")
	lastID := ""
	replayed := callFences.ReplaceAllStringFunc(string(text), func(block string) string {
		var b strings.Builder
		b.WriteString("```call\n")
		for line := range strings.Lines(callFences.FindStringSubmatch(block)[1]) {
			switch {
			case strings.HasPrefix(line, "# "):
				b.WriteString(line)
				if at := movedTo.FindString(line); at != "" {
					o.move(t, at)
				}
				if who := logsIn.FindStringSubmatch(line); who != nil {
					b.WriteString(o.login(t, who[1]))
				}
			case strings.HasPrefix(line, "$ sekisho "):
				r := o.run(t, words(anyID.ReplaceAllString(strings.TrimPrefix(line, "$ sekisho "), lastID))...)
				if id := anyID.FindString(r.stdout); id != "" {
					lastID = id
				}
				b.WriteString(line + r.stderr + r.stdout)
				if r.code != exitOK {
					fmt.Fprintf(&b, "(exit code %d)\n", r.code)
				}
			}
		}
		return anonymous(b.String()) + "```"
	})
	if *update {
		if err := os.WriteFile(page, []byte(replayed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(narrow(string(text)), narrow(replayed)); diff != "" && !*update {
		t.Errorf("docs/support.md is not what happens; write it anew with go test ./cmd/sekisho -run SupportCall -update\n%s", diff)
	}
}

var quoted = regexp.MustCompile(`"[^"]*"|\S+`)

// words takes a command line apart as a shell does, as far as the page needs it.
func words(line string) (words []string) {
	for _, word := range quoted.FindAllString(line, -1) {
		words = append(words, strings.Trim(word, `"`))
	}
	return words
}
