package radius_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/radius"
)

// daemon is a proxy in a process of its own: `sekisho serve` with the files of
// a site. What the tests ask of it goes through the operators' door.
type daemon struct {
	*site
	cmd   *exec.Cmd
	ended chan struct{}
	door  http.Client
	auth  []netip.AddrPort
	acct  []netip.AddrPort
}

// startDaemon runs the binary until the test ends.
func (s *site) startDaemon() {
	s.Helper()
	dir := s.files()
	s.timer, s.now = &clock{byItself: true}, &clock{byItself: true}
	d := &daemon{site: s, cmd: s.serve(context.Background(), dir), ended: make(chan struct{}), door: doorIn(dir)}
	must(s, d.cmd.Start())
	go func() {
		defer close(d.ended)
		_ = d.cmd.Wait() // how it ended stands in ProcessState
	}()
	s.proxy = d
	s.Cleanup(d.stop)
	s.until("the daemon is ready", d.ready)
	s.breakStore(dir)
	ranTheBinary(s)
}

// breakStore takes away from the running daemon what its store holds, if the
// setup wants a broken one. The first two pages, which say where the others
// are, stay.
func (s *site) breakStore(dir string) {
	if _, breaks := s.setup.subscribers.(broken); breaks {
		must(s, os.Truncate(filepath.Join(dir, "store"), int64(2*os.Getpagesize())))
	}
}

func doorIn(dir string) http.Client {
	return http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, "door"))
	}}}
}

// serve is the command that runs the binary by the files of a site. It dies
// with the tests, whatever ends them, and at the first data race: then the
// test that waits for it fails.
func (s *site) serve(ctx context.Context, dir string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, sekishoBinary, "serve", "--config", filepath.Join(dir, "site.yaml"), "--clock", s.setup.today.Format(time.RFC3339Nano))
	cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	cmd.Stdout, cmd.Stderr = s.log, s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// ready learns where the daemon listens, as soon as it tells.
func (d *daemon) ready() bool {
	d.alive()
	var status struct{ Auth, Acct []netip.AddrPort }
	text, err := d.ask("/v1/status")
	if err != nil {
		return false // there is no socket yet
	}
	must(d, json.Unmarshal(text, &status))
	d.auth, d.acct = status.Auth, status.Acct
	return true
}

// refusal is why no proxy starts by a setup.
func refusal(t testing.TB, changes ...func(*setup)) string {
	t.Helper()
	s := prepare(t, changes)
	if !runsTheBinary(t) {
		_, errs := dict.CompileProfile(dict.Standard(), "own", *s.setup.profile, actions(s.setup.policy.Actions))
		return errors.Join(errs...).Error()
	}
	over, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := s.serve(over, s.files())
	if _ = cmd.Run(); cmd.ProcessState.ExitCode() <= 0 { // killed: it served
		t.Fatalf("the daemon did not refuse: %v\n%s", cmd.ProcessState, s.log)
	}
	ranTheBinary(t)
	return s.log.String()
}

// alive fails the test when the daemon is not.
func (d *daemon) alive() {
	select {
	case <-d.ended:
		d.Fatalf("the daemon has ended by itself: %v\n%s", d.cmd.ProcessState, d.log)
	default:
	}
}

// stop ends the daemon as a crash would: what is still under way is not worth
// waiting for, and how it ends by a signal is tested with the verb.
func (d *daemon) stop() {
	defer d.door.CloseIdleConnections()
	d.alive()
	d.explain()
	must(d, d.cmd.Process.Kill())
	<-d.ended
}

func (d *daemon) ask(path string) ([]byte, error) {
	answer, err := d.door.Get("http://sekisho" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, errors.New(answer.Status)
	}
	return io.ReadAll(answer.Body)
}

func (d *daemon) Addresses() (auth, acct []netip.AddrPort) { return d.auth, d.acct }

// Sweep leaves to the daemon what it does by itself.
func (d *daemon) Sweep() {}

// Stats reads the daemon's metrics: they tell all that the proxy counts.
func (d *daemon) Stats() radius.Stats {
	s := radius.Stats{NAS: map[string]radius.NASStats{}, AAA: map[string]radius.AAAStats{}, Decisions: map[radius.Ruling]uint64{}, Unknown: map[string]uint64{}}
	for _, line := range sample.FindAllStringSubmatch(d.metrics(), -1) {
		n, err := strconv.ParseFloat(line[3], 64)
		must(d, err)
		labels := map[string]string{}
		for _, l := range label.FindAllStringSubmatch(line[2], -1) {
			labels[l[1]] = l[2]
		}
		enter(&s, line[1], labels, n)
	}
	return s
}

var (
	sample  = regexp.MustCompile(`(?m)^sekisho_(\w+)(?:\{(.*)\})? (\S+)$`)
	label   = regexp.MustCompile(`(\w+)="([^"]*)"`)
	running = regexp.MustCompile(`(?m)^go_goroutines (\d+)$`)

	resident = regexp.MustCompile(`(?m)^process_resident_memory_bytes (\S+)$`)
)

func (d *daemon) goroutines() int {
	n, err := strconv.Atoi(running.FindStringSubmatch(d.metrics())[1])
	must(d, err)
	return n
}

// resident is the daemon's memory in MiB.
func (d *daemon) resident() int {
	octets, err := strconv.ParseFloat(resident.FindStringSubmatch(d.metrics())[1], 64)
	must(d, err)
	return int(octets) >> 20
}

func (d *daemon) metrics() string {
	text, err := d.ask("/metrics")
	must(d, err)
	return string(text)
}

// enter puts one sample of the metrics where package radius has it.
func enter(s *radius.Stats, name string, l map[string]string, n float64) {
	count := uint64(n)
	switch {
	case name == "radius_requests_held":
		s.Held = int(n)
	case name == "decisions_total":
		s.Decisions[radius.Ruling{Action: l["action"], Rule: l["rule"]}] = count
	case name == "radius_dropped_total" && l["nas"] == "":
		s.Unknown[l["reason"]] = count
	case l["nas"] != "":
		s.NAS[l["nas"]] = nasSample(s.NAS[l["nas"]], name, l, n)
	case l["aaa"] != "":
		s.AAA[l["aaa"]] = aaaSample(s.AAA[l["aaa"]], name, l, n)
	}
}

func nasSample(s radius.NASStats, name string, l map[string]string, n float64) radius.NASStats {
	switch name {
	case "radius_requests_total":
		put(&s.Received, codes[l["code"]], n)
	case "radius_responses_total":
		put(&s.Answered, codes[l["code"]], n)
	case "radius_dropped_total":
		put(&s.Dropped, l["reason"], n)
	case "radius_injections_total":
		put(&s.Injections, l["outcome"], n)
	case "radius_requests_waiting":
		s.Outstanding = int64(n)
	}
	return s
}

func aaaSample(s radius.AAAStats, name string, l map[string]string, n float64) radius.AAAStats {
	switch name {
	case "aaa_requests_total":
		put(&s.Sent, codes[l["code"]], n)
	case "aaa_responses_total":
		put(&s.Received, codes[l["code"]], n)
	case "aaa_dropped_total":
		put(&s.Dropped, l["reason"], n)
	case "aaa_sockets":
		s.Sockets = int(n)
	case "aaa_identifiers_in_use":
		s.Outstanding = int(n)
	}
	return s
}

func put[K comparable](counts *map[K]uint64, key K, n float64) {
	if *counts == nil {
		*counts = map[K]uint64{}
	}
	(*counts)[key] = uint64(n)
}

// codes are the RADIUS codes by the names that metrics have for them.
var codes = func() map[string]byte {
	all := map[string]byte{}
	for code := range 256 {
		all[radius.CodeName(byte(code))] = byte(code)
	}
	return all
}()
