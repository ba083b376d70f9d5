package ldapsync

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"sekisho/store"
)

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	After(time.Duration) <-chan time.Time
}

// wall is the clock of the machine.
type wall struct{}

func (wall) Now() time.Time                         { return time.Now() }
func (wall) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Options are what a Syncer is told beside its configuration.
type Options struct {
	Dialer Dialer       // nil: the configuration's Connect
	Clock  Clock        // nil: the machine's
	Log    *slog.Logger // nil: nowhere
}

// Syncer follows a directory. Run does the work; the other methods may be called
// from any goroutine.
type Syncer struct {
	config Config
	store  *store.Store
	dialer Dialer
	clock  Clock
	log    *slog.Logger

	requests chan *request
	ended    chan struct{} // closed at the end of Run
	// These belong to Run.
	server  int       // the one that is asked next
	expired time.Time // when graces were looked at last

	mu       sync.Mutex // guards what follows
	status   Status
	findings findings
	watching *request // who is told how far a reading is
	cancel   context.CancelFunc
	said     map[string]time.Time // errors that were logged, and when
}

// New makes a Syncer of a store, which it does not close.
func New(c Config, s *store.Store, o Options) *Syncer {
	c.Times = c.Times.withDefaults()
	y := &Syncer{
		config: c, store: s, dialer: o.Dialer, clock: o.Clock, log: o.Log,
		requests: make(chan *request), ended: make(chan struct{}), findings: newFindings(), said: map[string]time.Time{},
	}
	if y.dialer == nil {
		y.dialer = &c.Connect
	}
	if y.clock == nil {
		y.clock = wall{}
	}
	if y.log == nil {
		y.log = slog.New(slog.DiscardHandler)
	}
	y.status = Status{Method: c.Method, Phase: Connecting, Errors: map[string]uint64{}, Started: y.clock.Now()}
	return y
}

// The waits between attempts after failures: the first, and the longest.
const (
	firstWait   = time.Second
	longestWait = 5 * time.Minute
	// calm is how long a directory whose changes went over a limit one by one is
	// left alone before they are looked at together.
	calm = 5 * time.Second
)

// plan says what the next session is for.
type plan struct {
	full  bool     // compare everything, whatever the cookie
	asker *request // nil: nobody asked
}

// Run follows the directory until ctx ends. It returns no error: what goes wrong
// is told by Status and tried again. It is called once.
func (s *Syncer) Run(ctx context.Context) {
	defer close(s.ended)
	var next plan
	for failures := 0; ctx.Err() == nil; {
		err := s.session(ctx, next)
		next.asker.answer(err)
		if a := (*asked)(nil); errors.As(err, &a) {
			next = plan{full: a.full, asker: a.request}
			continue
		}
		if next.asker != nil && next.asker.dry { // whoever asked was told how it went
			next = plan{}
			continue
		}
		wait, full := time.Duration(0), false
		switch {
		case ctx.Err() != nil:
			return
		case err == nil || errors.Is(err, errInterrupted):
			failures = 0
			if err == nil && s.config.Method != Syncrepl {
				wait = s.config.Times.Interval
			}
		case errors.Is(err, errCompare):
			if full = true; next.full {
				wait = calm // it has just been done
			}
		default:
			failures++
			wait = s.failed(err, failures)
		}
		next = s.wait(ctx, wait)
		next.full = next.full || full
	}
}

// failed notes an error and tells how long to wait.
func (s *Syncer) failed(err error, failures int) time.Duration {
	var held *store.HeldError
	var guard *store.GuardError
	switch {
	case errors.As(err, &held):
		s.note(err, "held")
		s.setPhase(Holding)
		return s.config.Times.Held
	case errors.As(err, &guard):
		s.note(err, "guard")
		return calm
	}
	wait := backoff(failures)
	s.server++
	s.note(err, kindOf(err))
	s.mu.Lock()
	s.status.Phase, s.status.Failures, s.status.NextTry = Waiting, failures, s.clock.Now().Add(wait)
	s.mu.Unlock()
	return wait
}

// backoff doubles from firstWait to longestWait, give or take a third, so that
// many daemons do not come back at once.
func backoff(failures int) time.Duration {
	wait := longestWait
	if failures < 10 {
		wait = min(firstWait<<(failures-1), longestWait)
	}
	return time.Duration(float64(wait) * (2 + 2*rand.Float64()) / 3)
}

// wait lets time pass, until somebody asks for something.
func (s *Syncer) wait(ctx context.Context, d time.Duration) plan {
	if d == 0 {
		select {
		case r := <-s.requests:
			return s.serve(ctx, r)
		default:
			return plan{}
		}
	}
	select {
	case <-ctx.Done():
	case <-s.clock.After(d):
	case r := <-s.requests:
		return s.serve(ctx, r)
	}
	return plan{}
}

var (
	// errInterrupted ends a session because somebody asked for another one.
	errInterrupted = errors.New("interrupted")
	// errCompare ends a session because everything has to be compared.
	errCompare = errors.New("everything has to be compared")
)

// session connects to a server and follows it until something ends that.
func (s *Syncer) session(ctx context.Context, p plan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := s.config.Connect.Servers[s.server%len(s.config.Connect.Servers)]
	s.begin(server, p, cancel)
	conn, err := s.dialer.Dial(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer cancel() // before Close, which waits for those that still read
	state, err := s.store.Directory(Source)
	if err != nil {
		return err
	}
	v := &visit{Syncer: s, conn: conn, server: server, plan: p, cookie: s.config.open(state.Cookie.Value), known: state.Entries}
	if p.full || s.compareDue(state) <= 0 || state.Held != nil && state.Held.Full {
		v.cookie = nil
	}
	s.log.Debug("asking the directory", "command", CommandLines(&s.config, server)[0])
	return v.run(ctx)
}

// compareDue is how long it is until everything has to be compared again.
func (s *Syncer) compareDue(state store.DirectoryState) time.Duration {
	if state.Loaded.IsZero() {
		return 0
	}
	return state.Loaded.Add(s.config.Times.FullCompare).Sub(s.clock.Now())
}

func (s *Syncer) begin(server string, p plan, cancel context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Phase, s.status.Server = Connecting, server
	s.watching, s.cancel = p.asker, cancel
}

// visit is what is done on one connection.
type visit struct {
	*Syncer
	conn   Connection
	server string
	plan   plan
	cookie []byte // of the server; nil: compare everything
	known  int    // entries in the store
}

func (v *visit) run(ctx context.Context) error {
	v.setPhase(Reading)
	switch v.config.Method {
	case Timestamp:
		return v.poll(ctx, v.byTimestamp)
	case USN:
		return v.poll(ctx, v.byUSN)
	}
	return v.follow(ctx)
}

// apply compares what was read with the store and makes the changes.
func (v *visit) apply(ctx context.Context, r *reading, full bool, cookie []byte, hold bool) error {
	opts := store.DirectoryOptions{
		Full: full, Named: r.named, Cookie: store.Cookie{Value: v.config.seal(cookie), Server: v.server}, Grace: v.config.Times.Grace > 0,
		Guards: v.config.Guards, Hold: hold,
	}
	opts.Guards.Window = v.config.Times.Window
	if q := v.plan.asker; q != nil {
		opts.DryRun, opts.Diff = q.dry, q.diff
		opts.Hold = hold && !q.dry
	}
	v.setPhase(Applying)
	report, err := v.store.ApplyDirectory(ctx, v.by(), r.batch, opts)
	if q := v.plan.asker; q != nil {
		q.report = Report{DirectoryReport: report, Unmapped: r.findings.first(maxShown), Unmappable: r.findings.count(), Courses: r.findings.unknownCourses()}
	}
	if opts.DryRun {
		return err
	}
	r.findings.full = full
	v.found(r.findings)
	if err != nil {
		return err
	}
	if report.Spent().Changes > 0 {
		v.log.Info("contracts changed by the directory", "server", v.server, "full", full, "added", report.Added, "changed", report.Changed,
			"deleted", report.Deleted, "vanished", report.Vanished, "replaced", report.Replaced, "overrides revoked", report.Overrides)
	}
	v.known = max(v.known, report.Entries)
	v.succeeded(report)
	v.expire(ctx)
	return nil
}

func (v *visit) by() store.By { return store.By{Who: "sync", From: v.server} }

// expire ends the graces that are over. It is asked often, and looks seldom,
// and only when the directory has just said what it has: as long as it is silent
// the entry may be back. A poll does not show every entry that is back, a
// comparison does.
func (s *Syncer) expire(ctx context.Context) {
	now := s.clock.Now()
	if now.Sub(s.expired) < min(s.config.Times.Grace/10, longestWait) {
		return
	}
	s.expired = now
	if s.config.Method != Syncrepl {
		state, err := s.store.Directory(Source)
		if err != nil {
			s.note(err, "store")
			return
		}
		if state.Loaded.Before(now) {
			now = state.Loaded
		}
	}
	n, err := s.store.ExpireDirectory(ctx, store.By{Who: "sync", From: Source}, Source, now.Add(-s.config.Times.Grace))
	if err != nil && ctx.Err() == nil {
		s.note(err, "store")
	}
	if n > 0 {
		s.log.Info("contracts removed: their entry was gone for the whole grace", "contracts", n)
	}
}
