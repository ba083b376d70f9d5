package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sekisho/cmd/internal/config"
)

// listed are all proxies, with files in a directory of the test.
func listed(t *testing.T) (*settings, []peer, *home) {
	t.Helper()
	s := &settings{dir: t.TempDir(), sekisho: "sekisho", contracts: 10}
	peers, err := s.peers()
	if err != nil {
		t.Fatal(err)
	}
	h, err := startHome(manners{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return s, peers, h
}

// TestConfigurations looks at what each proxy is told for one AAA server and for
// two: all that is to be put in has found its place.
func TestConfigurations(t *testing.T) {
	t.Parallel()
	s, peers, h := listed(t)
	for i := range peers {
		p := &peers[i]
		for at := 0; at < len(p.spare); at += 2 {
			if strings.Count(p.text, p.spare[at]) != 1 {
				t.Errorf("%s: not there once: %q", p.name, p.spare[at])
			}
		}
		ports := [2]int{1, 2} // of the AAA servers that are asked
		if strings.HasPrefix(p.name, "radsecproxy") {
			ports = [2]int{2, 4}
		}
		for second, want := range ports {
			if err := p.configure((&scene{second: second == 1}).text(p), s.dir, h); err != nil {
				t.Fatal(err)
			}
			octets, err := os.ReadFile(p.file)
			if err != nil {
				t.Fatal(err)
			}
			text, got := strings.ReplaceAll(string(octets), s.dir, ""), 0 // it may have digits like a port's
			for port := range h.conns {
				if strings.Contains(text, p.fill("HOME"+string(rune('0'+port)), s.dir, h)) {
					got++
				}
			}
			if got != want {
				t.Errorf("%s, second server %d: %d ports, want %d", p.name, second, got, want)
			}
			if n := strings.Count(strings.ReplaceAll(text, "spare_servers", ""), "spare"); n != want*second {
				t.Errorf("%s, second server %d: %d mentions of what is asked second, want one where it is and one where it is asked", p.name, second, n)
			}
			for _, word := range []string{"HOME", "PORT", "DIR", "MODULES", "DECISION", "CLEANUP", "ACCT"} {
				if strings.Contains(text, word) {
					t.Errorf("%s: %s stands there still", p.name, word)
				}
			}
		}
	}
}

// TestEnduringIsASite loads sekisho's site with accounting and two AAA servers.
func TestEnduringIsASite(t *testing.T) {
	t.Parallel()
	s, peers, h := listed(t)
	sc := enduring(time.Minute)
	if err := peers[0].configure(sc.text(&peers[0]), s.dir, h); err != nil {
		t.Fatal(err)
	}
	c, problems := config.Load(filepath.Join(s.dir, "sekisho.yaml"))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if n := len(c.Radius.Acct); n != 1 {
		t.Errorf("%d listeners for accounting", n)
	}
}

func TestLossyWritesTwice(t *testing.T) {
	t.Parallel()
	for twice, want := range map[float64]int{0: 1, 100: 2} {
		out, in := pair(t)
		if _, err := (lossy{UDPConn: out, twice: twice}).Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte{2}); err != nil { // ends it
			t.Fatal(err)
		}
		got := 0
		for octets := make([]byte, 10); ; got++ {
			if _, err := in.Read(octets); err != nil {
				t.Fatal(err)
			} else if octets[0] == 2 {
				break
			}
		}
		if got != want {
			t.Errorf("%g %%: arrived %d times, want %d", twice, got, want)
		}
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{"exit 3": "exit status 3", "kill -SEGV $$": "signal: segmentation fault"} {
		p := shell(t, script)
		_ = unix.Waitid(unix.P_PID, p.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if got := p.ended(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
	p := shell(t, "read line")
	if got := p.ended(); got != "" {
		t.Errorf("it runs: %q", got)
	}
	p.stop()
}

// pair is two sockets, of which one sends to the other.
func pair(t *testing.T) (out, in *net.UDPConn) {
	t.Helper()
	in, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	if out, err = net.DialUDP("udp4", nil, in.LocalAddr().(*net.UDPAddr)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	return out, in
}

// shell starts a script that has something to read.
func shell(t *testing.T, script string) *process {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &process{cmd}
}
