package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/cmd/internal/daemon"
	"sekisho/engine/policyfile"
	"sekisho/radius/radiustest"

	"github.com/google/go-cmp/cmp"
)

const (
	nasSecret = "the secret of the NAS side"
	aaaSecret = "the secret of the AAA side"
	patience  = 5 * time.Second
)

// site is a whole installation on loopback.
type site struct {
	daemon *daemon.Daemon
	client *admin.Client
	file   string
	text   string
	clock  atomic.Pointer[time.Time]
	broken bool // the store: the end complains of it
}

const siteFile = `listen: {auth: "127.0.0.1:0", acct: "127.0.0.1:0"}
admin: {socket: %[1]s/admin.sock, listen: "127.0.0.1:0"}
store: {path: %[1]s/sekisho.db}
policy: asahi-net
nas:
  tokyo:   {source: 127.0.0.1, nas-ip-address: 192.0.2.1, secret: %[2]s, area: tokyo, profile: filter-id}
  okinawa: {source: 127.0.0.1, nas-ip-address: 192.0.2.2, secret: %[2]s, area: okinawa, profile: juniper-mx}
  quiet:   {source: 127.0.0.1, nas-ip-address: 192.0.2.3, secret: %[2]s}
aaa:
  servers: {home: {address: 127.0.0.1, auth-port: %[4]d, acct-port: %[4]d, secret: %[3]s}}
  pools: {main: {servers: home}}
  realms: {"*": main}
`

const contracts = `account,course,options
uf234at567c,Bフレッツファミリー,fixed-ip
ua700aa007g,ADSLアッカコース(12M),
`

// open starts one. Pairs of texts change its site file before: from, to.
func open(t testing.TB, change ...string) *site {
	t.Helper()
	dir := t.TempDir()
	users := map[string]radiustest.User{}
	for _, name := range []string{"uf234at567c@atson.net", "f.uf234at567c@atson.net", "ua700aa007g@atson.net"} {
		users[name] = radiustest.User{Password: "himitsu"}
	}
	aaa, err := radiustest.NewAAA(aaaSecret, radiustest.Users(users))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(aaa.Close)
	s := &site{file: filepath.Join(dir, "sekisho.yaml"), text: strings.NewReplacer(change...).Replace(fmt.Sprintf(siteFile, dir, nasSecret, aaaSecret, aaa.Addr.Port()))}
	s.at(t, "2007-05-14T23:59:59+09:00")
	s.write(t, s.text)
	conf, problems := config.Load(s.file)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	s.daemon, err = daemon.Start(conf, daemon.Options{Version: "test", Clock: func() time.Time { return *s.clock.Load() }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.daemon.Shutdown(context.Background()); err != nil && !s.broken {
			t.Error(err)
		}
	})
	s.client = admin.Dial(conf.Socket)
	if _, err := s.client.ImportContracts(t.Context(), "contracts.csv", strings.NewReader(contracts), admin.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) at(t testing.TB, instant string) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, instant)
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Store(&at)
}

func (s *site) write(t testing.TB, text string) {
	t.Helper()
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// login dials in at a NAS and returns the attributes that it is told, without
// the Message-Authenticator.
func (s *site) login(t *testing.T, nas, user string) []radiustest.Attribute {
	t.Helper()
	auth, _ := s.daemon.Addresses()
	n, err := radiustest.NewNAS(netip.MustParseAddrPort(auth[0]), nasSecret)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	address := radiustest.Attribute{Type: radiustest.NASIPAddress, Value: netip.MustParseAddr(nas).AsSlice()}
	reply, err := n.Exchange(n.Request(radiustest.AccessRequest, radiustest.PAP(user, "himitsu", address)...), patience)
	if err != nil {
		t.Fatal(err)
	}
	if reply.Code != radiustest.AccessAccept {
		t.Fatalf("got code %d, want an Access-Accept", reply.Code)
	}
	return reply.Attributes[1:]
}

func TestLoginIsFilteredByContractAndDate(t *testing.T) {
	t.Parallel()
	s := open(t)
	filter := []radiustest.Attribute{radiustest.Attr(radiustest.FilterID, "op25b")}
	tests := []struct {
		name, at, user string
		want           []radiustest.Attribute
	}{
		{"the second before the stage", "2007-05-14T14:59:59Z", "ua700aa007g@atson.net", nil},
		{"midnight in Japan", "2007-05-14T15:00:00Z", "ua700aa007g@atson.net", filter},
		{"a fixed-IP login", "2007-05-14T15:00:00Z", "f.uf234at567c@atson.net", nil},
	}
	for _, tt := range tests {
		s.at(t, tt.at)
		got := s.login(t, "192.0.2.1", tt.user)
		if diff := cmp.Diff(len(tt.want), len(got)); diff != "" || len(got) > 0 && string(got[0].Value) != "op25b" {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestEachNASBehindOneSourceIsToldInItsOwnWords(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.at(t, "2007-05-15T00:00:00+09:00")
	tests := []struct {
		nas  string
		want []radiustest.Attribute
	}{
		{"192.0.2.1", []radiustest.Attribute{radiustest.Attr(radiustest.FilterID, "op25b")}},
		{"192.0.2.2", []radiustest.Attribute{radiustest.Vendor(4874, 106, "op25b-v6"), radiustest.Vendor(4874, 10, "op25b")}},
		{"192.0.2.3", nil},
	}
	for _, tt := range tests {
		got := s.login(t, tt.nas, "ua700aa007g@atson.net")
		if len(got) == 0 && len(tt.want) == 0 {
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("NAS %s: -want +got\n%s", tt.nas, diff)
		}
	}
	status := s.daemon.Status()
	for i, want := range []string{"injected", "injected", "no-profile"} {
		if n := status.NAS[i]; n.Injections[want] != 1 {
			t.Errorf("NAS %s: got %v, want %s once", n.Name, n.Injections, want)
		}
	}
}

func TestReloadKeepsTheOldConfigurationWhenTheNewOneIsBad(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.at(t, "2007-05-15T00:00:00+09:00")
	s.write(t, strings.Replace(s.text, "profile: filter-id", "profile: filter-di", 1))
	_, err := s.client.Reload(t.Context(), "")
	var problem *admin.Problem
	if !errors.As(err, &problem) || problem.Status != http.StatusUnprocessableEntity || !strings.Contains(err.Error(), `there is no profile "filter-di"`) {
		t.Errorf("got %v", err)
	}
	if reload := s.daemon.Status().Reload; reload.OK || reload.Error == "" {
		t.Errorf("the status says %+v", reload)
	}
	if got := s.login(t, "192.0.2.1", "ua700aa007g@atson.net"); len(got) != 1 {
		t.Errorf("the old configuration does not work any more: got %v", got)
	}
}

func TestReloadKeepsTheOldPolicyWhenADecisionTestFails(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.at(t, "2007-05-15T00:00:00+09:00")
	dir := filepath.Dir(s.file)
	src, _ := policyfile.Source("asahi-net")
	mine := map[string]string{
		"mine.yaml": strings.Replace(string(src), "from: 2007-05-15", "from: 2008-05-15", 1),
		"mine.test.yaml": "policy: mine.yaml\ntests:\n" +
			"  - {name: second stage, user: u@atson.net, contract: {course: ADSLアッカ}, at: 2007-05-15, want: {action: block, rule: stage-2}}\n",
	}
	for name, text := range mine {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.write(t, strings.Replace(s.text, "policy: asahi-net", "policy: ./mine.yaml\npolicy-tests: mine.test.yaml", 1))
	_, err := s.client.Reload(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), `mine.test.yaml:3:1: tests[second stage]: action: got "open", want "block"`) {
		t.Errorf("got %v", err)
	}
	if got := s.login(t, "192.0.2.1", "ua700aa007g@atson.net"); len(got) != 1 {
		t.Errorf("the old policy does not decide any more: got %v", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "mine.yaml"), src, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Reload(t.Context(), ""); err != nil {
		t.Errorf("with the policy put right: %v", err)
	}
}

func TestReloadTakesEffectAtTheNextPacket(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.at(t, "2007-05-15T00:00:00+09:00")
	s.write(t, strings.Replace(s.text, "profile: filter-id", "profile: l2tpns", 1))
	if _, err := s.client.Reload(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	want := []radiustest.Attribute{radiustest.Attr(radiustest.FilterID, "op25b.in")}
	if diff := cmp.Diff(want, s.login(t, "192.0.2.1", "ua700aa007g@atson.net")); diff != "" {
		t.Error(diff)
	}
	if reload := s.daemon.Status().Reload; !reload.OK || reload.At.IsZero() {
		t.Errorf("the status says %+v", reload)
	}
}

func TestExplainAnswersForEveryNASWhereTheAnswerDiffers(t *testing.T) {
	t.Parallel()
	s := open(t)
	e, err := s.client.Explain(t.Context(), admin.Question{User: "UA700AA007G@ATSON.NET"})
	if err != nil {
		t.Fatal(err)
	}
	if e.Account != "ua700aa007g" || e.Form != "plain" || e.Course != "adsl-acca" || len(e.Answers) != 3 {
		t.Fatalf("got %+v", e)
	}
	a := e.Answers[0]
	midnight := time.Date(2007, 5, 14, 15, 0, 0, 0, time.UTC)
	if a.Action != "open" || a.Rule != "otherwise" || a.Until == nil || !a.Until.Equal(midnight) || *a.Next != (admin.Outcome{Action: "block", Rule: "stage-2"}) {
		t.Errorf("got %+v", a)
	}
	e, err = s.client.Explain(t.Context(), admin.Question{User: "ua700aa007g@atson.net", NAS: "okinawa", At: "2007-05-15"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`ERX-IPv6-Ingress-Policy-Name = "op25b-v6"`, `ERX-Ingress-Policy-Name = "op25b"`}
	if len(e.Answers) != 1 {
		t.Fatalf("got %d answers", len(e.Answers))
	}
	if diff := cmp.Diff(want, e.Answers[0].Attributes); diff != "" {
		t.Error(diff)
	}
	if len(e.Answers[0].Remedies) == 0 || e.Answers[0].Because.JA == "" {
		t.Errorf("no reason or remedy in %+v", e.Answers[0])
	}
}

func TestExplainRefusesWhatItCannotAnswer(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, tt := range []struct {
		name     string
		question admin.Question
		status   int
		want     string
	}{
		{"no user", admin.Question{}, http.StatusBadRequest, "user: expected a login"},
		{"a bad time", admin.Question{User: "a@atson.net", At: "soon"}, http.StatusBadRequest, `got "soon"`},
		{"an unknown stage", admin.Question{User: "a@atson.net", Stages: []string{"al"}}, http.StatusNotFound, `has no rule "al"`},
		{"an unknown NAS", admin.Question{User: "a@atson.net", NAS: "tokio"}, http.StatusNotFound, `did you mean "tokyo"?`},
	} {
		_, err := s.client.Explain(t.Context(), tt.question)
		var problem *admin.Problem
		if !errors.As(err, &problem) || problem.Status != tt.status || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %d %s", tt.name, err, tt.status, tt.want)
		}
	}
}

func TestStartLeavesNothingBehindWhenAPortIsTaken(t *testing.T) {
	t.Parallel()
	s := open(t)
	auth, _ := s.daemon.Addresses()
	dir := t.TempDir()
	text := strings.Replace(fmt.Sprintf(siteFile, dir, nasSecret, aaaSecret, 1), `auth: "127.0.0.1:0"`, fmt.Sprintf("auth: %q", auth[0]), 1)
	conf, problems := config.Parse(filepath.Join(dir, "sekisho.yaml"), []byte(text))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := daemon.Start(conf, daemon.Options{}); err == nil || !strings.Contains(err.Error(), auth[0]) {
		t.Errorf("got %v, want an error that names %s", err, auth[0])
	}
	if _, err := os.Stat(conf.Socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the admin socket is there: %v", err)
	}
}
