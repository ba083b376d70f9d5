package radius_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/coa"
	"sekisho/radius/radiustest"
)

// The secrets of the two sides. They differ, so that nothing which is bound to
// one of them can pass for right on the other side.
const (
	nasSecret = "kyoto-bras-1"
	aaaSecret = "tokyo-aaa-secret"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// The requests of the tests carry this authenticator unless they say otherwise.
const authenticator = " 000102030405060708090a0b0c0d0e0f "

// setup is what a test may change before its proxy starts.
type setup struct {
	config      radius.Config
	nas         radius.NAS
	server      radius.AAA
	profile     *dict.ProfileSpec // nil: the NAS has none
	policy      engine.Spec
	subscribers radius.Subscribers
	answer      func(*radiustest.Request) [][]byte
	latches     radius.Latches
	sessions    radius.Sessions
	today       time.Time           // for the policy, when the proxy starts
	told        **radiustest.Router // where the NAS takes CoA; nil: nowhere
	aside       int                 // how many decisions may take long at once; 0: as many as ever
}

// site is a running proxy between a router and an AAA server.
type site struct {
	testing.TB
	setup    setup
	proxy    proxy
	nas      *radiustest.NAS // towards the proxy's auth port
	acct     *radiustest.NAS // towards its acct port
	aaa      *radiustest.AAA // takes both kinds, on one port
	timer    *clock          // of time-outs
	now      *clock          // of the policy
	log      *logBuffer
	keeper   *coa.Keeper // tells sessions, where the proxy is in this process
	authAddr netip.AddrPort
	acctAddr netip.AddrPort
}

// proxy is a running one as its tests see it: in this process or, for the
// conformance cases, in one of its own.
type proxy interface {
	Addresses() (auth, acct []netip.AddrPort)
	Stats() radius.Stats
	Sweep()
}

// start runs a proxy until the test ends.
func start(t testing.TB, changes ...func(*setup)) *site {
	t.Helper()
	s := prepare(t, changes)
	if runsTheBinary(t) {
		s.startDaemon()
	} else {
		s.startInside()
	}
	auths, accts := s.proxy.Addresses()
	s.authAddr, s.acctAddr = auths[0], accts[0]
	s.nas, s.acct = s.router(netip.AddrPort{}, s.authAddr), s.router(netip.AddrPort{}, s.acctAddr)
	return s
}

// prepare makes everything of a site but its proxy.
func prepare(t testing.TB, changes []func(*setup)) *site {
	t.Helper()
	s := &site{TB: t, setup: defaults(), log: &logBuffer{}}
	for _, change := range changes {
		change(&s.setup)
	}
	var err error
	s.aaa, err = radiustest.NewAAA(aaaSecret, s.setup.answer)
	must(t, err)
	t.Cleanup(s.aaa.Close)
	if s.setup.told != nil {
		s.startRouter()
	}
	return s
}

// startInside runs the proxy in this process, on clocks that the test sets.
func (s *site) startInside() {
	s.Helper()
	s.timer, s.now = newClock(s.setup.today), newClock(s.setup.today)
	config := s.config()
	p, err := radius.Start(config, radius.Options{
		Subscribers: s.setup.subscribers,
		Clock:       s.now.Now,
		Log:         slog.New(slog.NewTextHandler(s.log, nil)),
		Latches:     s.setup.latches,
		Sessions:    s.setup.sessions,
	}.WithTimer(s.timer.Now).WithAside(s.setup.aside))
	must(s, err)
	s.proxy = p
	s.Cleanup(s.stopInside)
	if s.setup.told != nil {
		s.startKeeper(config)
	}
}

// inside is the proxy of a test that does with it what only its own process
// can.
func (s *site) inside() *radius.Proxy { return s.proxy.(*radius.Proxy) }

// june is a day on which the stage of the policy is in force.
var june = time.Date(2007, 6, 1, 0, 0, 0, 0, time.UTC)

func defaults() setup {
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	return setup{
		config: radius.Config{
			Auth:       []netip.AddrPort{loopback},
			Acct:       []netip.AddrPort{loopback},
			Dictionary: dict.Standard(),
		},
		nas:         radius.NAS{Name: "bras1", Source: netip.MustParsePrefix("127.0.0.1/32"), Secret: radius.NewSecret([]byte(nasSecret)), Area: "tokyo"},
		server:      radius.AAA{Name: "tokyo-1", Secret: radius.NewSecret([]byte(aaaSecret))},
		profile:     &dict.ProfileSpec{Filtered: dict.Sayings{"Filter-Id": {"{filter}"}}},
		policy:      policySpec(),
		subscribers: subscribers,
		answer:      accept(),
		today:       june,
	}
}

// config makes the configuration that a setup describes.
func (s *site) config() *radius.Config {
	c := s.setup.config
	c.Policy = compiled(s, s.setup.policy)
	nas, server := s.setup.nas, s.server()
	if s.setup.profile != nil {
		nas.Profile = profile(s, *s.setup.profile, c.Policy)
	}
	c.NAS = append([]radius.NAS{nas}, c.NAS...)
	if c.Realms == nil {
		c.Realms = map[string]*radius.Pool{"*": {Name: "tokyo", Servers: []*radius.AAA{&server}}}
	}
	return &c
}

// server is the site's AAA server with the address that it has got.
func (s *site) server() radius.AAA {
	server := s.setup.server
	if !server.Auth.IsValid() {
		server.Auth, server.Acct = s.aaa.Addr, s.aaa.Addr
	}
	return server
}

func compiled(t testing.TB, spec engine.Spec) *engine.Policy {
	t.Helper()
	p, faults := engine.Compile(spec)
	if p == nil {
		t.Fatalf("the policy is wrong: %+v", faults)
	}
	return p
}

func profile(t testing.TB, spec dict.ProfileSpec, policy *engine.Policy) *dict.Profile {
	t.Helper()
	p, errs := dict.CompileProfile(dict.Standard(), "test", spec, actions(policy.Actions))
	if errs != nil {
		t.Fatal(errs)
	}
	return p
}

func actions(of []engine.Action) (all []dict.Action) {
	for _, a := range of {
		all = append(all, dict.Action{Name: a.Name, Filter: a.Filter})
	}
	return all
}

// policySpec is a policy under which u1@atson.net is blocked from 15 May 2007,
// f.u1@atson.net is not, and dial-up never is.
func policySpec() engine.Spec {
	return engine.Spec{
		Name:    "test",
		Logins:  []engine.LoginSpec{{Match: "f.{account}@atson.net", Form: "fixed"}, {Match: "{account}@atson.net", Form: "plain"}},
		Courses: []engine.Course{{ID: "adsl", Name: "ADSLアッカ"}, {ID: "mobile", Name: "モバイル"}},
		Actions: []engine.Action{{Name: "open"}, {Name: "limit", Filter: "op25b-limit"}, {Name: "block", Filter: "op25b"}, {Name: "block-all", Filter: "op25b-all"}},
		Rules: []engine.RuleSpec{
			{Name: "fixed", When: engine.Condition{Course: []string{"adsl"}, Form: []string{"fixed"}, Option: []string{"fixed-ip"}}, Then: "open"},
			{Name: "dial-up", When: engine.Condition{Request: []engine.Wanted{{Name: "NAS-Port-Type", Values: []string{"ISDN"}}}}, Then: "open"},
			{Name: "stage", When: engine.Condition{Course: []string{"adsl"}}, From: engine.Timing{At: time.Date(2007, 5, 15, 0, 0, 0, 0, time.UTC)}, Then: "block"},
			{Name: "mobile", When: engine.Condition{Course: []string{"mobile"}}, Then: "limit"},
		},
		Otherwise: "open", UnknownContract: "open",
	}
}

// contracts are Subscribers held in memory.
type contracts map[string]engine.Contract

func (c contracts) Subscriber(account string, f *engine.Facts) error {
	if contract, ok := c[account]; ok {
		f.Contract = &contract
	}
	return nil
}

var subscribers = contracts{
	"u1": {Account: "u1", Course: "adsl", Options: []string{"fixed-ip"}},
	"m1": {Account: "m1", Course: "mobile"},
}

// accept answers as an AAA that lets everybody in: with these attributes to an
// Access-Request, and always to accounting.
func accept(attributes ...radiustest.Attribute) func(*radiustest.Request) [][]byte {
	return func(r *radiustest.Request) [][]byte {
		switch {
		case r.Check() != nil:
			return nil
		case r.Code == radiustest.AccountingRequest:
			return [][]byte{r.Reply(radiustest.AccountingResponse)}
		}
		return [][]byte{r.Reply(radiustest.AccessAccept, attributes...)}
	}
}

// silent is an AAA that never answers.
func silent(*radiustest.Request) [][]byte { return nil }

// answering sets what the AAA does.
func answering(answer func(*radiustest.Request) [][]byte) func(*setup) {
	return func(s *setup) { s.answer = answer }
}

// router opens a fake NAS.
func (s *site) router(from, to netip.AddrPort) *radiustest.NAS {
	s.Helper()
	n, err := radiustest.NewNASFrom(from, to, nasSecret)
	must(s, err)
	s.Cleanup(n.Close)
	return n
}

func (s *site) stopInside() {
	over, cancel := context.WithCancel(context.Background())
	cancel() // what is still under way is not worth waiting for
	s.inside().Shutdown(over)
	s.explain()
}

// explain shows what a proxy knows of a failure.
func (s *site) explain() {
	if s.Failed() {
		s.Logf("the proxy's log:\n%s", s.log.String())
		s.Logf("and counters: %+v", s.proxy.Stats())
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// clock is a clock that a test sets. One that nobody can set, another
// process's, goes by itself: the test waits for what it brings.
type clock struct {
	mu       sync.Mutex
	at       time.Time
	byItself bool
}

func newClock(at time.Time) *clock { return &clock{at: at} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byItself {
		return time.Now()
	}
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// logBuffer takes a log from any goroutine.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.TrimSpace(l.buf.String())
}
