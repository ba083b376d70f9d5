package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/cmd/internal/daemon"
	"sekisho/radius/radiustest"
)

const (
	deskSecret   = "a secret of the tests of the verbs"
	deskPassword = "himitsu"
	deskSession  = "0000001A"
)

const deskSite = `listen: {auth: "127.0.0.1:0", acct: "127.0.0.1:0"}
admin: {socket: %[1]s/s, listen: "127.0.0.1:0"}
store: {path: %[1]s/db}
policy: asahi-net
nas:
  bras-tokyo: {source: 127.0.0.1, nas-ip-address: 192.0.2.1, secret: %[2]s, area: tokyo, profile: filter-id}
  bras-osaka: {source: 127.0.0.1, nas-ip-address: 192.0.2.2, secret: %[2]s, area: osaka, profile: open-again, coa: {port: %[4]d}}
profiles: {open-again: {base: filter-id, open-filter: op25b-off}}
aaa:
  servers: {home: {address: 127.0.0.1, auth-port: %[3]d, acct-port: %[3]d, secret: %[2]s}}
  pools: {main: {servers: home}}
  realms: {"*": main}
`

// office is a whole installation on loopback, with a clock that tests move.
type office struct {
	daemon *daemon.Daemon
	router *radiustest.Lines // of bras-osaka
	mute   atomic.Bool       // it answers nothing
	told   string            // the filter that it was told last
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
	o := &office{router: radiustest.NewLines("", deskSession)}
	router, err := radiustest.NewRouter(deskSecret, func(r *radiustest.Request) [][]byte {
		if o.mute.Load() {
			return nil
		}
		return o.router.Answer(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(router.Close)
	dir, err := os.MkdirTemp("", "desk") // the names of t.TempDir are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := filepath.Join(dir, "sekisho.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, deskSite, dir, deskSecret, aaa.Addr.Port(), router.Addr.Port()), 0o600); err != nil {
		t.Fatal(err)
	}
	conf, problems := config.Load(file)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	o.socket = conf.Socket
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

// login dials in at a NAS and tells what the router was told.
func (o *office) login(t *testing.T, nas netip.Addr, user string) string {
	t.Helper()
	auth, _ := o.daemon.Addresses()
	reply := askAsRouter(t, auth[0], radiustest.AccessRequest, radiustest.PAP(user, deskPassword, radiustest.MA(),
		radiustest.Attribute{Type: radiustest.NASIPAddress, Value: nas.AsSlice()})...)
	switch {
	case reply.Code != radiustest.AccessAccept:
		t.Fatalf("%s: code %d", user, reply.Code)
	case reply.Value(radiustest.FilterID) == "":
		return "Access-Accept without a Filter-Id\n"
	}
	return fmt.Sprintf("Access-Accept with Filter-Id = %q\n", reply.Value(radiustest.FilterID))
}

// askAsRouter asks the daemon something as a router does.
func askAsRouter(t *testing.T, at string, code byte, attributes ...radiustest.Attribute) *radiustest.Packet {
	t.Helper()
	nas, err := radiustest.NewNAS(netip.MustParseAddrPort(at), deskSecret)
	if err != nil {
		t.Fatal(err)
	}
	defer nas.Close()
	reply, err := nas.Exchange(nas.Request(code, attributes...), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// online lets a subscriber come at a NAS and stay.
func (o *office) online(t *testing.T, nas netip.Addr, user string) string {
	t.Helper()
	told := o.login(t, nas, user)
	_, acct := o.daemon.Addresses()
	askAsRouter(t, acct[0], radiustest.AccountingRequest, radiustest.Attribute{Type: radiustest.NASIPAddress, Value: nas.AsSlice()},
		radiustest.Attr(radiustest.UserName, user), radiustest.Attr(radiustest.AcctSessionID, deskSession), radiustest.Number(radiustest.AcctStatusType, 1))
	client := admin.Dial(o.socket)
	defer client.Close()
	try := admin.NewOverride{Account: user, Kind: "grant", Action: "open", Reason: "to see the session"}
	eventually(t, "the session is live", func() bool {
		seen, err := client.AddOverride(t.Context(), try, "", true)
		return err == nil && len(seen.Effect.Sessions) == 1 && seen.Effect.Sessions[0].Applied != ""
	})
	return told
}

// filtered waits until bras-osaka is told something else about the session.
func (o *office) filtered(t *testing.T) string {
	t.Helper()
	before := o.told
	eventually(t, "the router is told", func() bool {
		o.told, _, _ = o.router.Filter(deskSession)
		return o.told != before
	})
	return fmt.Sprintf("CoA-Request with Filter-Id = %q, acknowledged\n", o.told)
}

func eventually(t *testing.T, what string, happens func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for over := time.After(10 * time.Second); !happens(); {
		select {
		case <-over:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

var deskTokyo, deskOsaka = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")

// deskNAS are the routers of the office by their names, bras-osaka where a page
// names none.
var deskNAS = map[string]netip.Addr{"": deskOsaka, "bras-osaka": deskOsaka, "bras-tokyo": deskTokyo}
