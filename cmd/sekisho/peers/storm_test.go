package main

import (
	"context"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/cmd/internal/daemon"
	"sekisho/cmd/internal/load"
)

const crowdSize = 3000

// proxy starts sekisho in this process, with everybody's contracts.
func proxy(t *testing.T, sc *scene, h *home) *peer {
	t.Helper()
	dir := t.TempDir()
	site := filepath.Join(dir, "sekisho.yaml")
	p := &peer{name: "sekisho", text: sekishoSite, spare: sekishoSpare}
	text := p.fill(sc.text(p), dir, h)
	text += "limits: {decision-budget: 1m}\n" // a machine that is busy elsewhere is no reason for the fail mode here
	if err := os.WriteFile(site, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, problems := config.Load(site)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	d, err := daemon.Start(c, daemon.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s := settings{contracts: crowdSize, dir: dir}
	if err := s.writeContracts(); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(dir, "contracts.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	door := admin.Dial(filepath.Join(dir, "admin.sock"))
	defer door.Close()
	if _, err := door.ImportContracts(t.Context(), "contracts.csv", file, admin.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	auth, acct := d.Addresses()
	p.port, p.acct = port(auth), port(acct)
	return p
}

// port is that of the first address; 0: there is none.
func port(addresses []string) uint16 {
	if len(addresses) == 0 {
		return 0
	}
	return netip.MustParseAddrPort(addresses[0]).Port()
}

// TestStormLeavesNobodyOut has some thousand subscribers log in once, a thousand
// at a time, by routers that send again what is not answered.
func TestStormLeavesNobodyOut(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		scene
		came func(*load.Report, *home) bool // what the scene is about
	}{
		"all at once": {scene{home: manners{named: true}}, func(*load.Report, *home) bool { return true }},
		"packets are lost on either side": {losing(3, 0), func(r *load.Report, _ *home) bool {
			return r.Resent > 0 && len(r.Tries) > 1
		}},
		"one of two AAA servers falls silent": {dying(crowdSize/3, 0), func(r *load.Report, h *home) bool {
			return h.silent.Load() != nil && r.Resent > 0
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := startHome(test.home)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(h.close)
			at := proxy(t, &test.scene, h)
			test.load = load.Options{Sockets: 4, Window: 1024, Once: true, Timeout: 1100 * time.Millisecond, Tries: 15}
			r, err := test.play(t.Context(), at, h, users(crowdSize))
			if err != nil {
				t.Fatal(err)
			}
			if r.Sent != crowdSize || r.Accepted != crowdSize || r.Lost > 0 || r.WrongInAll() > 0 {
				t.Errorf("%d asked, %d accepted, %d rejected, %d lost, wrong %v", r.Sent, r.Accepted, r.Rejected, r.Lost, r.Wrong)
			}
			if n := h.refused.Load(); n > 0 {
				t.Errorf("the AAA server had to refuse %d requests", n)
			}
			if !test.came(&r, h) {
				t.Errorf("nothing happened: tries %v", r.Tries)
			}
		})
	}
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		goodput []uint64
		from    time.Duration
		want    time.Duration
		back    bool
	}{
		"after a dip":             {[]uint64{100, 100, 50, 0, 89, 90, 90}, 2500 * time.Millisecond, 2500 * time.Millisecond, true},
		"never":                   {[]uint64{100, 100, 50, 0, 0, 0, 0}, 2 * time.Second, 0, false},
		"it is over before":       {[]uint64{100, 100, 50, 0, 0, 0, 0, 100}, 2 * time.Second, 0, false},
		"nothing to compare with": {[]uint64{100, 100}, time.Second / 2, 0, false},
		"from before the run":     {[]uint64{100, 100}, -time.Second, 0, false},
		"from the end of the run": {[]uint64{100, 100}, 2 * time.Second, 0, false},
	}
	for name, test := range tests {
		got, back := recovery(&load.Report{Goodput: test.goodput, Sending: 7 * time.Second}, test.from)
		if got != test.want || back != test.back {
			t.Errorf("%s: %v, %v; want %v, %v", name, got, back, test.want, test.back)
		}
	}
}

// TestWindowGives holds the formula of the table against numbers that are easy to
// see: where one sending of ten is lost, there is one wait for nine answers.
func TestWindowGives(t *testing.T) {
	t.Parallel()
	if got := windowed(100, 0, 900*time.Millisecond, 0.1); math.Abs(got-1000) > 1e-6 {
		t.Error(got)
	}
	if got := windowed(64, 10*time.Millisecond, 0, 0); math.Abs(got-6400) > 1e-6 {
		t.Error(got)
	}
}
