//go:build realparts

package realparts

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/store"
	"sekisho/store/ldapsync"

	"github.com/go-ldap/ldap/v3"
)

var ldapEntries = flag.Int("ldap-entries", 1_000_000, "how many contracts the directory of BenchmarkLDAPMany has")

// BenchmarkLDAPMany loads very many contracts from a real slapd, beside go-ldap
// reading the same entries and doing nothing with them, and then follows what
// changes. Look-ups go on beside all of it. Beyond a few millions the bare
// readings are left out: each takes as long as a load.
func BenchmarkLDAPMany(b *testing.B) {
	Need(b, slapdParts()...)
	n := *ldapEntries
	server := NewSlapd(b, SlapdConfig{})
	m := &many{b: b, n: n, server: server}
	m.timed("slapadd", func() { loadMany(b, server, n) })
	server.Serve(b)
	for range b.N {
		if n <= 3_000_000 {
			m.beside()
		}
		m.st = openStore(b, WorkDir(b, "store"))
		m.firstLoad(ldapsync.Syncrepl)
		m.resume()
		m.compare()
		m.oneByOne(100)
		check(b, m.st.Close())
		m.st = openStore(b, WorkDir(b, "store"))
		m.firstLoad(ldapsync.Timestamp)
		check(b, m.st.Close())
		m.st = nil
	}
}

// many is what the phases of the benchmark have in common.
type many struct {
	b      *testing.B
	n      int
	server *Slapd
	st     *store.Store // nil: none is open
	edited int          // how many contracts were changed in the directory
}

// beside are the readings that do nothing with what they read; the first one
// fills slapd's caches.
func (m *many) beside() {
	bareSearch(m.b, m.server, m.n)
	m.timed("bare SearchAsync", func() { bareSearch(m.b, m.server, m.n) })
	m.timed("bare Syncrepl", func() { bareSyncrepl(m.b, m.server, m.n) })
}

func (m *many) follow(change func(*ldapsync.Config)) *Follower {
	return Follow(m.b, newFollowing(m.server, func(c *ldapsync.Config) {
		c.Times.Interval = time.Hour
		change(c)
	}), m.st)
}

// firstLoad begins by itself.
func (m *many) firstLoad(method ldapsync.Method) {
	m.timed("first load by "+string(method), func() {
		f := m.follow(func(c *ldapsync.Config) { c.Method = method })
		f.loaded()
		f.stop()
	})
	if got, err := m.st.Count(); got != m.n || err != nil {
		m.b.Fatalf("%d contracts, %v", got, err)
	}
}

// fewChanges are how many contracts change while nobody follows.
const fewChanges = 500

// resume goes on from a cookie, by what slapd remembers.
func (m *many) resume() {
	m.edit(fewChanges)
	m.timed("500 changed, from a cookie", func() {
		f := m.follow(func(*ldapsync.Config) {})
		f.loaded()
		f.stop()
	})
	m.agree()
}

// compare compares everything: the filter is another one, and finds the same.
func (m *many) compare() {
	m.edit(fewChanges)
	m.timed("500 changed, comparison of everything", func() {
		f := m.follow(func(c *ldapsync.Config) { c.Search.Filter = "(&" + c.Search.Filter + ")" })
		f.loaded()
		f.stop()
	})
	m.agree()
}

// oneByOne changes contracts while they are followed, each when the one before
// it is in the store.
func (m *many) oneByOne(n int) {
	f := m.follow(func(c *ldapsync.Config) { c.Search.Filter = "(&" + c.Search.Filter + ")" })
	defer f.stop()
	f.loaded()
	var took []time.Duration
	m.timed("100 single changes", func() {
		for range n {
			m.edit(1)
			began := time.Now()
			for !m.has(m.edited - 1) {
				time.Sleep(time.Millisecond)
			}
			took = append(took, time.Since(began))
		}
	})
	slices.Sort(took)
	fmt.Printf("%42s one until it is in the store: median %v, at most %v\n", "", took[n/2].Round(time.Millisecond), took[n-1].Round(time.Millisecond))
}

// edit gives the next contracts another course in the directory.
func (m *many) edit(n int) {
	conn := m.server.Admin(m.b)
	defer conn.Close()
	for range n {
		modify := ldap.NewModifyRequest(oneOf(m.place(m.edited)).DN(), nil)
		modify.Replace("ispCourse", []string{"edited"})
		check(m.b, conn.Modify(modify))
		m.edited++
	}
}

// place spreads the contracts that are edited over all.
func (m *many) place(i int) int { return i * 7919 % m.n }

// has tells whether the store has the i-th edit.
func (m *many) has(i int) bool {
	var f engine.Facts
	check(m.b, m.st.Subscriber(engine.Fold(oneOf(m.place(i)).Login), &f))
	return f.Contract != nil && f.Contract.Course == "edited"
}

// agree fails unless all edits are in the store.
func (m *many) agree() {
	for i := range m.edited {
		if !m.has(i) {
			m.b.Fatalf("the store lacks edit %d", i)
		}
	}
}

// loaded waits until the contracts are the directory's.
func (f *Follower) loaded() {
	for f.Status().LastSuccess.IsZero() {
		time.Sleep(5 * time.Millisecond)
	}
}

// loadMany fills the server with n contracts.
func loadMany(b *testing.B, s *Slapd, n int) {
	b.Helper()
	name := filepath.Join(s.Dir, "many.ldif")
	f, err := os.Create(name)
	check(b, err)
	w := bufio.NewWriter(f)
	for i := range n {
		if _, err := fmt.Fprint(w, oneOf(i).LDIF()); err != nil {
			b.Fatal(err)
		}
	}
	check(b, w.Flush())
	check(b, f.Close())
	Run(b, exec.Command("slapadd", "-q", "-n", "1", "-F", filepath.Join(s.Dir, "conf"), "-l", name))
	check(b, os.Remove(name))
}

var manyCourses = []string{"TEPCOひかりホーム", "ADSLトーカー", "ADSLアッカ", "Bフレッツファミリー", "Bフレッツマンション", "フレッツADSL", "AIR-EDGE"}

// oneOf is the i-th of many contracts.
func oneOf(i int) ISPEntry {
	e := ISPEntry{ID: fmt.Sprintf("C%08d", i), Login: fmt.Sprintf("uf%03dat%07dc", i*7919%1000, i), Course: manyCourses[i%len(manyCourses)], Address: "dynamic"}
	if i%10 == 3 {
		e.Options = []string{"fixed-ip"}
	}
	return e
}

// timed runs do and prints how long it took, what memory the process took for
// it, without pages of the store's file, how large that file is, and how long
// look-ups took beside it.
func (m *many) timed(what string, do func()) {
	var peak int64
	var lookups []time.Duration
	ctx, cancel := context.WithCancel(m.b.Context())
	var beside sync.WaitGroup
	before := residentOwn(m.b)
	beside.Go(func() {
		for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
			peak = max(peak, residentOwn(m.b))
			if m.st != nil {
				began := time.Now()
				var f engine.Facts
				if err := m.st.Subscriber(engine.Fold(oneOf(rand.IntN(m.n)).Login), &f); err != nil {
					m.b.Error(err)
				}
				lookups = append(lookups, time.Since(began))
			}
		}
	})
	began := time.Now()
	do()
	took := time.Since(began)
	cancel()
	beside.Wait()
	fmt.Printf("%-42s %8.2fs   resident %4d MB before, at most %4d MB", what, took.Seconds(), before>>10, peak>>10)
	if m.st != nil {
		file, err := os.Stat(m.st.Path())
		check(m.b, err)
		slices.Sort(lookups)
		at := func(part int) time.Duration { return lookups[(len(lookups)-1)*part/1000].Round(time.Microsecond) }
		fmt.Printf("   file %5d MB   look-ups %v, 99%% %v, at most %v", file.Size()>>20, at(500), at(990), at(1000))
	}
	fmt.Println()
}

// residentOwn is the resident memory of this process that is no file's, in KB.
func residentOwn(b *testing.B) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "RssAnon:")
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb
}

func bareRequest(c ldapsync.Config) *ldap.SearchRequest {
	attributes := append(c.Mapping.Attributes(), "entryUUID", "modifyTimestamp")
	return ldap.NewSearchRequest(c.Search.Base, c.Search.Scope, ldap.NeverDerefAliases, 0, 0, false, c.Search.Filter, attributes, nil)
}

func bareConn(b *testing.B, s *Slapd) *ldap.Conn {
	b.Helper()
	conn, err := ldap.DialURL(s.URL)
	check(b, err)
	check(b, conn.Bind("cn=sekisho,ou=apps,o=isp", "secret"))
	return conn
}

func bareSearch(b *testing.B, s *Slapd, n int) {
	b.Helper()
	conn := bareConn(b, s)
	defer conn.Close()
	got := 0
	response := conn.SearchAsync(b.Context(), bareRequest(newFollowing(s, nil)), 256)
	for response.Next() {
		if response.Entry() != nil {
			got++
		}
	}
	if err := response.Err(); err != nil || got != n {
		b.Fatalf("%d entries, %v", got, err)
	}
}

func bareSyncrepl(b *testing.B, s *Slapd, n int) {
	b.Helper()
	conn := bareConn(b, s)
	defer conn.Close()
	got := 0
	response := conn.Syncrepl(b.Context(), bareRequest(newFollowing(s, nil)), 256, ldap.SyncRequestModeRefreshOnly, nil, false)
	for response.Next() {
		if response.Entry() != nil {
			got++
		}
	}
	if err := response.Err(); err != nil || got < n {
		b.Fatalf("%d entries, %v", got, err)
	}
}
