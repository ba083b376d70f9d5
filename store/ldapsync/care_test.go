package ldapsync

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"sekisho/store"
	"sekisho/store/storetest"

	"github.com/go-ldap/ldap/v3"
)

// TestGraceDoesNotEndUnseen: as long as the directory does not answer nobody
// knows whether the entry is back.
func TestGraceDoesNotEndUnseen(t *testing.T) {
	t.Parallel()
	dir := three()
	b := start(t, dir, nil, func(c *Config) { c.Times.Grace = time.Hour })
	b.phase(Following)
	dir.remove(0)
	if _, err := b.Sync(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	b.phase(Following)
	dir.mu.Lock()
	dir.refused = errors.New("connection refused")
	dir.mu.Unlock()
	dir.live <- step{err: io.ErrUnexpectedEOF}
	b.until("ten failures", func() bool { b.clock.pass(100 * 365 * 24 * time.Hour); return b.Status().Failures >= 10 })
	if got := b.contracts(); got != "a=x b=y c=z" {
		t.Errorf("got %s while the directory was away", got)
	}
	dir.put(0, "uid=a course=x")
	dir.mu.Lock()
	dir.refused = nil
	dir.mu.Unlock()
	b.until("the directory back", func() bool { b.clock.pass(2 * longestWait); return b.Status().Phase == Following })
	if got := b.contracts(); got != "a=x b=y c=z" || b.Status().Directory.Missing != 0 || b.Status().Added != 3 {
		t.Errorf("got %s, %+v", got, b.Status())
	}
}

// TestWhatAComparisonHoldsStaysHeld: a poll does not see what it saw.
func TestWhatAComparisonHoldsStaysHeld(t *testing.T) {
	t.Parallel()
	dir := newFake()
	for i := range 30 {
		dir.put(i, fmt.Sprintf("uid=u%02d course=x", i))
	}
	b := start(t, dir, nil, func(c *Config) { c.Method, c.Guards.MaxDeletes = Timestamp, 5 })
	b.phase(Waiting)
	for i := range 10 {
		dir.remove(i)
	}
	var held *store.HeldError
	if _, err := b.Sync(t.Context(), RunOptions{Full: true}); !errors.As(err, &held) {
		t.Fatal(err)
	}
	asked := len(b.asked())
	b.until("another look", func() bool { b.clock.pass(time.Minute); return len(b.asked()) > asked && b.Status().Phase != Reading })
	b.until("its end", func() bool { p := b.Status().Phase; return p == Holding || p == Waiting })
	if now := b.Status().Directory.Held; now == nil || now.ID != held.ID {
		t.Errorf("held %+v, before %s", now, held.ID)
	}
	if err := b.Drop(t.Context(), store.By{Who: "boss"}, held.ID); err != nil {
		t.Fatal(err)
	}
	b.until("it to be found again", func() bool { h := b.Status().Directory.Held; return h != nil && h.ID != held.ID })
}

// TestServerThatDoesNotAnswer: it goes on sending, perhaps, but not what it was
// asked for.
func TestServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	dir := three()
	dir.mute = true
	b := start(t, dir, nil, nil)
	b.phase(Following)
	for range 3 {
		b.clock.pass(probeEvery)
		time.Sleep(10 * time.Millisecond)
	}
	b.until("the loss", func() bool { b.clock.pass(probeEvery); return b.Status().Errors["connect"] > 0 })
	dir.mu.Lock()
	defer dir.mu.Unlock()
	if dir.probes > len(dir.dials) {
		t.Errorf("%d probes on %d connections", dir.probes, len(dir.dials))
	}
}

// TestModifiedInTheFuture: one wrong clock does not hide all later changes.
func TestModifiedInTheFuture(t *testing.T) {
	t.Parallel()
	dir := three()
	dir.changed[2] = 10 * 365 * 24 * 60
	b := start(t, dir, nil, func(c *Config) { c.Method = Timestamp })
	b.phase(Waiting)
	dir.put(1, "uid=b course=new")
	for range 3 {
		asked := len(b.asked())
		b.until("a poll", func() bool { b.clock.pass(time.Minute); return len(b.asked()) > asked })
		b.phase(Waiting)
	}
	b.becomes("a=x b=new c=z")
}

// TestNamedIsNotCompared: a refresh that only names what has not changed does
// not put off the comparison.
func TestNamedIsNotCompared(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	b := start(t, three(), st, nil)
	b.phase(Following)
	b.end()
	before, err := st.Directory(Source)
	if err != nil {
		t.Fatal(err)
	}
	dir := three()
	dir.script = []step{idSet(false, 0, 1), refreshEnd(false, "4")}
	b = start(t, dir, st, nil)
	b.phase(Following)
	b.becomes("a=x b=y")
	if after := b.Status().Directory; !after.Loaded.Equal(before.Loaded) || !after.Applied.After(before.Applied) {
		t.Errorf("loaded %s, before %s", after.Loaded, before.Loaded)
	}
}

// TestComparisonsAreNotEndless: a server that wants one after each.
func TestComparisonsAreNotEndless(t *testing.T) {
	t.Parallel()
	dir := three()
	for range 50 {
		dir.live <- step{controls: []ldap.Control{&ldap.ControlSyncInfo{RefreshPresent: &ldap.ControlSyncInfoRefreshPresent{}}}}
	}
	b := start(t, dir, nil, nil)
	b.until("a second one", func() bool { return len(b.asked()) >= 2 })
	time.Sleep(100 * time.Millisecond)
	if asked := len(b.asked()); asked > 3 {
		t.Errorf("%d comparisons at once", asked)
	}
}
