package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sekisho/cmd/internal/admin"
	"sekisho/engine"
	"sekisho/engine/policyfile"
	"sekisho/radius/radiustest"
	"sekisho/radius/session"
	"sekisho/store"
)

var (
	manyContracts = flag.Int("contracts", 30_000, "how many contracts BenchmarkWholeAtScale has")
	manySessions  = flag.Int("sessions", 10_000, "how many sessions are live in BenchmarkWholeAtScale; the first contracts have them")
	storesIn      = flag.String("stores", "", "where BenchmarkWholeAtScale keeps its stores for another run")
)

const scaleSite = `listen: {auth: "127.0.0.1:0", acct: "127.0.0.1:0"}
admin: {socket: %[1]s/s}
store: {path: %[2]s}
policy: asahi-net
aaa:
  servers: {home: {address: 127.0.0.1, auth-port: %[3]d, acct-port: %[3]d, secret: a-secret-of-the-test}}
  pools: {main: {servers: home}}
  realms: {"*": main}
nas:
  login: {source: 127.0.0.1, secret: a-secret-of-the-test, area: tokyo, profile: filter-id}
`

// scaleRouters is over how many routers the sessions are spread.
const scaleRouters = 100

// BenchmarkWholeAtScale starts the program with very many contracts and live
// sessions, none of its file in memory, and prints how long it takes until it
// answers and until all sessions are back and decided, what memory it needs,
// and how long commands take, with logins going on beside all of it. A quarter
// of the sessions drifts, and no router takes a CoA.
func BenchmarkWholeAtScale(b *testing.B) {
	for b.Loop() {
		s := newScaled(b)
		s.phase("first start, all sessions decided anew and written", func() { s.start(); s.rest() })
		s.stop()
		s.forget()
		s.phase("start until the door answers", s.start)
		s.phase("until all sessions are back", s.back)
		s.phase("until nothing is left to do", s.rest)
		for _, command := range []string{
			"status",
			"explain " + loginOf(7),
			"sessions list -o csv",
			"sessions list",
			"sessions list --drift -o csv",
			"sessions list --nas bras-77 -o csv",
			"sessions list --account " + accountNo(7) + " -o csv",
			"sessions show " + accountNo(7),
			"sessions who 10.0.0.7",
			"sessions who 10.0.0.7 --at " + day.Add(-24*time.Hour).Format(time.RFC3339),
			"campaign plan",
			"impact --at 2007-06-01 --since 2007-04-01",
			"impact --at 2007-06-01 --since 2007-04-01 -o csv",
			"impact --policy strict",
			"contracts search " + accountNo(7)[:6],
			"contracts list -o csv",
			"contracts list",
			"reload",
		} {
			s.command(command)
		}
		s.phase("until nothing is left to do", s.rest)
		s.stop()
	}
}

// scaled is a daemon in a process of its own.
type scaled struct {
	*hunted
	path  string // of the store
	nas   *radiustest.NAS
	began time.Time // the phase
}

func newScaled(b *testing.B) *scaled {
	dir, err := os.MkdirTemp("", "scale")
	must(b, err)
	b.Cleanup(func() { os.RemoveAll(dir) })
	stores := cmp.Or(*storesIn, dir)
	aaa, err := radiustest.NewAAA("a-secret-of-the-test", radiustest.Users(nil))
	must(b, err)
	b.Cleanup(aaa.Close)
	s := &scaled{hunted: &hunted{TB: b, dir: dir, client: admin.Dial(dir + "/s")}}
	s.path = filepath.Join(stores, fmt.Sprintf("whole-%d-%d.db", *manyContracts, *manySessions))
	var site strings.Builder
	fmt.Fprintf(&site, scaleSite, dir, s.path, aaa.Addr.Port())
	for i := range scaleRouters {
		fmt.Fprintf(&site, "  %s: {source: 127.0.1.%d, secret: a-secret-of-the-test, area: %s, profile: filter-id}\n", routerNo(i), i+1, areaNo(i))
	}
	policy, ok := policyfile.Source("asahi-net")
	if !ok {
		b.Fatal("no policy asahi-net")
	}
	must(b, os.WriteFile(filepath.Join(dir, "strict.yaml"), bytes.ReplaceAll(policy, []byte("fixed-ip"), []byte("fixed-address")), 0o600))
	must(b, os.WriteFile(filepath.Join(dir, "site.yaml"), []byte(site.String()), 0o600))
	if _, err := os.Stat(s.path); err != nil {
		must(b, fill(s.path))
	}
	return s
}

func accountNo(i int) string { return fmt.Sprintf("u%08dab", i) }
func loginOf(i int) string   { return accountNo(i) + "@atson.net" }
func routerNo(i int) string  { return "bras-" + strconv.Itoa(i%scaleRouters) }
func areaNo(i int) string    { return []string{"tokyo", "osaka", "okinawa"}[i%scaleRouters%3] }

// fill makes the store: contracts, sessions whose router was told block, and
// for each of them a stretch of history.
func fill(path string) error {
	s, err := store.Open(path, store.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.ImportContracts(context.Background(), store.By{Who: "bench"}, contractsOf(*manyContracts), store.ImportOptions{}); err != nil {
		return err
	}
	for i := 0; i < *manySessions; {
		var batch store.SessionBatch
		for ; i < *manySessions && len(batch.Put) < 2000; i++ {
			row := sessionNo(i)
			batch.Put = append(batch.Put, row)
			batch.Past = append(batch.Past, store.Stretch{
				Address: netip.PrefixFrom(addressNo(i), 32), From: day.Add(-48 * time.Hour), Until: day.Add(-time.Duration(i%86400) * time.Second),
				NAS: row.NAS, AcctSession: "P" + row.AcctSession, Account: row.Account, UserName: loginOf(i), Action: "block", Ended: "User-Request",
			})
		}
		if err := s.SaveSessions(batch); err != nil {
			return err
		}
	}
	return s.Close()
}

// day is the one on which the sessions of the history ended.
var day = time.Now().UTC().Truncate(24 * time.Hour)

// contractsOf are n contracts; one in a hundred has fixed-ip, which keeps port
// 25 open.
func contractsOf(n int) iter.Seq2[engine.Contract, error] {
	courses := []string{"TEPCOひかりホームコース", "ADSLトーカーコース", "ADSLアッカコース(12M)", "Bフレッツファミリーコース"}
	return func(yield func(engine.Contract, error) bool) {
		for i := range n {
			c := engine.Contract{Account: accountNo(i), Course: courses[i%len(courses)], Address: "dynamic", Area: areaNo(i), Segment: "personal", Status: "active"}
			if i%100 == 7 {
				c.Options = []string{"fixed-ip"}
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

func addressNo(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// sessionNo is what was kept of the i-th session.
func sessionNo(i int) store.Session {
	address, err := netip.PrefixFrom(addressNo(i), 32).MarshalBinary()
	if err != nil {
		panic(err)
	}
	prefix := [16]byte{0x20, 0x01, 0x0d, 0xb8, byte(i >> 16), byte(i >> 8), byte(i)}
	v6, err := netip.PrefixFrom(netip.AddrFrom16(prefix), 64).MarshalBinary()
	if err != nil {
		panic(err)
	}
	now := time.Now().UnixNano()
	var identity []byte
	for number, value := range map[byte]string{4: "\x0a\x00\x00\x01", 5: string(binary.BigEndian.AppendUint32(nil, uint32(i))), 31: fmt.Sprintf("00:00:5e:%06x", i), 32: routerNo(i), 87: fmt.Sprintf("ge-0/0/%d.%d", i%8, i%4000)} {
		identity = append(append(identity, 0, number, byte(len(value))), value...)
	}
	return store.Session{
		NAS: routerNo(i), AcctSession: fmt.Sprintf("%016X", i), Area: areaNo(i), Account: accountNo(i), UserName: store.Octets(loginOf(i)),
		Realm: "atson.net", Form: "plain", Started: now, Updated: now, Since: now, Addresses: [][]byte{address, nil, v6}, Identity: store.Octets(identity),
		Applied: "block", AppliedAt: now, Proof: uint8(session.Sent), Words: `Filter-Id = "op25b"`,
	}
}

// start runs the daemon and has a first subscriber log in.
func (s *scaled) start() {
	s.hunted.start()
	fmt.Printf("%54s the door after %v\n", "", s.age())
	s.until("somebody logs in", func() bool { return s.logIn(rand.IntN(*manyContracts)) == nil })
	fmt.Printf("%54s a login after %v\n", "", s.age())
}

func (s *scaled) age() time.Duration { return time.Since(s.began).Round(time.Millisecond) }

// logIn asks for a subscriber.
func (s *scaled) logIn(i int) error {
	if s.nas == nil {
		status, err := s.client.Status(context.Background())
		if err != nil {
			return err
		}
		if s.nas, err = radiustest.NewNAS(netip.MustParseAddrPort(status.Auth[0]), "a-secret-of-the-test"); err != nil {
			return err
		}
	}
	_, err := s.nas.Exchange(s.nas.Request(radiustest.AccessRequest, radiustest.PAP(loginOf(i), "himitsu")...), 3*time.Second)
	return err
}

func (s *scaled) stop() {
	s.nas.Close()
	s.nas = nil
	began := time.Now()
	s.must(s.child.Process.Signal(syscall.SIGTERM))
	s.must(s.child.Wait())
	fmt.Printf("%-54s %8.2f s\n", "stop", time.Since(began).Seconds())
}

// forget has the kernel drop what it has of the file, as after a boot.
func (s *scaled) forget() {
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	s.must(err)
	defer f.Close()
	s.must(f.Sync())
	s.must(unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
}

// back waits until the sessions of the last run are back.
func (s *scaled) back() {
	for end := time.Now().Add(10 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		status, err := s.client.Status(context.Background())
		s.must(err)
		if !status.Sessions.Restoring && status.Sessions.Live >= *manySessions {
			return
		}
		if time.Now().After(end) {
			s.Fatalf("%+v are back", status.Sessions)
		}
	}
}

// rest waits until the daemon does next to nothing beside the logins, for some
// seconds: others may have the processors for one. Nothing may be left to write.
func (s *scaled) rest() {
	idle, used := 0, s.cpu()
	for end := time.Now().Add(20 * time.Minute); idle < 3; {
		time.Sleep(time.Second)
		status, err := s.client.Status(context.Background())
		s.must(err)
		now := s.cpu()
		if idle++; now-used > 120*time.Millisecond || status.Sessions.Restoring || status.Sessions.Unsaved > 0 {
			idle = 0
		}
		if used = now; time.Now().After(end) {
			s.Fatalf("it is never at rest: %+v", status.Sessions)
		}
	}
}

// cpu is what the daemon has used of the processors.
func (s *scaled) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.child.Process.Pid))
	s.must(err)
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		s.must(err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100 everywhere
}

// own is the daemon's memory in MB, without pages of its file.
func (s *scaled) own() int {
	if s.child == nil {
		return 0
	}
	return memoryOf(s.child.Process.Pid, "RssAnon:")
}

// memoryOf reads a process's memory in MB; 0 of one that is gone.
func memoryOf(pid int, key string) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(text), key)
	var n int
	_, _ = fmt.Sscan(rest, &n)
	return n >> 10
}

// phase prints how long something took, the most memory that the daemon had
// meanwhile, and how long logins took beside it, a hundred a second.
func (s *scaled) phase(what string, do func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var beside sync.WaitGroup
	var took []time.Duration
	most, lost := s.own(), 0
	began := time.Now()
	s.began = began
	if s.nas != nil {
		beside.Go(func() {
			for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
				most = max(most, s.own())
				asked := time.Now()
				if err := s.logIn(rand.IntN(*manyContracts)); err != nil {
					lost++
				}
				took = append(took, time.Since(asked))
			}
		})
	}
	do()
	all := time.Since(began)
	cancel()
	beside.Wait()
	fmt.Printf("%-54s %8.2f s   own memory at most %4d MB, then %4d MB", what, all.Seconds(), most, s.own())
	if len(took) > 0 {
		slices.Sort(took)
		at := func(part int) time.Duration { return took[(len(took)-1)*part/1000].Round(10 * time.Microsecond) }
		fmt.Printf("   logins %v, 99%% %v, at most %v, %d lost", at(500), at(990), at(1000), lost)
	}
	fmt.Println()
}

// command runs the program as an operator does.
func (s *scaled) command(line string) {
	self, err := os.Executable()
	s.must(err)
	args := strings.Fields(line)
	if i := slices.Index(args, "strict"); i >= 0 {
		args[i] = filepath.Join(s.dir, "strict.yaml")
	}
	c := exec.Command(self, append([]string{"--socket", s.dir + "/s"}, args...)...)
	c.Env = append(os.Environ(), asProgram+"=1")
	out := &counter{}
	c.Stdout, c.Stderr = out, os.Stdout
	memory := 0
	s.phase(line, func() {
		s.must(c.Start())
		done := make(chan struct{})
		var beside sync.WaitGroup
		beside.Go(func() {
			for {
				memory = max(memory, memoryOf(c.Process.Pid, "VmHWM:"))
				select {
				case <-done:
					return
				case <-time.After(5 * time.Millisecond):
				}
			}
		})
		err = c.Wait()
		close(done)
		beside.Wait()
	})
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		s.Fatal(err)
	}
	fmt.Printf("%54s %d lines, %d MB, first after %v, the command's memory %d MB, exit code %d\n", "", out.lines, out.bytes>>20,
		out.first.Sub(s.began).Round(time.Millisecond), memory, c.ProcessState.ExitCode())
}

// counter counts what is written.
type counter struct {
	lines, bytes int
	first        time.Time
}

func (c *counter) Write(p []byte) (int, error) {
	if c.first.IsZero() {
		c.first = time.Now()
	}
	c.bytes += len(p)
	c.lines += strings.Count(string(p), "\n")
	return len(p), nil
}
