package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const serveSite = `listen: {auth: "127.0.0.1:0"}
admin: {socket: %[1]s/s}
store: {path: %[1]s/db}
policy: asahi-net
nas:
  bras-1: {source: 127.0.0.1, secret: a-secret-of-the-test, profile: filter-id}
aaa:
  servers: {home: {address: 127.0.0.1, auth-port: 9, acct-port: 0, secret: a-secret-of-the-test}}
  pools: {main: {servers: home}}
  realms: {"*": main}
`

// TestServeObeysSignals runs the verb in this process, which therefore gets
// the signals: no other test may run at the same time.
func TestServeObeysSignals(t *testing.T) {
	dir, err := os.MkdirTemp("", "serve") // the names of t.TempDir are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := filepath.Join(dir, "sekisho.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := fmt.Sprintf(serveSite, dir)
	write(good)
	log := &awaited{}
	app := newApp()
	app.ErrWriter = log
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() {
		done <- app.RunContext(ctx, []string{"sekisho", "serve", "--config", file, "--clock", "2007-05-14T23:59:59+09:00"})
	}()
	log.await(t, "msg=ready .*policy=asahi-net")
	log.await(t, "rehearsal: .*2007-05-14T23:59:59")
	raise(t, syscall.SIGHUP)
	log.await(t, "msg=reloaded")
	write(strings.Replace(good, "profile: filter-id", "profile: filter-di", 1))
	raise(t, syscall.SIGHUP)
	log.await(t, `the old configuration stays.*there is no profile`)
	if r := sekisho(t, "", "status", "--socket", dir+"/s"); !strings.Contains(r.stdout, "RELOAD FAILED") {
		t.Errorf("status: %s %s", r.stdout, r.stderr)
	}
	raise(t, syscall.SIGTERM)
	log.await(t, "msg=stopping signal=terminated")
	log.await(t, "msg=stopped")
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir + "/s"); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func raise(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Fatal(err)
	}
}

// awaited is a log that a test waits on.
type awaited struct {
	mu   sync.Mutex
	text strings.Builder
}

func (a *awaited) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text.Write(b)
}

func (a *awaited) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text.String()
}

func (a *awaited) await(t *testing.T, pattern string) {
	t.Helper()
	want := regexp.MustCompile("(?s)" + pattern)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for over := time.After(10 * time.Second); ; {
		if want.MatchString(a.String()) {
			return
		}
		select {
		case <-over:
			t.Fatalf("waited in vain for %q in\n%s", pattern, a.String())
		case <-tick.C:
		}
	}
}
