//go:build realparts

package realparts

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/store/ldapsync"

	"github.com/go-ldap/ldap/v3"
)

// BenchmarkLDAPMillion loads a million contracts from a real slapd, beside
// go-ldap reading the same entries and doing nothing with them. LDAP_ENTRIES is
// another number of them.
func BenchmarkLDAPMillion(b *testing.B) {
	Need(b, slapdParts()...)
	n := 1_000_000
	if text := os.Getenv("LDAP_ENTRIES"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	server := NewSlapd(b, SlapdConfig{})
	loadMany(b, server, n)
	server.Serve(b)
	bareSearch(b, server, n) // fills slapd's caches
	for range b.N {
		bare := timed(b, "bare SearchAsync", func() { bareSearch(b, server, n) })
		bareSync := timed(b, "bare Syncrepl", func() { bareSyncrepl(b, server, n) })
		dir := WorkDir(b, "store")
		st := openStore(b, dir)
		follow := func(method ldapsync.Method) *Follower {
			return Follow(b, newFollowing(server, func(c *ldapsync.Config) { c.Method = method; c.Times.Interval = time.Hour }), st)
		}
		load := func() { // a first one begins by itself
			f := follow(ldapsync.Syncrepl)
			f.loaded()
			f.stop()
		}
		first := timed(b, "first load by syncrepl", load)
		f := follow(ldapsync.Syncrepl)
		f.loaded()
		again := timed(b, "comparison by syncrepl, nothing changed", func() {
			_, err := f.Sync(b.Context(), ldapsync.RunOptions{Full: true})
			check(b, err)
		})
		f.stop()
		check(b, st.Close())
		st = openStore(b, WorkDir(b, "store"))
		polled := timed(b, "first load by timestamp", func() {
			f := follow(ldapsync.Timestamp)
			f.loaded()
			f.stop()
		})
		if got, err := st.Count(); got != n || err != nil {
			b.Fatalf("%d contracts, %v", got, err)
		}
		check(b, st.Close())
		b.ReportMetric(first.Seconds()/bare.Seconds(), "syncrepl/bare")
		b.ReportMetric(first.Seconds()/bareSync.Seconds(), "syncrepl/bare-syncrepl")
		b.ReportMetric(again.Seconds()/bare.Seconds(), "compare/bare")
		b.ReportMetric(polled.Seconds()/bare.Seconds(), "timestamp/bare")
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
	courses := []string{"TEPCOひかりホーム", "ADSLトーカー", "ADSLアッカ", "Bフレッツファミリー", "Bフレッツマンション", "フレッツADSL", "AIR-EDGE"}
	name := filepath.Join(s.Dir, "many.ldif")
	f, err := os.Create(name)
	check(b, err)
	w := bufio.NewWriter(f)
	for i := range n {
		e := ISPEntry{ID: fmt.Sprintf("C%08d", i), Login: fmt.Sprintf("uf%03dat%07dc", i*7919%1000, i), Course: courses[i%len(courses)], Address: "dynamic"}
		if i%10 == 3 {
			e.Options = []string{"fixed-ip"}
		}
		fmt.Fprint(w, e.LDIF())
	}
	check(b, w.Flush())
	check(b, f.Close())
	Run(b, exec.Command("slapadd", "-q", "-n", "1", "-F", filepath.Join(s.Dir, "conf"), "-l", name))
	check(b, os.Remove(name))
}

// timed runs do and tells how long it took and what memory the process took for
// it; pages of the store's file that are mapped do not count.
func timed(b *testing.B, what string, do func()) time.Duration {
	b.Helper()
	var peak atomic.Int64
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	before := residentOwn(b)
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if now := residentOwn(b); now > peak.Load() {
				peak.Store(now)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	began := time.Now()
	do()
	took := time.Since(began)
	cancel()
	<-done
	fmt.Printf("%-42s %8.2fs   resident %4d MB before, at most %4d MB\n", what, took.Seconds(), before>>10, peak.Load()>>10)
	return took
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
