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
admin: {socket: %[1]s/s, listen: "127.0.0.1:0"}
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
	lastID string // of an override that was printed
	dir    string // of the test's files, if any
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
	ownName    = regexp.MustCompile(`[a-z_][\w.-]* \(uid \d+\)`)
	anySecret  = regexp.MustCompile(`sekisho_[\w-]{43}`)
	anySize    = regexp.MustCompile(`\d+ bytes`)
	anyHash    = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	movedTo    = regexp.MustCompile(`\d{4}-\d\d-\d\dT\S+\d`)
	logsIn     = regexp.MustCompile(`logs in as (\S+@\S+\w)`)
	callFences = regexp.MustCompile("(?s)```call\n(.*?)```")
)

// anonymous makes every id and every hash the same, and whoever runs the tests
// somebody whose name is as long as root's, for the columns.
func anonymous(text string) string {
	text = anySize.ReplaceAllString(anySecret.ReplaceAllString(text, "sekisho_"+strings.Repeat("c0ffee4", 6)), "45056 bytes")
	text = anyHash.ReplaceAllString(text, strings.Repeat("c0ffee42", 8))
	return ownName.ReplaceAllString(anyID.ReplaceAllString(text, "01HZX3VQ8M2N4P6R8T0V2X4Z6B"), "sato (uid 7)")
}

var blanks = regexp.MustCompile(` +`)

// narrow takes the width of columns out of a comparison.
func narrow(text string) string { return blanks.ReplaceAllString(text, " ") }

// TestASupportCall replays the transcript of docs/support.md.
func TestASupportCall(t *testing.T) {
	replayPage(t, openOffice(t, "2007-05-16T10:00:00+09:00"), moduleRoot+"/docs/support.md")
}

// TestTheDesk replays what the verbs about overrides answer, right or wrong.
func TestTheDesk(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"good.csv":  "account,kind,action,reason,until,key\nua700aa007g,grant,open,移転,2007-06-01,k7\nua800ea008h@atson.net,grant,open,x,2007-06-01,k8\n",
		"wrong.csv": "account,kind,action,reason,until,key\nua700aa007g,grant,open,x,2007-06-01,k1\nnobody,grant,opn,x,2007-06-01,k2\nzz,grnt,open,,soon,k3\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := openOffice(t, "2007-05-16T10:00:30+09:00")
	o.dir = dir
	replayPage(t, o, "testdata/desk.md")
}

// replayPage runs what the call blocks of a page say: commands behind "$ ", and
// comments that move the clock or let a subscriber dial in. What comes out must
// stand there; with -update it is written there.
func replayPage(t *testing.T, o *office, page string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	replayed := callFences.ReplaceAllStringFunc(string(text), func(block string) string {
		return "```call\n" + anonymous(o.replay(t, callFences.FindStringSubmatch(block)[1])) + "```"
	})
	if *update {
		if err := os.WriteFile(page, []byte(replayed), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(narrow(string(text)), narrow(replayed)); diff != "" {
		t.Errorf("%s is not what happens; write it anew with go test ./cmd/sekisho -update -run %s\n%s", page, t.Name(), diff)
	}
}

func (o *office) replay(t *testing.T, script string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(script) {
		switch command, isCommand := strings.CutPrefix(line, "$ sekisho "); {
		case isCommand:
			b.WriteString(line + o.command(t, command))
		case strings.HasPrefix(line, "# "):
			b.WriteString(line)
			if at := movedTo.FindString(line); at != "" {
				o.move(t, at)
			}
			if who := logsIn.FindStringSubmatch(line); who != nil {
				b.WriteString(o.login(t, who[1]))
			}
		}
	}
	return b.String()
}

// command runs a line of a page; the id in it stands for the last one that was
// printed, and DIR for the folder of the test.
func (o *office) command(t *testing.T, line string) string {
	t.Helper()
	args := words(strings.ReplaceAll(anyID.ReplaceAllString(line, o.lastID), "DIR/", o.dir+"/"))
	r := o.run(t, args...)
	if id := anyID.FindString(r.stdout); id != "" {
		o.lastID = id
	}
	out := r.stderr + r.stdout
	if o.dir != "" {
		out = strings.ReplaceAll(out, o.dir, "DIR")
	}
	if r.code != exitOK {
		out += fmt.Sprintf("(exit code %d)\n", r.code)
	}
	return out
}

var quoted = regexp.MustCompile(`"[^"]*"|\S+`)

// words takes a command line apart as a shell does, as far as the page needs it.
func words(line string) (words []string) {
	for _, word := range quoted.FindAllString(line, -1) {
		words = append(words, strings.Trim(word, `"`))
	}
	return words
}
