package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/radius/radiustest"
)

var kills = flag.Int("kills", 3, "how often TestDaemonIsKilledWhileItTellsRouters kills it")

// asProgram makes a copy of the test binary the program itself.
const asProgram = "SEKISHO_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

const killSite = `listen: {auth: "127.0.0.1:0", acct: "127.0.0.1:0"}
admin: {socket: %[1]s/s}
store: {path: %[1]s/db}
policy: asahi-net
profiles: {open-again: {base: filter-id, open-filter: op25b-off}}
nas:
  bras-1: {source: 127.0.0.1, secret: a-secret-of-the-test, profile: open-again, coa: {port: %[2]d, rate: 120, window: 10}}
aaa:
  servers: {home: {address: 127.0.0.1, auth-port: %[3]d, acct-port: %[3]d, secret: a-secret-of-the-test}}
  pools: {main: {servers: home}}
  realms: {"*": main}
`

// killedLines is how many sessions are live at the router.
const killedLines = 60

// hunted is a daemon in a process of its own, with its router.
type hunted struct {
	testing.TB
	dir    string
	client *admin.Client
	lines  *radiustest.Lines
	child  *exec.Cmd
	log    *bytes.Buffer
}

// TestDaemonIsKilledWhileItTellsRouters grants port 25 to everybody, takes the
// grants back when a few sessions are open, kills the daemon with SIGKILL and
// starts it again: that they are open stood in no row of the table, and yet
// every session ends with the filter, and no drift is right.
func TestDaemonIsKilledWhileItTellsRouters(t *testing.T) {
	t.Parallel()
	h := newHunted(t)
	h.start()
	h.logIn()
	h.wantAll("op25b")
	told := 0
	for i := range *kills {
		h.grant()
		h.until("some sessions are open", func() bool { return h.open() > rand.IntN(killedLines/2) })
		h.revoke()
		h.kill()
		told += h.open()
		h.start()
		if h.wantAll("op25b"); t.Failed() {
			t.Fatalf("after kill %d", i+1)
		}
	}
	t.Logf("%d kills, %d sessions were open before one", *kills, told)
}

func newHunted(t testing.TB) *hunted {
	dir, err := os.MkdirTemp("", "kill") // the names of t.TempDir are too long for a socket
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	var names []string
	for i := range killedLines {
		names = append(names, lineName(i))
	}
	h := &hunted{TB: t, dir: dir, client: admin.Dial(dir + "/s"), lines: radiustest.NewLines("op25b", names...)}
	router, err := radiustest.NewSlowRouter("a-secret-of-the-test", time.Millisecond, h.lines.Answer)
	must(t, err)
	t.Cleanup(router.Close)
	aaa, err := radiustest.NewAAA("a-secret-of-the-test", radiustest.Users(nil))
	must(t, err)
	t.Cleanup(aaa.Close)
	must(t, os.WriteFile(filepath.Join(dir, "site.yaml"), fmt.Appendf(nil, killSite, dir, router.Addr.Port(), aaa.Addr.Port()), 0o600))
	return h
}

func lineName(i int) string { return fmt.Sprintf("%08X", i) }
func userName(i int) string { return fmt.Sprintf("ua%03daa%03d", i, i) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *hunted) must(err error) {
	h.Helper()
	must(h, err)
}

// start runs the daemon and waits until its door is open.
func (h *hunted) start() {
	h.Helper()
	self, err := os.Executable()
	h.must(err)
	h.log = &bytes.Buffer{}
	h.child = exec.Command(self, "serve", "--config", filepath.Join(h.dir, "site.yaml"))
	h.child.Env = append(os.Environ(), asProgram+"=1")
	h.child.Stderr = h.log
	h.child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	h.must(h.child.Start())
	child := h.child
	h.Cleanup(func() { _ = child.Process.Kill() })
	h.until("the door is open", func() bool {
		_, err := h.client.Status(context.Background())
		return err == nil
	})
}

// logIn imports the contracts, begins all sessions, and waits until they are on
// disk with what their router was told.
func (h *hunted) logIn() {
	h.Helper()
	contracts := "account,course,options\n"
	for i := range killedLines {
		contracts += userName(i) + ",ADSLアッカコース(12M),\n"
	}
	_, err := h.client.ImportContracts(context.Background(), "contracts.csv", strings.NewReader(contracts), admin.ImportOptions{})
	h.must(err)
	status, err := h.client.Status(context.Background())
	h.must(err)
	nas, err := radiustest.NewNAS(netip.MustParseAddrPort(status.Acct[0]), "a-secret-of-the-test")
	h.must(err)
	defer nas.Close()
	for i := range killedLines {
		_, err := nas.Exchange(nas.Request(radiustest.AccountingRequest,
			radiustest.Attr(radiustest.UserName, userName(i)+"@atson.net"),
			radiustest.Attr(radiustest.AcctSessionID, lineName(i)),
			radiustest.Number(radiustest.AcctStatusType, 1),
		), 5*time.Second)
		h.must(err)
	}
	h.until("all sessions are on disk", func() bool { return h.applied("block") && !h.unsaved() })
}

// grant opens port 25 to everybody.
func (h *hunted) grant() {
	h.Helper()
	for i := range killedLines {
		_, err := h.client.AddOverride(context.Background(), admin.NewOverride{
			Account: userName(i), Kind: "grant", Action: "open", Reason: "own mail server", Until: time.Now().AddDate(0, 0, 7).Format(time.DateOnly),
		}, "", false)
		h.must(err)
	}
}

func (h *hunted) kill() {
	h.Helper()
	h.must(h.child.Process.Kill())
	_ = h.child.Wait() // it was killed
}

// open counts the sessions whose port 25 is open.
func (h *hunted) open() int { return h.lines.Count()["op25b-off"] }

// revoke takes all grants back.
func (h *hunted) revoke() {
	h.Helper()
	for o, err := range h.client.AllOverrides(context.Background(), admin.OverrideQuery{States: []string{"active"}}) {
		h.must(err)
		_, err = h.client.RevokeOverride(context.Background(), o.ID, o.Version, "spam", false)
		h.must(err)
	}
}

// wantAll waits until every session has this filter, no drift is listed, and
// what is listed is what the router does.
func (h *hunted) wantAll(filter string) {
	h.Helper()
	h.until("every session is as it is wanted", func() bool { return h.applied("block") && h.lines.Count()[filter] == killedLines })
}

// applied reports whether all sessions are known to have an action, and to need
// no other.
func (h *hunted) applied(action string) bool {
	n := 0
	for s, err := range h.client.AllSessions(context.Background(), admin.SessionQuery{}) {
		if err != nil || s.Applied != action || s.Wanted != action || s.Drift {
			return false
		}
		n++
	}
	return n == killedLines
}

// unsaved reports whether changes of sessions are not on disk.
func (h *hunted) unsaved() bool {
	h.Helper()
	door := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", h.dir+"/s")
	}}}
	answer, err := door.Get("http://sekisho/metrics")
	h.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	h.must(err)
	return !bytes.Contains(text, []byte("\nsekisho_sessions_unsaved 0\n"))
}

func (h *hunted) until(what string, is func() bool) {
	h.Helper()
	for end := time.Now().Add(15 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			h.Fatalf("waited in vain until %s: filters %v\n%s", what, h.lines.Count(), h.log)
		}
	}
}
