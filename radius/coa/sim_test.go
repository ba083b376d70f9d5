package coa

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/radiustest"
	"sekisho/radius/session"
)

// table is a session table without index or disk.
type table struct {
	mu    sync.Mutex
	all   map[session.ID]*session.Session
	due   map[session.ID]bool
	ended map[session.ID]string
}

func (t *table) Get(id session.ID) (session.Session, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.all[id]
	if !ok {
		return session.Session{}, false
	}
	return *s, true
}

func (t *table) Account(account string) (ids []session.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, s := range t.all {
		if s.Account == account {
			ids = append(ids, id)
		}
	}
	return ids
}

func (t *table) Named(acct string) (ids []session.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range t.all {
		if id.AcctSession == acct {
			ids = append(ids, id)
		}
	}
	return ids
}

func (t *table) Due(now time.Time) (ids []session.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, s := range t.all {
		if t.due[id] || !s.Until.IsZero() && !s.Until.After(now) {
			ids = append(ids, id)
			delete(t.due, id)
			s.Until = time.Time{}
		}
	}
	return ids
}

func (t *table) Changed() <-chan struct{} { return nil }

func (t *table) Decided(id session.ID, d engine.Decision, _ time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.all[id]; s != nil {
		if s.Wanted != d.Action {
			s.Why = "" // as session.Table does
		}
		s.Wanted, s.Rule, s.Until = d.Action, d.Rule, d.Until
	}
}

func (t *table) Told(id session.ID, action string, proof session.Proof, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.all[id]
	if s == nil {
		return
	}
	if s.Why = why; proof != session.NotTold {
		s.Applied, s.Proof, s.Words, s.Outdated = action, proof, "", false
	}
}

func (t *table) Worded(id session.ID, words string, outdated bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.all[id]; s != nil {
		s.Words, s.Outdated = words, outdated
	}
}

func (t *table) Telling(id session.ID, action string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.all[id]; s != nil {
		s.Telling = action
	}
}

func (t *table) Gone(id session.ID, reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, id)
	t.ended[id] = reason
}

// markAll makes every session due, as a new policy does.
func (t *table) markAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range t.all {
		t.due[id] = true
	}
}

// count counts the sessions by what their routers were told.
func (t *table) count() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := map[string]int{}
	for _, s := range t.all {
		counts[s.Applied]++
	}
	return counts
}

// sim is a keeper whose goroutine is the test's, with routers that answer by a
// function, in simulated time.
type sim struct {
	testing.TB
	*Keeper
	table   *table
	journal Journal
	clock   *radiustest.Clock
	grants  map[string]string // account -> action
	action  string            // of everybody else
	decided func()            // is called for every decision
	until   time.Time

	answer func(nas string, r Request) (Reply, time.Duration)
	routed []sent
	busy   map[string]int
	most   map[string]int
}

// sent is a request that a router got.
type sent struct {
	at  time.Time
	nas string
	r   Request
}

func newSim(t testing.TB, ledger Ledger) *sim {
	t.Helper()
	s := &sim{
		TB:    t,
		table: &table{all: map[session.ID]*session.Session{}, due: map[session.ID]bool{}, ended: map[session.ID]string{}},
		clock: radiustest.NewClock(time.Date(2007, 5, 14, 0, 0, 0, 0, time.UTC)), grants: map[string]string{}, action: "open",
		busy: map[string]int{}, most: map[string]int{},
	}
	s.answer = func(string, Request) (Reply, time.Duration) { return ack, 10 * time.Millisecond }
	s.open(ledger)
	return s
}

// open makes a new keeper over the same sessions: a restart.
func (s *sim) open(ledger Ledger) {
	s.Keeper = NewKeeper(Options{Sessions: s.table, Decider: s, Sender: s, Ledger: ledger, Journal: s.journal, Clock: s.clock.Now, Timers: s.clock})
}

var ack = Reply{Outcome: Done, Code: coaACK}

func nak(cause Cause) Reply {
	r := Reply{Code: coaNAK, Cause: cause}
	r.Outcome = r.meaning()
	return r
}

// Decide is the engine: a grant, or the action of everybody.
func (s *sim) Decide(of *session.Session, now time.Time) (engine.Decision, error) {
	if s.decided != nil {
		s.decided()
	}
	if action, ok := s.grants[of.Account]; ok {
		return engine.Decision{Action: action, Rule: engine.ByOverride}, nil
	}
	if !s.until.IsZero() && !now.Before(s.until) {
		return engine.Decision{Action: "block", Rule: "stage"}, nil
	}
	return engine.Decision{Action: s.action, Rule: "all", Until: s.until}, nil
}

// Send is the routers. Each holds what the pace and the window promise.
func (s *sim) Send(to *NAS, r Request, done func(Reply)) error {
	name := to.Name
	if to.Address != simAddress {
		name = to.Address.String() // one of several
	}
	s.routed = append(s.routed, sent{s.clock.Now(), name, r})
	s.busy[name]++
	s.most[name] = max(s.most[name], s.busy[name])
	reply, after := s.answer(name, r)
	s.clock.AfterFunc(after, func() {
		s.busy[name]--
		done(reply)
	})
	return nil
}

// simAddress is where all routers of a simulation are told; nothing is sent there.
var simAddress = netip.MustParseAddrPort("192.0.2.1:3799")

// router adds a NAS with so many sessions, all open.
func (s *sim) router(name string, sessions int, rate float64, window int) Router {
	s.sessions(Place{NAS: name}, sessions)
	return Router{
		Name: name, Profile: simProfile(s, dict.CoASpec{}), Dictionary: dict.Standard(),
		CoA: &NAS{Name: name, Address: simAddress, Secret: radius.NewSecret([]byte("s")), Rate: rate, Window: window},
	}
}

// sessions adds so many to a router.
func (s *sim) sessions(at Place, sessions int) {
	for i := range sessions {
		id := session.ID{NAS: at.NAS, Box: at.Box, AcctSession: fmt.Sprintf("%s-%06d", at.NAS, i)}
		s.table.all[id] = &session.Session{
			ID: id, Serial: 1, Account: "user" + id.AcctSession, UserName: "user" + id.AcctSession + "@isp.example",
			Identity: []session.Attribute{{Key: dict.Key{Number: typeAcctSessionID}, Value: id.AcctSession}},
			Applied:  "open", Proof: session.Sent, Wanted: "open",
		}
	}
}

func simProfile(t testing.TB, coa dict.CoASpec) *dict.Profile {
	t.Helper()
	p, errs := dict.CompileProfile(dict.Standard(), "test", dict.ProfileSpec{
		Filtered: dict.Sayings{"Filter-Id": {"{filter}"}}, OpenFilter: "op25b-off", CoA: coa,
	}, []dict.Action{{Name: "open"}, {Name: "limit", Filter: "op25b-limit"}, {Name: "block", Filter: "op25b"}})
	if errs != nil {
		t.Fatal(errs)
	}
	return p
}

// settle lets the keeper work without the clock moving.
func (s *sim) settle() {
	for range 10_000 {
		s.scribe.wait()
		s.herald.wait()
		select {
		case <-s.inbox.wake:
			s.step()
		default:
			return
		}
	}
	s.Fatal("the keeper does not come to rest")
}

// run lets time pass in small steps.
func (s *sim) run(d time.Duration) {
	s.step()
	for end := s.clock.Now().Add(d); s.clock.Now().Before(end); {
		s.settle()
		s.clock.Advance(5 * time.Millisecond)
	}
	s.settle()
}

// stage lets a stage begin now.
func (s *sim) stage() {
	s.action = "block"
	s.everything("stage")
}

// everything has every session decided anew.
func (s *sim) everything(why string) {
	s.EverythingChanged(why, s.table.markAll)
	// The marking goroutine posts its end.
	for s.settle(); s.sweep != nil; time.Sleep(time.Millisecond) {
		s.settle()
	}
}

// state tells the states of the newest campaign by NAS.
func (s *sim) states() map[string]string {
	states := map[string]string{}
	if len(s.campaigns) > 0 {
		for _, p := range s.campaigns[len(s.campaigns)-1].parts {
			states[p.NAS] = p.State
		}
	}
	return states
}

func (s *sim) wantStates(want map[string]string) {
	s.Helper()
	if got := s.states(); !maps.Equal(got, want) {
		s.Errorf("campaign is %v, want %v", got, want)
	}
}

func (s *sim) wantCount(want map[string]int) {
	s.Helper()
	if got := s.table.count(); !maps.Equal(got, want) {
		s.Errorf("applied is %v, want %v", got, want)
	}
}

// at counts the requests to a router.
func (s *sim) at(nas string) int {
	return len(slices.DeleteFunc(slices.Clone(s.routed), func(r sent) bool { return r.nas != nas }))
}

var errRefused = errors.New("connection refused")
