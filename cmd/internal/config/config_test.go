package config

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sekisho/engine/policyfile"
	"sekisho/engine/yamldoc"
	"sekisho/radius"
	"sekisho/radius/coa"
	"sekisho/radius/session"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write what is found as what is expected")

// TestBadFiles holds every *.bad.yaml against the messages in the *.bad.txt
// beside it: all the mistakes of the file in one run, each with its place.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(files) < 14 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			conf, problems := loadCheckout(file)
			if conf != nil {
				t.Error("a configuration came out of a file with errors")
			}
			got := strings.ReplaceAll(problems.Error(), "testdata/", "") + "\n"
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestEveryKeyArrives(t *testing.T) {
	c, problems := loadCheckout("testdata/full.good.yaml")
	want := "testdata/full.good.yaml:68:34: warning: nas.bras-1.reply-message-authenticator: answers to this NAS can be forged without one" +
		" (CVE-2024-3596): only for a router that cannot read answers with it"
	if problems.Err() != nil || problems.Error() != want {
		t.Fatalf("got  %v\nwant %s", problems, want)
	}
	if c.Socket != "/run/sekisho/admin.sock" || c.Store != "/var/lib/sekisho/sekisho.db" || c.LogLevel != "warn" || !c.LogJSON || c.Policy.Name != "asahi-net" {
		t.Errorf("got %+v", c)
	}
	roles := Roles{
		Logins: map[string][]string{"nobody": {"viewer", "operator"}}, UIDs: map[int][]string{1001: {"viewer"}},
		GIDs: map[int][]string{1234: {"support"}, 1235: {"admin"}},
	}
	sorted := cmpopts.SortSlices(func(a, b string) bool { return a > b })
	if diff := cmp.Diff(roles, c.Admin.Roles, sorted); diff != "" || c.Admin.Mode != 0o660 || c.Admin.Group != 1234 ||
		c.Admin.Listen != netip.MustParseAddrPort("[::1]:8443") || c.Admin.Certificate != nil {
		t.Errorf("got %+v\n%s", c.Admin, diff)
	}
	if (c.Grants != OverrideLimits{31 * 24 * time.Hour, true}) || (c.Restrictions != OverrideLimits{365 * 24 * time.Hour, false}) {
		t.Errorf("got %+v and %+v", c.Grants, c.Restrictions)
	}
	quiet := session.Options{Join: time.Minute, Interim: 10 * time.Minute, Missed: 3, MaxQuiet: 7 * 24 * time.Hour}
	if diff := cmp.Diff(Sessions{quiet, 30 * 24 * time.Hour}, c.Sessions); diff != "" {
		t.Error(diff)
	}
	r := c.Radius
	if diff := cmp.Diff([]netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1812"), netip.MustParseAddrPort("[::1]:1812")}, r.Auth, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if r.CleanupDelay != 3*time.Second || r.MaxRequests != 1000 || !r.NoSegmentation || len(r.Acct) != 1 || len(r.NAS) != 5 ||
		r.RequestTime != 20*time.Second || r.DecisionBudget != 50*time.Millisecond {
		t.Errorf("got %+v", r)
	}
	n := r.NAS[0]
	if n.Name != "bras-1" || n.Source != netip.MustParsePrefix("192.0.2.0/24") || n.Address != netip.MustParseAddr("192.0.2.1") ||
		n.Identifier != "bras-1.example" || n.Area != "tokyo" || n.Profile.Name != "example-bng" || n.RequireMA != radius.Require ||
		!n.LimitProxyState || n.ReplyMA != radius.ReplyMAEcho || n.MaxOutstanding != 500 {
		t.Errorf("got %+v", n)
	}
	if r.NAS[2].Profile != nil || r.NAS[2].ReplyMA != radius.ReplyMAAlways || r.NAS[3].RequireMA != radius.Auto {
		t.Errorf("got %+v and %+v", r.NAS[2], r.NAS[3])
	}
	home := r.Realms["atson.net"].Servers[0]
	if home.Auth != netip.MustParseAddrPort("198.51.100.1:1645") || home.Acct.IsValid() || home.Source != netip.MustParseAddr("198.51.100.9") ||
		home.RequireMA != radius.Require || !home.NoProxyState || home.MaxSockets != 16 ||
		home.ResponseWindow != 4*time.Second || home.ZombiePeriod != 20*time.Second || !home.NoStatusCheck ||
		home.CheckInterval != 6*time.Second || home.AnswersToAlive != 5 || home.ReviveInterval != 90*time.Second {
		t.Errorf("got %+v", home)
	}
	other := r.Realms["*"].Servers[0]
	if other.Auth != netip.MustParseAddrPort("[2001:db8:1::1]:1812") || other.Acct != netip.MustParseAddrPort("[2001:db8:1::1]:1813") ||
		other.NoStatusCheck || other.NoProxyState {
		t.Errorf("got %+v", other)
	}
}

func TestOwnProfilesSayWhatTheFileSays(t *testing.T) {
	c, problems := loadCheckout("testdata/full.good.yaml")
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	for _, tt := range []struct {
		nas          int
		action, want string
	}{
		{0, "block", "Example-Port25 = Closed"},
		{0, "open", "Example-Port25 = Open"},
		{1, "open", `Framed-Pool = "customers"`},
		{1, "block", `Framed-Pool = "op25b"`},
	} {
		saying, ok := c.Radius.NAS[tt.nas].Profile.Login(tt.action)
		if got := strings.Join(saying.Text, ", "); !ok || got != tt.want {
			t.Errorf("NAS %d, %s: got %q, want %q", tt.nas, tt.action, got, tt.want)
		}
	}
}

func TestSecretComesFromSystemdsCredentials(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	for _, name := range []string{"nas.secret", "aaa.secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("a credential of systemd\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, doc, _ := yamldoc.Decode[spec]("site.yaml", []byte("policy: asahi-net"))
	c := &compiler{dir: "testdata", doc: doc}
	if got := string(c.secretFile(nil, "nas.secret")); got != "a credential of systemd" {
		t.Errorf("got %q", got)
	}
	if got := string(c.secretFile(nil, "./nas.secret")); got != "a secret of a NAS in a file" {
		t.Errorf("with a slash: got %q", got)
	}
}

// A NAS in an area that the policy does not know is doubtful; where the policy
// asks for no area it is not.
func TestAreasUnknownToThePolicyAreWarnedOf(t *testing.T) {
	_, problems := loadCheckout("testdata/areas.good.yaml")
	want := `testdata/areas.good.yaml:6:78: warning: nas.bras-2.area: policy technowave-itkeeper has no area "toyko"; did you mean "tokyo"?`
	if problems.Err() != nil || problems.Error() != want {
		t.Errorf("got  %v\nwant %s", problems, want)
	}
}

// TestTestsRunOnThePolicyThatComesToWork holds that the name in a test file
// decides nothing: another policy fails them, a changed copy of the same name
// does too.
func TestTestsRunOnThePolicyThatComesToWork(t *testing.T) {
	src, err := os.ReadFile("testdata/areas.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("policy-tests: technowave-itkeeper", "policy-tests: [nekonet, technowave-itkeeper]", "toyko", "tokyo").Replace(string(src))
	_, problems := Parse("site.yaml", []byte(text))
	if want := "site.yaml:3:16: policy-tests[0]: 41 of 46 tests of nekonet fail"; !strings.Contains(problems.Error(), want) {
		t.Errorf("got  %v\nwant %s", problems, want)
	}
	shipped, ok := policyfile.Source("asahi-net")
	if !ok {
		t.Fatal("asahi-net is not shipped")
	}
	copied := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(copied, []byte(strings.ReplaceAll(string(shipped), "from: 2007-05-15", "from: 2007-06-15")), 0o600); err != nil {
		t.Fatal(err)
	}
	text = strings.NewReplacer("policy: technowave-itkeeper", "policy: "+copied, "policy-tests: technowave-itkeeper", "policy-tests: asahi-net").Replace(string(src))
	if _, problems := Parse("site.yaml", []byte(text)); !strings.Contains(problems.Error(), "tests of asahi-net fail") {
		t.Errorf("a copy with another date passed: %v", problems)
	}
}

func TestEveryKeyAboutLiveSessionsArrives(t *testing.T) {
	c, problems := loadCheckout("testdata/full.good.yaml")
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	if want := (coa.Rules{Threshold: 200, Canary: 10, StopRatio: 10, StopOver: 100}); c.Campaigns != want {
		t.Errorf("got %+v", c.Campaigns)
	}
	if len(c.Relay.Listen) != 1 || c.Relay.Listen[0].Port() != 3799 || c.Relay.Clients[0].Address.String() != "198.51.100.1" {
		t.Errorf("got %+v", c.Relay)
	}
	own, usual := *c.Routers[0].CoA, *c.Routers[3].CoA
	if own.Secret == c.Radius.NAS[0].Secret || usual.Secret != c.Radius.NAS[3].Secret {
		t.Error("a secret is somebody else's")
	}
	own.Secret, usual.Secret = nil, nil
	if want := (coa.NAS{Name: "bras-1", Address: netip.MustParseAddrPort("192.0.2.9:1700"), Source: netip.MustParseAddr("192.0.2.100"), Rate: 30, Window: 7, MessageAuthenticator: true}); own != want {
		t.Errorf("got %+v", own)
	}
	if want := (coa.NAS{Name: "bras-4", Address: netip.MustParseAddrPort("192.0.2.250:3799"), Rate: 40, Window: 20, EventTimestamp: true}); usual != want {
		t.Errorf("got %+v", usual)
	}
	if farm := c.Routers[4]; farm.CoA.Address.String() != "invalid AddrPort" || farm.CoA.Address.Port() != 3799 || farm.Source.String() != "2001:db8:5::/64" {
		t.Errorf("several routers are told at %+v", farm)
	}
	if c.Routers[1].CoA != nil {
		t.Error("a NAS without a coa section is told")
	}
}

func TestNeedRestartNamesWhatAReloadCannotChange(t *testing.T) {
	old, _ := loadCheckout("testdata/full.good.yaml")
	next, _ := loadCheckout("testdata/full.good.yaml")
	if keys := old.NeedRestart(next); len(keys) != 0 {
		t.Errorf("nothing changed: got %v", keys)
	}
	next.Radius.Acct, next.Store, next.LogJSON, next.Sessions.Missed = nil, "elsewhere", false, 9
	if diff := cmp.Diff([]string{"listen.acct", "log", "sessions", "store.path"}, old.NeedRestart(next)); diff != "" {
		t.Error(diff)
	}
}
