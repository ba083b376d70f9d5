package ldapsync

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/store"
	"sekisho/store/storetest"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/uuid"
)

// fake is a directory in memory. What it does wrong a test says.
type fake struct {
	mu       sync.Mutex
	entries  map[int]map[string][]string
	changed  map[int]int64 // by entry, the number of its last change
	gone     map[int]int64
	last     int64
	refused  error     // of every connection
	script   []step    // instead of what Syncrepl would say in its refresh
	live     chan step // what it says after that
	requests []string  // filters, and cookies of Syncrepl
	dials    []string
	root     map[string][]string
	breaks   bool // the connection is lost in the middle, without a word
	refer    string
	noCookie bool // with the page
	noID     bool
	probe    error
	mute     bool // a probe is not answered
	probes   int
}

// step is one message.
type step struct {
	entry    *ldap.Entry
	referral string
	controls []ldap.Control
	err      error
}

func newFake() *fake {
	return &fake{entries: map[int]map[string][]string{}, changed: map[int]int64{}, gone: map[int]int64{}, live: make(chan step, 100)}
}

// put sets an entry: "uid=a course=x".
func (f *fake) put(n int, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := map[string][]string{}
	for _, pair := range strings.Fields(text) {
		name, value, _ := strings.Cut(pair, "=")
		e[name] = append(e[name], value)
	}
	f.last++
	f.entries[n], f.changed[n] = e, f.last
	delete(f.gone, n)
}

func (f *fake) remove(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	delete(f.entries, n)
	f.gone[n] = f.last
}

func idOf(n int) (id uuid.UUID) {
	binary.BigEndian.PutUint32(id[:], uint32(n))
	return id
}

func (f *fake) entry(n int) *ldap.Entry {
	id := idOf(n)
	all := maps.Clone(f.entries[n])
	if !f.noID {
		all["entryUUID"] = []string{id.String()}
	}
	all["modifyTimestamp"] = []string{noon.Add(time.Duration(f.changed[n]) * time.Minute).Format(generalized)}
	return ldap.NewEntry(fmt.Sprintf("cn=%d", n), all)
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Dial makes the fake a Dialer.
func (f *fake) Dial(_ context.Context, server string) (Connection, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials = append(f.dials, server)
	if f.refused != nil {
		return nil, f.refused
	}
	return &fakeConn{fake: f}, nil
}

// fakeConn is one connection to it.
type fakeConn struct {
	*fake
	lost error
}

func (c *fakeConn) Close()      {}
func (c *fakeConn) Lost() error { return c.lost }

func (c *fakeConn) Probe(ctx context.Context) error {
	c.mu.Lock()
	c.probes++
	mute, err := c.mute, c.probe
	c.mu.Unlock()
	if mute {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

var since = regexp.MustCompile(`\((modifyTimestamp|uSNChanged)>=([0-9Z]+)\)`)

func (c *fakeConn) Search(_ context.Context, r *ldap.SearchRequest) ldap.Response {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.BaseDN == "" {
		return &answer{steps: []step{{entry: ldap.NewEntry("", c.root)}}}
	}
	c.requests = append(c.requests, r.Filter)
	from := int64(0)
	if m := since.FindStringSubmatch(r.Filter); m != nil {
		if at, err := time.Parse(generalized, m[2]); err == nil {
			from = int64(at.Sub(noon).Minutes())
		} else {
			from, _ = strconv.ParseInt(m[2], 10, 64)
		}
	}
	a := &answer{}
	for _, n := range slices.Sorted(maps.Keys(c.entries)) {
		if c.changed[n] >= from {
			a.steps = append(a.steps, step{entry: c.entry(n)})
		}
	}
	return c.paged(a, r)
}

// paged cuts an answer down to the page that is asked for; a cookie is a number.
func (c *fakeConn) paged(a *answer, r *ldap.SearchRequest) ldap.Response {
	if c.refer != "" {
		a.steps = append(a.steps, step{referral: c.refer})
	}
	if c.breaks {
		a.steps, c.lost = a.steps[:len(a.steps)/2], errLost
	}
	paging, ok := ldap.FindControl(r.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
	if !ok {
		return a
	}
	at, _ := strconv.Atoi(string(paging.Cookie))
	end := min(at+int(paging.PagingSize), len(a.steps))
	reply := ldap.NewControlPaging(0)
	if end < len(a.steps) {
		reply.Cookie = []byte(strconv.Itoa(end))
	}
	a.steps = a.steps[at:end]
	if !c.noCookie {
		a.steps = append(a.steps, step{controls: []ldap.Control{reply}})
	}
	return a
}

func state(n int, s ldap.ControlSyncStateState, cookie string) ldap.Control {
	return &ldap.ControlSyncState{State: s, EntryUUID: idOf(n), Cookie: []byte(cookie)}
}

func refreshEnd(deletes bool, cookie string) step {
	c := &ldap.ControlSyncInfo{}
	if deletes {
		c.RefreshDelete = &ldap.ControlSyncInfoRefreshDelete{Cookie: []byte(cookie), RefreshDone: true}
	} else {
		c.RefreshPresent = &ldap.ControlSyncInfoRefreshPresent{Cookie: []byte(cookie), RefreshDone: true}
	}
	return step{controls: []ldap.Control{c}}
}

func idSet(deletes bool, ids ...int) step {
	set := &ldap.ControlSyncInfoSyncIdSet{RefreshDeletes: deletes}
	for _, n := range ids {
		set.SyncUUIDs = append(set.SyncUUIDs, idOf(n))
	}
	return step{controls: []ldap.Control{&ldap.ControlSyncInfo{SyncIdSet: set}}}
}

// Syncrepl says what has changed since the cookie, as slapd does.
func (c *fakeConn) Syncrepl(ctx context.Context, r *ldap.SearchRequest, cookie []byte) ldap.Response {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(r.Controls) > 0 {
		panic("the request was used before")
	}
	c.requests = append(c.requests, "cookie "+string(cookie))
	a := &answer{ctx: ctx, live: c.live}
	if c.script != nil {
		a.steps, c.script = c.script, nil
		return a
	}
	from, _ := strconv.ParseInt(string(cookie), 10, 64)
	var gone []int
	for n, at := range c.gone {
		if at > from && len(cookie) > 0 {
			gone = append(gone, n)
		}
	}
	if len(gone) > 0 {
		a.steps = append(a.steps, idSet(true, gone...))
	}
	for _, n := range slices.Sorted(maps.Keys(c.entries)) {
		if c.changed[n] > from {
			a.steps = append(a.steps, step{entry: c.entry(n), controls: []ldap.Control{state(n, ldap.SyncStateAdd, "")}})
		}
	}
	next := ""
	if c.last > from {
		next = strconv.FormatInt(c.last, 10)
	}
	a.steps = append(a.steps, refreshEnd(true, next))
	if c.breaks {
		a.steps, c.lost, a.live = a.steps[:len(a.steps)/2], errLost, nil
	}
	return a
}

// answer gives steps, then those of live, if there is one.
type answer struct {
	ctx   context.Context
	steps []step
	live  chan step
	now   step
}

func (a *answer) Next() bool {
	if len(a.steps) > 0 {
		a.now, a.steps = a.steps[0], a.steps[1:]
		return a.now.err == nil
	}
	if a.live == nil {
		return false
	}
	select {
	case s := <-a.live:
		a.now = s
		return s.err == nil
	case <-a.ctx.Done():
		a.now = step{}
		return false // and no error: go-ldap ends so, too
	}
}

func (a *answer) Entry() *ldap.Entry       { return a.now.entry }
func (a *answer) Referral() string         { return a.now.referral }
func (a *answer) Controls() []ldap.Control { return a.now.controls }
func (a *answer) Err() error               { return a.now.err }

// hands is a clock whose waits end when a test says so.
type hands struct {
	mu    sync.Mutex
	at    time.Time
	waits map[chan time.Time]time.Time
	asked []time.Duration
}

func newHands() *hands { return &hands{at: noon, waits: map[chan time.Time]time.Time{}} }

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hands) After(d time.Duration) <-chan time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := make(chan time.Time, 1)
	h.asked = append(h.asked, d)
	h.waits[c] = h.at.Add(d)
	return c
}

func (h *hands) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
	for c, until := range h.waits {
		if !until.After(h.at) {
			c <- h.at
			delete(h.waits, c)
		}
	}
}

// bench is a Syncer of a fake.
type bench struct {
	*Syncer
	t     *testing.T
	dir   *fake
	clock *hands
	st    *store.Store
	end   func()
}

func testConfig() Config {
	return Config{
		Connect: Connect{Servers: []string{"ldap://one", "ldap://two"}}, Method: Syncrepl,
		Search: Search{Base: "o=isp", Filter: "(uid=*)"},
		Mapping: NewMapping([]Field{
			{Name: "account", Attributes: []string{"uid"}}, {Name: "course", Attributes: []string{"course"}}, {Name: "status", Attributes: []string{"status"}},
		}),
		Guards: store.DirectoryGuards{Guards: store.Guards{MinContracts: 1}},
	}
}

func start(t *testing.T, dir *fake, st *store.Store, change func(*Config)) *bench {
	t.Helper()
	c := testConfig()
	if change != nil {
		change(&c)
	}
	if st == nil {
		st = storetest.Open(t)
	}
	b := &bench{t: t, dir: dir, clock: newHands(), st: st}
	b.Syncer = New(c, st, Options{Dialer: dir, Clock: b.clock, Log: slog.New(slog.NewTextHandler(&logged{t: t}, nil))})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Run(ctx)
	}()
	b.end = func() {
		cancel()
		<-done
	}
	t.Cleanup(b.end)
	return b
}

type logged struct {
	t  *testing.T
	mu sync.Mutex
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.t.Log(string(bytes.TrimSpace(p)))
	return len(p), nil
}

// until waits for the Syncer's goroutine.
func (b *bench) until(what string, is func() bool) {
	b.t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); {
		if time.Now().After(end) {
			s := b.Status()
			b.t.Fatalf("still waiting for %s: phase %s, contracts %s, last error %q, %v", what, s.Phase, b.contracts(), s.LastError, s.Errors)
		}
		time.Sleep(time.Millisecond)
	}
}

func (b *bench) phase(p Phase) {
	b.t.Helper()
	b.until("phase "+string(p), func() bool { return b.Status().Phase == p })
}

func (b *bench) becomes(want string) {
	b.t.Helper()
	b.until(want, func() bool { return b.contracts() == want })
}

func (b *bench) contracts() string {
	var all []string
	for c, err := range b.st.AllContracts("") {
		if err != nil {
			return err.Error()
		}
		all = append(all, c.Account+"="+c.Course)
	}
	return strings.Join(all, " ")
}

func (b *bench) asked() []string {
	b.dir.mu.Lock()
	defer b.dir.mu.Unlock()
	return slices.Clone(b.dir.requests)
}
