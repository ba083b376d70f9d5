package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

var kills = flag.Int("kills", 25, "how often TestKilledAtAnyTime kills the process that holds the store")

// TestKilledAtAnyTime lets a process change the store in all ways at once, each
// change announced before and acknowledged after, and kills it with SIGKILL. The
// file must open by itself then, with all that was acknowledged, and of what was
// only announced all or nothing.
func TestKilledAtAnyTime(t *testing.T) {
	t.Parallel()
	m := model{path: filepath.Join(t.TempDir(), "s.db"), overrides: map[string]expected{}, tokens: map[string]bool{}}
	for i := range *kills {
		m.steps = i / 5 // a migration with every fifth child
		changes := m.runAndKill(t)
		m.verify(t, changes)
		if t.Failed() {
			t.Fatalf("after kill %d", i+1)
		}
	}
	t.Logf("%d kills, %d changes acknowledged, %d cut off: %d of them are there and %d are not; %d overrides, %d tokens",
		*kills, m.done, m.there+m.gone, m.there, m.gone, len(m.overrides), len(m.tokens))
}

// model is what the store must hold.
type model struct {
	path              string
	steps             int
	entries           uint64              // of the audit, so far
	overrides         map[string]expected // by account
	tokens            map[string]bool     // by name: it stands
	course            string              // of all contracts
	told              string              // to all sessions: the last that was acknowledged
	telling           string              // to all sessions: announced after that
	done, there, gone int
}

type expected struct {
	Version int
	Until   time.Time
	Revoked bool
}

// step is a change as the child tells of it: before, and once more after it was
// acknowledged.
type step struct {
	Done     bool
	Label    string // stands in the audit as why
	Op       string
	Accounts []string // or a token's name
	Expected expected
}

// runAndKill gives the changes that were announced, each as Done as it was.
func (m *model) runAndKill(t *testing.T) map[string]step {
	t.Helper()
	c := childCommand(t, "killed", "STORE="+m.path, fmt.Sprint("STEPS=", m.steps))
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() { _ = c.Process.Kill() }
	soon := func() { time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, kill) }
	after := rand.IntN(200) // lines
	if after < 15 {
		after = 0 // while it opens, perhaps while it migrates
		time.AfterFunc(time.Duration(rand.IntN(30))*time.Millisecond, kill)
	}
	changes, lines := map[string]step{}, 0
	for in := bufio.NewScanner(out); in.Scan(); {
		var s step
		if err := json.Unmarshal(in.Bytes(), &s); err != nil {
			t.Fatalf("%s: %v", in.Bytes(), err)
		}
		switch {
		case s.Op != "sessions": // which have no entries in the audit
			changes[s.Label] = s
		case s.Done:
			m.told, m.telling, m.done = s.Label, "", m.done+1
		default:
			m.telling = s.Label
		}
		if lines++; lines == after {
			soon()
		}
	}
	if err := c.Wait(); c.ProcessState.ExitCode() >= 0 {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return changes
}

// verify opens the store and compares.
func (m *model) verify(t *testing.T, changes map[string]step) {
	t.Helper()
	s, err := open(m.path, Options{}, extraSteps(m.steps))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	if report, err := s.VerifyAudit(); err != nil || !report.OK() {
		t.Error(report.Faults, err)
	}
	m.follow(t, s, changes)
	m.compareOverrides(t, s)
	m.compareTokens(t, s)
	m.compareContracts(t, s)
	m.compareSessions(t, s)
	if err := s.view(func(tx *bolt.Tx) error { return stepsDone(tx, m.steps) }); err != nil {
		t.Error(err)
	}
}

// follow applies the new entries of the audit to the model: of every change
// that was acknowledged, and of no other but those that were announced.
func (m *model) follow(t *testing.T, s *Store, changes map[string]step) {
	t.Helper()
	found := map[string]int{}
	for e, err := range s.AllAudit(AuditFilter{After: m.entries}) {
		if err != nil {
			t.Fatal(err)
		}
		m.entries = e.Seq
		found[e.Why]++
		c, announced := changes[e.Why]
		if !announced {
			t.Errorf("audit %d of an unknown change %q", e.Seq, e.Why)
		} else if found[e.Why] == 1 {
			m.apply(c)
		}
	}
	for label, c := range changes {
		want := 1
		if c.Op == "batch" {
			want = len(c.Accounts) + 1
		}
		switch {
		case c.Done:
			m.done++
		case found[label] > 0:
			m.there++
		default:
			m.gone++
			want = 0
		}
		if found[label] != want {
			t.Errorf("change %+v has %d entries in the audit, want %d", c, found[label], want)
		}
	}
}

func (m *model) apply(c step) {
	switch c.Op {
	case "contracts":
		m.course = c.Label
	case "token":
		m.tokens[c.Accounts[0]] = !c.Expected.Revoked
	default:
		for _, account := range c.Accounts {
			m.overrides[account] = c.Expected
		}
	}
}

func (m *model) compareOverrides(t *testing.T, s *Store) {
	t.Helper()
	n := 0
	for o, err := range s.AllOverrides(OverrideFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		is := expected{o.Version, o.Until, o.Revoked != nil}
		if want, ok := m.overrides[o.Account]; !ok || want != is || len(o.History) != o.Version-1 && o.Revoked == nil {
			t.Errorf("override on %s: %+v, want %+v", o.Account, o, want)
		}
		var f engine.Facts
		if err := s.Subscriber(o.Account, &f); err != nil || (len(f.Overrides) == 1) == is.Revoked {
			t.Errorf("override on %s as it is decided by: %+v, %v", o.Account, f, err)
		}
	}
	if n != len(m.overrides) {
		t.Errorf("%d overrides, want %d", n, len(m.overrides))
	}
}

func (m *model) compareTokens(t *testing.T, s *Store) {
	t.Helper()
	all, err := s.Tokens()
	is := map[string]bool{}
	for _, token := range all {
		is[token.Name] = token.Revoked == nil
	}
	if err != nil || !maps.Equal(is, m.tokens) {
		t.Errorf("tokens %v, want %v, %v", is, m.tokens, err)
	}
}

func (m *model) compareContracts(t *testing.T, s *Store) {
	t.Helper()
	n := 0
	for c, err := range s.AllContracts("") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; c.Course != m.course {
			t.Errorf("contract of %s from import %q, want %q", c.Account, c.Course, m.course)
			return
		}
	}
	if n != workRows && m.course != "" || n != 0 && m.course == "" {
		t.Errorf("%d contracts after import %q", n, m.course)
	}
	if n := generations(t, s); n != 1 {
		t.Errorf("%d generations", n)
	}
}

func (m *model) compareSessions(t *testing.T, s *Store) {
	t.Helper()
	told := map[string]int{}
	for session, err := range s.AllSessions() {
		if err != nil {
			t.Fatal(err)
		}
		told[session.Applied]++
	}
	switch {
	case m.telling != "" && told[m.telling] == workSessions:
		m.told, m.there = m.telling, m.there+1
	case m.telling != "":
		m.gone++
	}
	m.telling = ""
	if want := map[string]int{m.told: workSessions}; !maps.Equal(told, want) && (m.told != "" || len(told) > 0) {
		t.Errorf("sessions were told %v, want %v", told, want)
	}
}

// workSessions is how many sessions the child saves.
const workSessions = 200

// workRows is how many contracts the child imports.
const workRows = 1500

// work is the child: it goes on until it is killed.
func work() error {
	var steps int
	if _, err := fmt.Sscan(os.Getenv("STEPS"), &steps); err != nil {
		return err
	}
	s, err := open(os.Getenv("STORE"), Options{}, extraSteps(steps))
	if err != nil {
		return err
	}
	failed := make(chan error)
	for _, change := range []func(*worker) error{(*worker).override, (*worker).override, (*worker).batch, (*worker).token, (*worker).contracts, (*worker).sessions} {
		w := &worker{s: s}
		go func() {
			for {
				if err := change(w); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return <-failed
}

// worker makes changes one after another.
type worker struct {
	s     *Store
	made  []Override // that stand
	names []string   // of tokens that stand
}

// announced makes a change between telling of it and acknowledging it.
func announced(c step, change func(By) error) error {
	c.Label = fmt.Sprintf("%016x", rand.Uint64())
	if c.Accounts == nil {
		c.Accounts = []string{c.Label}
	}
	tell := func() error {
		line, err := json.Marshal(c)
		_, err2 := os.Stdout.Write(append(line, '\n')) // in one piece: it is less than a pipe holds
		return errors.Join(err, err2)
	}
	if err := tell(); err != nil {
		return err
	}
	if err := change(By{Who: "child", From: c.Accounts[0], Why: c.Label}); err != nil {
		return fmt.Errorf("%+v: %w", c, err)
	}
	c.Done = true
	return tell()
}

// ahead is some time in the future, as it is kept.
func ahead() time.Time { return wall(time.Now().Add(time.Hour + rand.N(time.Hour))) }

func (w *worker) override() error {
	if len(w.made) < 3 || rand.IntN(3) == 0 {
		return w.add()
	}
	i := rand.IntN(len(w.made))
	o := w.made[i]
	want := expected{o.Version + 1, o.Until, true}
	if rand.IntN(2) == 0 {
		want.Until, want.Revoked = ahead(), false
	}
	return announced(step{Op: "override", Accounts: []string{o.Account}, Expected: want}, func(by By) (err error) {
		if want.Revoked {
			_, err = w.s.RevokeOverride(by, o.ID, o.Version, "r")
			w.made = slices.Delete(w.made, i, i+1)
			return err
		}
		w.made[i], err = w.s.RenewOverride(by, o.ID, o.Version, want.Until, "r")
		return err
	})
}

func (w *worker) add() error {
	until := ahead()
	return announced(step{Op: "override", Expected: expected{1, until, false}}, func(by By) error {
		made, _, err := w.s.AddOverride(by, Override{Account: by.From, Kind: Grant, Action: "open", Reason: "r", Until: until, Key: by.Why})
		w.made = append(w.made, made)
		return err
	})
}

func (w *worker) batch() error {
	c := step{Op: "batch", Expected: expected{1, ahead(), false}}
	prefix := fmt.Sprintf("%016x", rand.Uint64())
	var rows []Override
	for i := range 20 {
		c.Accounts = append(c.Accounts, fmt.Sprint(prefix, "-", i))
		rows = append(rows, Override{Account: c.Accounts[i], Kind: Restrict, Action: "block", Until: c.Expected.Until, Key: c.Accounts[i]})
	}
	return announced(c, func(by By) error {
		for i := range rows {
			rows[i].Reason = by.Why // which is why in the entry of each
		}
		_, err := w.s.ImportOverrides(context.Background(), by, sequence(rows...), ImportOptions{})
		return err
	})
}

func (w *worker) token() error {
	if len(w.names) > 3 {
		i := rand.IntN(len(w.names))
		name := w.names[i]
		w.names = slices.Delete(w.names, i, i+1)
		return announced(step{Op: "token", Accounts: []string{name}, Expected: expected{Revoked: true}}, func(by By) error {
			return w.s.RevokeToken(by, name)
		})
	}
	return announced(step{Op: "token"}, func(by By) error {
		w.names = append(w.names, by.From)
		_, err := w.s.AddToken(by, Token{Name: by.From, Role: "viewer", Hash: [32]byte([]byte(strings.Repeat(by.Why, 2)))})
		return err
	})
}

// contracts changes all of them, in place or by a new generation.
func (w *worker) contracts() error {
	w.s.direct = []int{0, directChanges}[rand.IntN(2)]
	return announced(step{Op: "contracts"}, func(by By) error {
		rows := make([]engine.Contract, workRows)
		for i := range rows {
			rows[i] = engine.Contract{Account: fmt.Sprintf("%016x", uint64(i)*0x9E3779B97F4A7C15), Course: by.Why}
		}
		_, err := w.s.ImportContracts(context.Background(), by, each(rows...), ImportOptions{Replace: true})
		return err
	})
}

func (w *worker) sessions() error {
	return announced(step{Op: "sessions"}, func(by By) error {
		var b SessionBatch
		for i := range workSessions {
			b.Put = append(b.Put, Session{NAS: "bras-1", AcctSession: fmt.Sprint(i), Applied: by.Why})
		}
		return w.s.SaveSessions(b)
	})
}

// stepRows is how many rows a migration of the test rewrites.
const stepRows = 300

// extraSteps are the migrations of a release n times newer than this one.
func extraSteps(n int) []migration {
	steps := slices.Clip(migrations)
	for i := range n {
		steps = append(steps, migration{fmt.Sprint("extra ", i+1), func(tx *bolt.Tx) error { return rewriteSteps(tx, i+1) }})
	}
	return steps
}

var stepsBucket = []byte("extra-steps")

// rewriteSteps replaces what the step before has written.
func rewriteSteps(tx *bolt.Tx, n int) error {
	if n > 1 {
		if err := tx.DeleteBucket(stepsBucket); err != nil {
			return err
		}
	}
	b, err := tx.CreateBucket(stepsBucket)
	for i := 0; err == nil && i < stepRows; i++ {
		err = b.Put(fmt.Append(nil, i), fmt.Append(nil, n))
	}
	return err
}

// stepsDone holds that the last of n steps was done, and not in part.
func stepsDone(tx *bolt.Tx, n int) error {
	b := tx.Bucket(stepsBucket)
	if b == nil && n == 0 {
		return nil
	}
	rows := 0
	err := b.ForEach(func(_, v []byte) error {
		rows++
		if string(v) != fmt.Sprint(n) {
			return fmt.Errorf("a row of step %s after step %d", v, n)
		}
		return nil
	})
	if err == nil && rows != stepRows {
		err = fmt.Errorf("%d rows of step %d, want %d", rows, n, stepRows)
	}
	return err
}
