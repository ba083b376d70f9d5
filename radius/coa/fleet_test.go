package coa

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/radiustest"
	"sekisho/radius/session"
	"sekisho/store"
)

var fleetFlag = flag.String("fleet", "6x300@300/8", "ROUTERSxSESSIONS@RATE/WINDOW of TestFleetIsKilledInTheMiddle; make bench-campaign has the full size")

// fleetEnv tells a copy of the test binary that it is the daemon of a fleet.
const fleetEnv = "SEKISHO_FLEET"

func TestMain(m *testing.M) {
	flag.Parse()
	if text := os.Getenv(fleetEnv); text != "" {
		runFleet(text)
		return
	}
	os.Exit(m.Run())
}

// fleet is what the child has to know.
type fleet struct {
	Store        string
	Routers      []netip.AddrPort
	Rate, Window int
	Left         int // sessions of the router that refuses: they stay
}

func fleetName(i int) string { return fmt.Sprintf("bras%02d", i+1) }

// runFleet is the child: store, table, writer, client and keeper as in the
// daemon, without the proxy. It ends when nothing drifts that could be told.
func runFleet(text string) {
	var f fleet
	check(json.Unmarshal([]byte(text), &f))
	s, err := store.Open(f.Store, store.Options{})
	check(err)
	table := session.NewTable(session.Options{})
	announced, err := s.AnnouncedSessions()
	check(err)
	table.Interrupted(announced)
	for row, err := range s.AllSessions() {
		check(err)
		table.Restore(row)
	}
	table.Restored()
	ctx, cancel := context.WithCancel(context.Background())
	writer := session.NewWriter(table, s, s, time.Hour, nil)
	written := make(chan struct{})
	go func() { writer.Run(ctx); close(written) }()
	client := NewClient(ClientOptions{})
	k := NewKeeper(Options{Sessions: table, Decider: blocked{}, Sender: client, Ledger: s, Journal: writer, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	k.Configure(f.routers(), Rules{})
	check(k.Restore())
	k.Start()
	k.EverythingChanged("stage", func() { table.Reread(func(name string) engine.Login { return engine.Login{Account: name} }) })
	for ; driftOf(table) != f.Left; time.Sleep(50 * time.Millisecond) {
		fmt.Println("not yet") // the parent looks whether it is time to kill
	}
	k.Close()
	client.Close()
	cancel()
	<-written
	check(s.Close())
}

// driftOf counts the sessions that drift, -1 while not all have been decided.
func driftOf(t *session.Table) (n int) {
	stats := t.Stats()
	if stats.Due > 0 {
		return -1
	}
	for _, nas := range stats.NAS {
		n += nas.Drift
	}
	return n
}

type blocked struct{}

func (blocked) Decide(*session.Session, time.Time) (engine.Decision, error) {
	return engine.Decision{Action: "block", Rule: "stage"}, nil
}

func (f fleet) routers() (all []Router) {
	p, errs := dict.CompileProfile(dict.Standard(), "test", dict.ProfileSpec{Filtered: dict.Sayings{"Filter-Id": {"{filter}"}}, OpenFilter: "off"},
		[]dict.Action{{Name: "open"}, {Name: "block", Filter: "op25b"}})
	if errs != nil {
		check(errs[0])
	}
	for i, addr := range f.Routers {
		all = append(all, Router{Name: fleetName(i), Profile: p, Dictionary: dict.Standard(),
			CoA: &NAS{Name: fleetName(i), Address: addr, Secret: radius.NewSecret([]byte("s")), Rate: float64(f.Rate), Window: f.Window}})
	}
	return all
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestFleetIsKilledInTheMiddle begins a stage for all sessions of a fleet of
// routers on loopback, kills the daemon with SIGKILL half-way, and starts it
// again: drift reaches zero at the configured pace, no router sees more than
// its window, one that NAKs stops its own campaign only, nothing is lost, and
// little is told twice.
func TestFleetIsKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	var routers, sessions int
	f := fleet{Store: filepath.Join(t.TempDir(), "s.db")}
	if _, err := fmt.Sscanf(*fleetFlag, "%dx%d@%d/%d", &routers, &sessions, &f.Rate, &f.Window); err != nil {
		t.Fatal(err)
	}
	f.Left = sessions
	s, err := store.Open(f.Store, store.Options{})
	must(t, err)
	var boxes []*radiustest.Router
	var lines []*radiustest.Lines
	for i := range routers {
		var ids []string
		var batch store.SessionBatch
		for n := range sessions {
			ids = append(ids, fmt.Sprintf("%08X", n))
			batch.Put = append(batch.Put, fleetRow(fleetName(i), ids[n]))
		}
		must(t, s.SaveSessions(batch))
		lines = append(lines, radiustest.NewLines("", ids...))
		answer := lines[i].Answer
		if i == 0 {
			answer = func(r *radiustest.Request) [][]byte { return [][]byte{r.NAK(407)} }
		}
		box, err := radiustest.NewSlowRouter("s", 2*time.Millisecond, answer)
		must(t, err)
		t.Cleanup(box.Close)
		boxes, f.Routers = append(boxes, box), append(f.Routers, box.Addr)
	}
	must(t, s.Close())

	all := (routers - 1) * sessions
	began := time.Now()
	f.run(t, func() bool { return requests(boxes) > all/2 })
	killed, before := time.Now(), requests(boxes)
	f.run(t, func() bool { return false })
	took := time.Since(began)

	repeated := 0
	for i, l := range lines[1:] {
		if counts := l.Count(); counts["op25b"] != sessions {
			t.Errorf("%s: sessions by filter %v", fleetName(i+1), counts)
		}
		got, most := boxes[i+1].Load()
		repeated += got - sessions
		if most > f.Window {
			t.Errorf("%s: %d requests at once, the window is %d", fleetName(i+1), most, f.Window)
		}
	}
	// What the writer had not written when it was killed is told again.
	if most := (routers - 1) * (2*f.Rate + f.Window); repeated > most {
		t.Errorf("%d sessions were told twice, at most %d were expected", repeated, most)
	}
	if n, _ := boxes[0].Load(); n > 2*DefaultCanary {
		t.Errorf("the router that refuses got %d requests", n)
	}
	if least := time.Duration(float64(sessions)/float64(f.Rate)*float64(time.Second)) * 8 / 10; took < least {
		t.Errorf("took %s, the rate allows no less than %s", took, least)
	}
	t.Logf("%d sessions on %d routers, %d/s and %d at once each: killed after %s with %d told, at zero after %s, %d told twice",
		all, routers-1, f.Rate, f.Window, killed.Sub(began).Round(time.Millisecond), before, took.Round(time.Millisecond), repeated)
}

func fleetRow(nas, id string) store.Session {
	return store.Session{
		NAS: nas, AcctSession: id, UserName: store.Octets(nas + id), Account: strings.ToLower(nas + id),
		Applied: "open", Wanted: "open", Proof: uint8(session.Sent), Started: 1, Updated: time.Now().UnixNano(),
	}
}

func requests(boxes []*radiustest.Router) (n int) {
	for _, b := range boxes {
		requests, _ := b.Load()
		n += requests
	}
	return n
}

// run runs the child until it ends, or kills it when it is time.
func (f fleet) run(t *testing.T, enough func() bool) {
	t.Helper()
	text, err := json.Marshal(f)
	must(t, err)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), fleetEnv+"="+string(text))
	var errors strings.Builder
	child.Stderr = &errors
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if enough() && !killed {
			killed = true
			must(t, child.Process.Kill())
		}
	}
	if err := child.Wait(); err != nil && !killed {
		t.Fatalf("%v\n%s", err, errors.String())
	}
	used := child.ProcessState
	t.Logf("the daemon, killed %v: %s of CPU, %d MiB resident at most", killed, (used.UserTime() + used.SystemTime()).Round(time.Millisecond), used.SysUsage().(*syscall.Rusage).Maxrss>>10)
}
