//go:build realparts

package realparts

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/store/ldapsync"

	"github.com/go-ldap/ldap/v3"
)

var ldapKills = flag.Int("ldap-kills", 10, "how often the daemon is killed in the test of following a directory")

// newDirectoryDaemon is a daemon that follows a directory; nothing runs yet.
func newDirectoryDaemon(t testing.TB, s *Slapd, sync string) *Sekisho {
	t.Helper()
	site := newSite("asahi-net", []SiteNAS{{Name: "tokyo", Source: "127.0.0.1", NASIP: "192.0.2.1", Secret: nasSecret, Area: "tokyo", Profile: "filter-id"}})
	site.More = s.Site(sync)
	return NewSekisho(t, NewNetns(t, "ldap"), site)
}

// inSync waits until the daemon has compared everything and is following.
func inSync(t testing.TB, d *Sekisho) {
	t.Helper()
	client := admin.Dial(d.socket)
	defer client.Close()
	Eventually(t, 30*time.Second, "the daemon to follow", func() error {
		s, err := client.SyncStatus(t.Context(), 0)
		if err == nil && (s.LastSuccess == nil || s.Phase != string(ldapsync.Following)) {
			err = fmt.Errorf("%+v", s)
		}
		return err
	})
}

// TestLDAPDaemonIsKilled: the daemon is killed again and again, at any point of
// its following, while the directory changes. In the end its contracts are the
// directory's, and its database is whole.
func TestLDAPDaemonIsKilled(t *testing.T) {
	Need(t, append(slapdParts(), Root, Namespaces)...)
	var ldif strings.Builder
	want := map[string]string{}
	for i := range 3000 {
		e := ISPEntry{ID: fmt.Sprintf("C%04d", i), Login: fmt.Sprintf("u%04d", i), Course: "ADSLアッカ"}
		want[e.Login] = e.Course
		ldif.WriteString(e.LDIF())
	}
	server := NewSlapd(t, SlapdConfig{SessionLog: 50}, ldif.String())
	server.Serve(t)
	change := server.Admin(t)
	daemon := newDirectoryDaemon(t, server, "grace: 0s, max-delete-percent: 100, max-change-percent: 100")
	for round := range *ldapKills {
		daemon.Process = Start(t, daemon.dir, "sekisho", daemon.netns.Command(sekishoBinary, "serve", "--config", daemon.config))
		stop := time.Now().Add(time.Duration(rand.IntN(600)) * time.Millisecond)
		for n := 0; time.Now().Before(stop); n++ {
			directoryMoves(t, change, want, round*10_000+n)
		}
		daemon.Kill()
	}
	daemon.Serve(t, "")
	inSync(t, daemon)
	got := map[string]string{}
	client := admin.Dial(daemon.socket)
	defer client.Close()
	for c, err := range client.AllContracts(t.Context(), "") {
		check(t, err)
		got[c.Account] = c.Course
	}
	wrong := 0
	for account, course := range want {
		if got[account] != course {
			wrong++
		}
	}
	if wrong > 0 || len(got) != len(want) {
		t.Errorf("%d contracts of %d, %d of them wrong or missing", len(got), len(want), wrong)
	}
	if s, err := client.SyncStatus(t.Context(), 0); err != nil || s.Entries != len(want) {
		t.Errorf("%d entries known of %d, %v", s.Entries, len(want), err)
	}
	if out := daemon.CLI(t, "audit", "verify"); !strings.Contains(out, "whole") && !strings.Contains(out, "ok") {
		t.Logf("audit verify: %s", out)
	}
	daemon.Stop()
	Run(t, exec.Command(sekishoBinary, "db", "check", filepath.Join(daemon.dir, "sekisho.db")))
}

// directoryMoves adds, changes or deletes an entry, and notes it.
func directoryMoves(t testing.TB, conn *ldap.Conn, want map[string]string, n int) {
	t.Helper()
	i := rand.IntN(3000)
	e := ISPEntry{ID: fmt.Sprintf("C%04d", i), Login: fmt.Sprintf("u%04d", i)}
	_, there := want[e.Login]
	switch {
	case !there:
		e.Course = fmt.Sprint("course ", n)
		e.AddTo(t, conn)
		want[e.Login] = e.Course
	case n%5 == 0:
		check(t, conn.Del(ldap.NewDelRequest(e.DN(), nil)))
		delete(want, e.Login)
	default:
		m := ldap.NewModifyRequest(e.DN(), nil)
		m.Replace("ispCourse", []string{fmt.Sprint("course ", n)})
		check(t, conn.Modify(m))
		want[e.Login] = fmt.Sprint("course ", n)
	}
}

// TestLDAPVerbs: what operators type, against a real directory: check, and its
// command lines by hand; status, a held diff, its approval, in the audit.
func TestLDAPVerbs(t *testing.T) {
	Need(t, append(slapdParts(), Root, Namespaces)...)
	server := NewSlapd(t, SlapdConfig{}, append(threeContracts,
		ISPEntry{ID: "C9", Course: "DAL"}.LDIF(), ISPEntry{ID: "C8", Login: "odd", Course: "知らないコース"}.LDIF())...)
	server.Serve(t)
	daemon := newDirectoryDaemon(t, server, "max-changes: 2, held-retry: 1h")
	// The tests' site file has no values: these are ours already, or refused.
	checked := Run(t, exec.Command(sekishoBinary, "sync", "check", "--config", daemon.config))
	for _, text := range []string{"account odd: course 知らないコース", "does not know this course", "no contract: account: the entry has no ispLogin", `no contract: address "動的" is none of`} {
		if !strings.Contains(checked, text) {
			t.Errorf("sync check does not say %q:\n%s", text, checked)
		}
	}
	lines := regexp.MustCompile(`(?m)^ +(ldapsearch -LLL .*)$`).FindAllStringSubmatch(checked, -1)
	if len(lines) != 2 {
		t.Fatalf("%d command lines in\n%s", len(lines), checked)
	}
	line := lines[0][1]
	if out := Run(t, exec.Command("sh", "-c", line)); strings.Count(out, "\ndn: ")+strings.Count(out, "dn: ispContractId=C") < 5 {
		t.Errorf("%s\n%s", line, out)
	}
	daemon.Serve(t, "")
	inSync(t, daemon)
	status := daemon.CLI(t, "sync", "status")
	for _, text := range []string{"following", "unmapped", "unknown course 知らないコース: 1 contracts"} {
		if !strings.Contains(status, text) {
			t.Errorf("sync status does not say %q:\n%s", text, status)
		}
	}
	conn := server.Admin(t)
	began := time.Now()
	move(t, conn, "C8", "DoPa")
	Eventually(t, 10*time.Second, "the changed course", func() error {
		if out := daemon.CLI(t, "contracts", "show", "odd"); !strings.Contains(out, "DoPa") {
			return fmt.Errorf("%s", out)
		}
		return nil
	})
	if took := time.Since(began); took > time.Second {
		t.Errorf("a change took %s", took)
	}
	for i := range 5 { // the first of them may still pass, one by one
		ISPEntry{ID: fmt.Sprint("N", i), Login: fmt.Sprint("n", i), Course: "AIR-EDGE"}.AddTo(t, conn)
	}
	client := admin.Dial(daemon.socket)
	defer client.Close()
	held := ""
	Eventually(t, 20*time.Second, "a held diff", func() error {
		page, err := client.HeldSync(t.Context(), "", 10)
		if err == nil && page.Held == nil {
			return fmt.Errorf("nothing is held")
		}
		if err == nil {
			held = page.Held.ID
		}
		return err
	})
	if diff := daemon.CLI(t, "sync", "diff", "-o", "csv"); !strings.Contains(diff, "account,before,after") || !strings.Contains(diff, "AIR-EDGE") {
		t.Errorf("sync diff: %s", diff)
	}
	if out := daemon.CLI(t, "sync", "approve", held, "--reason", "as ordered"); !strings.Contains(out, "added") {
		t.Errorf("sync approve: %s", out)
	}
	if audit := daemon.CLI(t, "audit", "list", "--op", "sync"); !strings.Contains(audit, "sync.approve") || !strings.Contains(audit, "root") || !strings.Contains(audit, "sync.hold") {
		t.Errorf("audit: %s", audit)
	}
	if out := daemon.CLI(t, "sync", "run", "--full", "--dry-run"); !strings.Contains(out, "entries 10") {
		t.Errorf("sync run: %s", out)
	}
}

func move(t testing.TB, conn *ldap.Conn, id, course string) {
	t.Helper()
	m := ldap.NewModifyRequest(ISPEntry{ID: id}.DN(), nil)
	m.Replace("ispCourse", []string{course})
	check(t, conn.Modify(m))
}

// TestLDAPTwoProviders: two servers that copy each other, of which now one and
// now the other is there.
func TestLDAPTwoProviders(t *testing.T) {
	Need(t, slapdParts()...)
	portA, portB := freePort(t), freePort(t)
	a := NewSlapd(t, SlapdConfig{Port: portA, ServerID: 1, Mirror: fmt.Sprintf("ldap://127.0.0.1:%d", portB)}, threeContracts...)
	b := NewSlapd(t, SlapdConfig{Port: portB, ServerID: 2, Mirror: a.URL})
	a.Serve(t)
	b.Serve(t)
	count := func(s *Slapd) int {
		conn := s.Admin(t)
		defer conn.Close()
		r, err := conn.Search(ldap.NewSearchRequest("ou=contracts,o=isp", ldap.ScopeSingleLevel, 0, 0, 0, false, "(objectClass=ispContract)", []string{"1.1"}, nil))
		if err != nil {
			return -1
		}
		return len(r.Entries)
	}
	copied := func(s *Slapd, n int) {
		t.Helper()
		Eventually(t, 20*time.Second, "the copy", func() error {
			if got := count(s); got != n {
				return fmt.Errorf("%d entries", got)
			}
			return nil
		})
	}
	copied(b, 3)
	st := openStore(t, WorkDir(t, "store"))
	f := Follow(t, newFollowing(a, func(c *ldapsync.Config) {
		c.Connect.Servers, c.Times.Grace = []string{a.URL, b.URL}, 0
		c.Guards.MaxDeletes = 2
	}), st)
	f.phase(t, ldapsync.Following)
	becomes(t, st, threeInStore)
	for round, one := range []struct{ down, up *Slapd }{{a, b}, {b, a}, {a, b}} {
		one.down.Kill()
		login := fmt.Sprintf("a%d", round)
		ISPEntry{ID: fmt.Sprintf("N%d", round), Login: login, Course: "DAL"}.AddTo(t, one.up.Admin(t))
		Eventually(t, 30*time.Second, "what only the other server knows", func() error {
			if _, found, _ := st.Contract(login); !found {
				return fmt.Errorf("%+v", f.Status())
			}
			return nil
		})
		one.down.Serve(t)
		copied(one.down, 4+round)
	}
	becomes(t, st, "a0=DAL a1=DAL a2=DAL "+threeInStore)
}

// TestLDAPOddValues: octets that are no UTF-8, full-width, blanks, one account in
// two entries, 10,000 characters.
func TestLDAPOddValues(t *testing.T) {
	Need(t, slapdParts()...)
	legacy := "dn: ispContractId=L1,ou=contracts,o=isp\nobjectClass: ispContract\nispContractId: L1\nispLegacyLogin:: g2WDWINn\nispCourse: DAL\n\n" // テスト in Shift_JIS
	server := NewSlapd(t, SlapdConfig{}, append(threeContracts, legacy,
		ISPEntry{ID: "L2", Login: "long", Course: strings.Repeat("長", 10_000)}.LDIF(),
		ISPEntry{ID: "L3", Login: "ＵＦ９９９  ", Course: "ＴＥＰＣＯひかりホーム　"}.LDIF(),
		ISPEntry{ID: "L4", Login: "UF234AT567C", Course: "DAL"}.LDIF())...)
	server.Serve(t)
	f := Follow(t, newFollowing(server, nil), openStore(t, WorkDir(t, "store")))
	f.phase(t, ldapsync.Following)
	c, found, err := f.Store.Contract("uf999")
	if err != nil || !found || strings.TrimSpace(c.Course) != c.Course {
		t.Errorf("%q, %v", c, err)
	}
	s := f.Status()
	if s.Unmapped != 2 || s.Directory.Doubles != 1 || s.Directory.Entries != 5 {
		t.Errorf("%+v, %+v", s, f.Unmapped(10))
	}
	if c, _, _ := f.Store.Contract("uf234at567c"); c.Course != "Bフレッツファミリー" && c.Course != "DAL" {
		t.Errorf("%q", c)
	}
	for _, u := range f.Unmapped(10) {
		if !strings.Contains(u.Reason, "expected UTF-8") && !strings.Contains(u.Reason, "30000 bytes long") {
			t.Errorf("%+v", u)
		}
	}
}

// TestLDAPChangeReachesTheRouter: within a second from the change in the
// directory to the CoA at the router, for a course that changes while the
// subscriber is online.
func TestLDAPChangeReachesTheRouter(t *testing.T) {
	Need(t, append(wireParts(), slapdParts()...)...)
	customer := Subscriber{Account: "uf100at021c", Course: "Bフレッツファミリー"}
	entry := ISPEntry{ID: "C1", Login: customer.Account, Course: customer.Course}
	server := NewSlapd(t, SlapdConfig{}, entry.LDIF())
	server.Serve(t)
	room := NewRoom(t, "asahi-net", virtualBRAS[:1], aaaUsers([]Subscriber{customer}))
	room.Site.Profiles = "{bng: {base: filter-id, open-filter: op25b-open, coa: {otherwise: disconnect}}}"
	room.Site.More = server.Site("grace: 0s")
	room.Sekisho.Configure(t, room.Site)
	nas := StartVirtualNAS(t, room.Netns, nasSecret, daePort)
	room.Sekisho.Serve(t, afterStage2)
	inSync(t, room.Sekisho)
	client := room.RADClient("192.0.2.1")
	if r := client.PAP(t, customer.Login(), customer.Password(), `Acct-Session-Id = "0000A1"`); r.Code != "Access-Accept" || r.Has("Filter-Id") {
		t.Fatalf("%s", r)
	}
	client.Acct(t, "Acct-Status-Type = Start", fmt.Sprintf("User-Name = %q", customer.Login()), `Acct-Session-Id = "0000A1"`)
	Eventually(t, promptly, "the session", func() error {
		if out := room.Sekisho.CLI(t, "sessions", "list", "-o", "csv"); !strings.Contains(out, "0000A1") {
			return fmt.Errorf("%s", out)
		}
		return nil
	})
	began := time.Now()
	move(t, server.Admin(t), "C1", "ADSLアッカ")
	Eventually(t, promptly, "the CoA", func() error {
		for _, a := range nas.Told(t) {
			if saidTo(a) == "CoA-Request Filter-Id=op25b" {
				return nil
			}
		}
		return fmt.Errorf("it was told %d things", len(nas.Told(t)))
	})
	took := time.Since(began)
	t.Logf("from the change to the CoA: %s", took)
	if took > time.Second {
		t.Errorf("it took %s", took)
	}
}
