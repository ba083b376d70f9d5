//go:build realparts

package realparts

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/store"
	"sekisho/store/ldapsync"

	"github.com/go-ldap/ldap/v3"
)

// ispMapping maps the tests' schema.
func ispMapping() *ldapsync.Mapping {
	return ldapsync.NewMapping([]ldapsync.Field{
		{Name: "account", Attributes: []string{"ispLogin", "ispLegacyLogin"}},
		{Name: "course", Attributes: []string{"ispCourse"}},
		{Name: "address", Attributes: []string{"ispAddressType"}, Values: map[string]string{"動的": "dynamic", "固定": "fixed"}},
		{Name: "options", Attributes: []string{"ispOption"}, Values: map[string]string{"固定IP": "fixed-ip"}},
		{Name: "segment", Attributes: []string{"ispSegment"}, Values: map[string]string{"corporate": "corporate-s"}},
		{Name: "status", Attributes: []string{"ispStatus"}, Values: map[string]string{"利用中": "active", "解約": "closed"}},
	})
}

// A Follower is a store that follows a directory, in the test's own process.
type Follower struct {
	*ldapsync.Syncer
	Store *store.Store
	stop  func()
}

// quick are times that tests need not wait for.
var quick = ldapsync.Times{Interval: 200 * time.Millisecond, Grace: time.Hour, Held: 500 * time.Millisecond, Overlap: 2 * time.Second}

// newFollowing is a configuration for a server.
func newFollowing(s *Slapd, change func(*ldapsync.Config)) ldapsync.Config {
	c := ldapsync.Config{
		Connect: ldapsync.Connect{Servers: []string{s.URL}, BindDN: "cn=sekisho,ou=apps,o=isp", Password: []byte("secret"), Timeout: 5 * time.Second},
		Search:  ldapsync.Search{Base: "ou=contracts,o=isp", Scope: ldap.ScopeWholeSubtree, Filter: "(objectClass=ispContract)"},
		Method:  ldapsync.Syncrepl, Mapping: ispMapping(), Times: quick,
		Guards: store.DirectoryGuards{Guards: store.Guards{MinContracts: 1}},
	}
	if change != nil {
		change(&c)
	}
	return c
}

// openStore opens a store below dir.
func openStore(t testing.TB, dir string) *store.Store {
	t.Helper()
	st, err := store.Open(filepath.Join(dir, "sekisho.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// Follow starts to follow; the test's end stops it.
func Follow(t testing.TB, c ldapsync.Config, st *store.Store) *Follower {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	f := &Follower{Syncer: ldapsync.New(c, st, ldapsync.Options{Log: log}), Store: st}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx)
	}()
	f.stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(f.stop)
	return f
}

type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// contractsOf lists the contracts as account=course, with what else they say.
func contractsOf(t testing.TB, st *store.Store) string {
	t.Helper()
	var all []string
	for c, err := range st.AllContracts("") {
		if err != nil {
			t.Fatal(err)
		}
		text := c.Account + "=" + c.Course
		for _, more := range append([]string{c.Address, c.Segment, c.Status}, c.Options...) {
			if more != "" && more != "active" && more != "personal" {
				text += "/" + more
			}
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// becomes waits until the contracts are these.
func becomes(t testing.TB, st *store.Store, want string) {
	t.Helper()
	Eventually(t, 20*time.Second, "contracts "+want, func() error {
		if got := contractsOf(t, st); got != want {
			return fmt.Errorf("got %s", got)
		}
		return nil
	})
}

// phase waits until the follower is in a phase.
func (f *Follower) phase(t testing.TB, want ldapsync.Phase) ldapsync.Status {
	t.Helper()
	var status ldapsync.Status
	Eventually(t, 20*time.Second, "phase "+string(want), func() error {
		if status = f.Status(); status.Phase != want {
			return fmt.Errorf("it is %s, last error %q", status.Phase, status.LastError)
		}
		return nil
	})
	return status
}

// fails waits until an error of a kind was counted.
func (f *Follower) fails(t testing.TB, kind, text string) {
	t.Helper()
	Eventually(t, 20*time.Second, "an error of the kind "+kind, func() error {
		if s := f.Status(); s.Errors[kind] == 0 || !strings.Contains(s.LastError, text) {
			return fmt.Errorf("got %v, %s", s.Errors, s.LastError)
		}
		return nil
	})
}

var threeContracts = []string{
	ISPEntry{ID: "C1", Login: "uf234at567c", Course: "Bフレッツファミリー", Address: "動的", Options: []string{"固定IP"}}.LDIF(),
	ISPEntry{ID: "C2", Login: "U1234AB567C", Course: "TEPCOひかりホーム", Segment: "corporate"}.LDIF(),
	ISPEntry{ID: "C3", Login: "m1234ab567c", Course: "ADSLアッカ", Status: "利用中"}.LDIF(),
}

const threeInStore = "m1234ab567c=ADSLアッカ U1234AB567C=TEPCOひかりホーム/corporate-s uf234at567c=Bフレッツファミリー/dynamic/fixed-ip"

// TestLDAPFollowsALiveDirectory: initial load, and what is added, modified,
// renamed and deleted while we watch; contracts come in the order of accounts.
func TestLDAPFollowsALiveDirectory(t *testing.T) {
	Need(t, slapdParts()...)
	server := NewSlapd(t, SlapdConfig{}, threeContracts...)
	server.Serve(t)
	f := Follow(t, newFollowing(server, func(c *ldapsync.Config) { c.Times.Grace = 0 }), openStore(t, WorkDir(t, "store")))
	f.phase(t, ldapsync.Following)
	becomes(t, f.Store, threeInStore)

	admin := server.Admin(t)
	ISPEntry{ID: "C4", Login: "a1", Course: "DAL"}.AddTo(t, admin)
	becomes(t, f.Store, "a1=DAL "+threeInStore)

	modify := ldap.NewModifyRequest(ISPEntry{ID: "C4"}.DN(), nil)
	modify.Replace("ispCourse", []string{"DoPa"})
	modify.Replace("ispStatus", []string{"解約"})
	check(t, admin.Modify(modify))
	becomes(t, f.Store, "a1=DoPa/closed "+threeInStore)

	check(t, admin.ModifyDN(ldap.NewModifyDNRequest(ISPEntry{ID: "C4"}.DN(), "ispContractId=C5", true, "")))
	relogin := ldap.NewModifyRequest(ISPEntry{ID: "C5"}.DN(), nil)
	relogin.Replace("ispLogin", []string{"a2"})
	check(t, admin.Modify(relogin))
	becomes(t, f.Store, "a2=DoPa/closed "+threeInStore)

	check(t, admin.Del(ldap.NewDelRequest(ISPEntry{ID: "C5"}.DN(), nil)))
	becomes(t, f.Store, threeInStore)

	// gone from below the base without being deleted
	check(t, admin.ModifyDN(ldap.NewModifyDNRequest(ISPEntry{ID: "C3"}.DN(), "ispContractId=C3", true, "ou=apps,o=isp")))
	becomes(t, f.Store, strings.SplitN(threeInStore, " ", 2)[1])
	if s := f.Status(); len(s.Errors) > 0 {
		t.Errorf("errors %v: %s", s.Errors, s.LastError)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestLDAPDeletesWhileWeWereAway: with a session log, and with one that is too
// short, so that the server names what is unchanged instead.
func TestLDAPDeletesWhileWeWereAway(t *testing.T) {
	Need(t, slapdParts()...)
	for name, writes := range map[string]int{"remembered": 1, "forgotten": 40} {
		t.Run(name, func(t *testing.T) {
			server := NewSlapd(t, SlapdConfig{SessionLog: 10}, threeContracts...)
			server.Serve(t)
			st := openStore(t, WorkDir(t, "store"))
			c := newFollowing(server, func(c *ldapsync.Config) { c.Times.Grace = 0 })
			f := Follow(t, c, st)
			f.phase(t, ldapsync.Following)
			f.stop()
			admin := server.Admin(t)
			check(t, admin.Del(ldap.NewDelRequest(ISPEntry{ID: "C1"}.DN(), nil)))
			for i := range writes {
				ISPEntry{ID: fmt.Sprint("X", i), Login: fmt.Sprint("x", i), Course: "DAL"}.AddTo(t, admin)
			}
			check(t, admin.Del(ldap.NewDelRequest(ISPEntry{ID: "X0"}.DN(), nil)))
			f = Follow(t, c, st)
			Eventually(t, 20*time.Second, "the contracts that are left", func() error {
				if n, err := st.Count(); n != 1+writes || err != nil {
					return fmt.Errorf("%d contracts, %v", n, err)
				}
				return nil
			})
			if _, found, _ := st.Contract("uf234at567c"); found {
				t.Error("the deleted one is there")
			}
		})
	}
}

// TestLDAPCookieRefused: the server says that it remembers too little, or cannot
// read what we show it; both times everything is compared.
func TestLDAPCookieRefused(t *testing.T) {
	Need(t, slapdParts()...)
	server := NewSlapd(t, SlapdConfig{SessionLog: 2, Refuses: true}, threeContracts...)
	server.Serve(t)
	st := openStore(t, WorkDir(t, "store"))
	c := newFollowing(server, func(c *ldapsync.Config) { c.Times.Grace = 0 })
	f := Follow(t, c, st)
	f.phase(t, ldapsync.Following)
	f.stop()
	admin := server.Admin(t)
	for i := range 20 {
		ISPEntry{ID: fmt.Sprint("X", i), Login: fmt.Sprint("x", i), Course: "DAL"}.AddTo(t, admin)
		if i > 0 {
			check(t, admin.Del(ldap.NewDelRequest(ISPEntry{ID: fmt.Sprint("X", i)}.DN(), nil)))
		}
	}
	check(t, admin.Del(ldap.NewDelRequest(ISPEntry{ID: "C1"}.DN(), nil)))
	f = Follow(t, c, st)
	want := "m1234ab567c=ADSLアッカ U1234AB567C=TEPCOひかりホーム/corporate-s x0=DAL"
	becomes(t, st, want)
	f.phase(t, ldapsync.Following)
	f.stop()

	check(t, admin.Del(ldap.NewDelRequest(ISPEntry{ID: "C2"}.DN(), nil)))
	spoil(t, st)
	f = Follow(t, c, st)
	becomes(t, st, "m1234ab567c=ADSLアッカ x0=DAL")
	f.phase(t, ldapsync.Following)
	if s := f.Status(); len(s.Errors) > 0 {
		t.Errorf("errors %v: %s", s.Errors, s.LastError)
	}
}

// spoil makes the cookie in the store one that no server can read.
func spoil(t testing.TB, st *store.Store) {
	t.Helper()
	state, err := st.Directory(ldapsync.Source)
	check(t, err)
	b, err := st.NewDirectoryBatch(ldapsync.Source)
	check(t, err)
	defer b.Close()
	cookie := append(slices.Clone(state.Cookie.Value[:8]), "garbage"...)
	_, err = st.ApplyDirectory(t.Context(), store.By{Who: "test"}, b, store.DirectoryOptions{Cookie: store.Cookie{Value: cookie}})
	check(t, err)
}

// TestLDAPGuards: a directory emptied by mistake, and a tenth of the contracts on
// a course of another name.
func TestLDAPGuards(t *testing.T) {
	Need(t, slapdParts()...)
	var ldif []string
	for i := range 200 {
		ldif = append(ldif, ISPEntry{ID: fmt.Sprintf("C%03d", i), Login: fmt.Sprintf("u%03d", i), Course: "フレッツADSL"}.LDIF())
	}
	server := NewSlapd(t, SlapdConfig{}, ldif...)
	server.Serve(t)
	st := openStore(t, WorkDir(t, "store"))
	f := Follow(t, newFollowing(server, func(c *ldapsync.Config) {
		c.Guards.MaxDeletePercent, c.Guards.MaxChanges = 5, 15
	}), st)
	f.phase(t, ldapsync.Following)
	admin := server.Admin(t)
	for i := range 20 {
		m := ldap.NewModifyRequest(ISPEntry{ID: fmt.Sprintf("C%03d", i)}.DN(), nil)
		m.Replace("ispCourse", []string{"フレッツADSLコース"})
		check(t, admin.Modify(m))
	}
	status := f.phase(t, ldapsync.Holding)
	held := status.Directory.Held
	if !strings.Contains(held.Guard.Text(), "max-changes 15") {
		t.Errorf("held by %s", held.Guard.Text())
	}
	applied := strings.Count(contractsOf(t, st), "コース")
	if applied > 15 || applied+held.Report.Changed != 20 {
		t.Errorf("%d applied, %d held", applied, held.Report.Changed)
	}
	_, err := f.Approve(t.Context(), store.By{Who: "boss"}, held.ID, false)
	check(t, err)
	f.phase(t, ldapsync.Following)
	if n := strings.Count(contractsOf(t, st), "コース"); n != 20 {
		t.Errorf("%d after approval", n)
	}

	// everything deleted
	for i := range 200 {
		check(t, admin.Del(ldap.NewDelRequest(ISPEntry{ID: fmt.Sprintf("C%03d", i)}.DN(), nil)))
	}
	f.phase(t, ldapsync.Holding)
	if n, _ := st.Count(); n != 200 {
		t.Errorf("%d contracts", n)
	}
	// and put back: what was held is not what the directory says any more
	for i := range 200 {
		ISPEntry{ID: fmt.Sprintf("C%03d", i), Login: fmt.Sprintf("u%03d", i), Course: "フレッツADSL"}.AddTo(t, admin)
	}
	Eventually(t, 20*time.Second, "all entries replaced in what is held", func() error {
		if h := f.Status().Directory.Held; h == nil || h.Report.Replaced < 190 {
			return fmt.Errorf("held: %+v", h)
		}
		return nil
	})
	_, err = f.Approve(t.Context(), store.By{Who: "boss"}, f.Status().Directory.Held.ID, true)
	check(t, err)
	f.phase(t, ldapsync.Following)
	if n, _ := st.Count(); n != 200 {
		t.Errorf("%d contracts", n)
	}
}

// TestLDAPKilledServer: in the middle of the first reading, and while we follow.
func TestLDAPKilledServer(t *testing.T) {
	Need(t, slapdParts()...)
	var ldif strings.Builder
	const n = 20_000
	for i := range n {
		ldif.WriteString(ISPEntry{ID: fmt.Sprintf("C%05d", i), Login: fmt.Sprintf("u%05d", i), Course: "フレッツADSL"}.LDIF())
	}
	server := NewSlapd(t, SlapdConfig{}, ldif.String())
	server.Serve(t)
	st := openStore(t, WorkDir(t, "store"))
	f := Follow(t, newFollowing(server, nil), st)
	Eventually(t, 20*time.Second, "a reading under way", func() error {
		if s := f.Status(); s.Read == 0 || s.Phase != ldapsync.Reading {
			return fmt.Errorf("%s, %d read", s.Phase, s.Read)
		}
		return nil
	})
	server.Kill()
	f.fails(t, "connect", "")
	if got, _ := st.Count(); got != 0 {
		t.Errorf("%d contracts of a part", got)
	}
	server.Serve(t)
	f.phase(t, ldapsync.Following)
	if got, _ := st.Count(); got != n {
		t.Errorf("%d contracts", got)
	}
	server.Kill()
	Eventually(t, 20*time.Second, "the end of following", func() error {
		if f.Status().Phase == ldapsync.Following {
			return errors.New("it still follows")
		}
		return nil
	})
	server.Serve(t)
	check(t, server.Admin(t).Del(ldap.NewDelRequest(ISPEntry{ID: "C00007"}.DN(), nil)))
	Eventually(t, 30*time.Second, "the one that was deleted", func() error {
		if s := f.Status(); s.Directory.Missing != 1 {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
}

// TestLDAPRefusals: a certificate for another name, a password that is wrong, a
// size limit, a base that we may not see: nothing of it deletes anything.
func TestLDAPRefusals(t *testing.T) {
	Need(t, slapdParts()...)
	server := NewSlapd(t, SlapdConfig{}, threeContracts...)
	server.Serve(t)
	limited := NewSlapd(t, SlapdConfig{SizeLimit: "2"}, threeContracts...)
	limited.Serve(t)
	pem, err := os.ReadFile(server.TLS.CA)
	check(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	pair, err := tls.LoadX509KeyPair(server.ClientCert, server.ClientKey)
	check(t, err)
	secure := &tls.Config{RootCAs: roots}
	st := openStore(t, WorkDir(t, "store"))
	for _, good := range []func(*ldapsync.Config){
		func(c *ldapsync.Config) { c.Connect.StartTLS, c.Connect.TLS = true, secure },
		func(c *ldapsync.Config) { c.Connect.Servers, c.Connect.TLS = []string{server.Secure}, secure },
		func(c *ldapsync.Config) {
			c.Connect.Servers, c.Connect.External, c.Connect.TLS = []string{server.Secure}, true, &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}
		},
		func(c *ldapsync.Config) { c.Connect.Servers, c.Connect.External = []string{server.Socket}, true },
		func(c *ldapsync.Config) { c.Method = ldapsync.Timestamp },
		func(c *ldapsync.Config) { c.Method, c.Search.PageSize = ldapsync.Timestamp, 2 },
	} {
		f := Follow(t, newFollowing(server, good), st)
		_, err := f.Sync(t.Context(), ldapsync.RunOptions{Full: true})
		check(t, err)
		becomes(t, st, threeInStore)
		f.stop()
	}
	for name, bad := range map[string]struct {
		change     func(*ldapsync.Config)
		kind, text string
	}{
		"another name": {func(c *ldapsync.Config) {
			c.Connect.Servers, c.Connect.TLS = []string{strings.Replace(server.Secure, "127.0.0.1", "localhost", 1)}, secure
		}, "tls", "localhost"},
		"another name, TLS": {func(c *ldapsync.Config) {
			c.Connect.Servers, c.Connect.StartTLS, c.Connect.TLS = []string{strings.Replace(server.URL, "127.0.0.1", "localhost", 1)}, true, secure
		}, "tls", "localhost"},
		"authority":        {func(c *ldapsync.Config) { c.Connect.StartTLS = true }, "tls", "unknown authority"},
		"password":         {func(c *ldapsync.Config) { c.Connect.Password = []byte("wrong") }, "bind", "Invalid Credentials"},
		"anonymous":        {func(c *ldapsync.Config) { c.Connect.BindDN = "" }, "search", "No Such Object"},
		"size limit":       {func(c *ldapsync.Config) { c.Connect.Servers = []string{limited.URL} }, "partial", "Size Limit"},
		"size limit, poll": {func(c *ldapsync.Config) { c.Connect.Servers, c.Method = []string{limited.URL}, ldapsync.Timestamp }, "partial", "Size Limit"},
		"nothing there":    {func(c *ldapsync.Config) { c.Search.Filter = "(ispCourse=none)" }, "held", "min-entries"},
		"nobody there": {func(c *ldapsync.Config) {
			c.Connect.Servers = []string{fmt.Sprintf("ldap://127.0.0.1:%d", freePort(t))}
		}, "connect", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			f := Follow(t, newFollowing(server, bad.change), st)
			f.fails(t, bad.kind, bad.text)
			f.stop()
			if got := contractsOf(t, st); got != threeInStore {
				t.Errorf("got %s", got)
			}
		})
	}
}
