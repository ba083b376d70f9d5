package engine

import (
	"net/netip"
	"testing"
	"time"
)

var tokyo = time.FixedZone("JST", 9*60*60)

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, tokyo) }

// spec is a policy with one rule of every kind; tests change what they are about.
func spec() Spec {
	return Spec{
		Name: "test", Location: tokyo,
		Logins:      []LoginSpec{{"f.{account}@isp.example", "fixed"}, {"{account}@isp.example", "plain"}, {"{account}@{realm}", "guest"}},
		CourseNames: CourseNames{Endings: []string{"コース"}, SpeedGrades: true},
		Courses: []Course{
			{ID: "adsl", Name: "ADSLアッカ", Groups: []string{"group-1"}},
			{ID: "fiber", Name: "光ファイバ", Aliases: []string{"Hikari"}, Groups: []string{"group-1", "group-2"}},
			{ID: "mobile", Name: "モバイル"},
			{ID: "late", Name: "Late"},
		},
		Actions: []Action{{Name: "open"}, {Name: "limit", Filter: "slow"}, {Name: "block", Filter: "no25", Allow: []string{"mail.isp.example"}}, {Name: "block-all"}},
		Rules: []RuleSpec{
			{Name: "strangers", When: Condition{Contract: "unknown", Request: []Wanted{{"NAS-Port-Type", []string{"ISDN"}}}}, Then: "limit"},
			{Name: "fixed", When: Condition{Course: []string{"group-2"}, Form: []string{"fixed"}, Option: []string{"fixed-ip"}}, Then: "open"},
			{Name: "dial-up", When: Condition{Request: []Wanted{{"NAS-Port-Type", []string{"Async", "ISDN"}}}}, Then: "open"},
			{Name: "stage-2", When: Condition{Course: []string{"adsl"}}, From: Timing{At: day(2007, 8, 1)}, Then: "block-all"},
			{Name: "stage-1", When: Condition{Course: []string{"group-1"}, Not: &Condition{Address: []string{"fixed"}}}, From: Timing{At: day(2007, 2, 1)}, Until: Timing{At: day(2009, 1, 1)}, Then: "block", Remedies: []string{"submission"}},
			{Name: "by-area", When: Condition{Course: []string{"mobile"}}, From: Timing{Areas: []AreaTiming{{Area: "tokyo", At: day(2006, 12, 1)}, {Area: "okinawa", Planned: true}}}, Then: "block"},
			{Name: "all", When: Condition{Course: []string{"late"}}, From: Timing{Planned: true}, Then: "limit"},
		},
		Otherwise: "open", UnknownContract: "open",
		Remedies: []Remedy{{Name: "submission", Text: Text{EN: "use port 587"}}},
		Hosts:    []Host{{"mail.isp.example", []netip.Addr{netip.MustParseAddr("192.0.2.25")}}},
	}
}

func compiled(t testing.TB, s Spec) *Policy {
	t.Helper()
	p, faults := Compile(s)
	for _, f := range faults {
		t.Errorf("fault at %v: %s", f.Path, f.Text)
	}
	if p == nil {
		t.Fatal("no policy")
	}
	return p
}

func TestReadLogin(t *testing.T) {
	t.Parallel()
	p := compiled(t, spec())
	tests := []struct {
		name, in string
		want     Login
	}{
		{"plain", "u1@isp.example", Login{"u1", "isp.example", "plain"}},
		{"prefixed", "f.u1@isp.example", Login{"u1", "isp.example", "fixed"}},
		{"capitals", "F.U1@ISP.EXAMPLE", Login{"u1", "isp.example", "fixed"}},
		{"full width", "Ｕ１＠isp.example", Login{"u1", "isp.example", "plain"}},
		{"nothing after the prefix", "f.@isp.example", Login{"f.", "isp.example", "plain"}},
		{"only a blank after the prefix", "f. @isp.example", Login{}},
		{"only a blank before the realm", " @isp.example", Login{}},
		{"two at signs: the last counts", "a@b@isp.example", Login{"a@b", "isp.example", "plain"}},
		{"any realm", "u1@elsewhere", Login{"u1", "elsewhere", "guest"}},
		{"no realm", "u1", Login{}},
		{"empty realm", "u1@", Login{}},
		{"no account", "@isp.example", Login{}},
		{"empty", "", Login{}},
		{"octets", "\xff\x00@isp.example", Login{"\xff\x00", "isp.example", "plain"}},
	}
	patterns := map[string]string{"fixed": "f.{account}@isp.example", "plain": "{account}@isp.example", "guest": "{account}@{realm}"}
	for _, tt := range tests {
		if got := p.ReadLogin(tt.in); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
		if match, ok := p.LoginPattern(tt.in); match != patterns[tt.want.Form] || ok != (tt.want.Form != "") {
			t.Errorf("%s: read by %q, %v", tt.name, match, ok)
		}
	}
}

func TestCourseKnowsEverySpelling(t *testing.T) {
	t.Parallel()
	p := compiled(t, spec())
	for in, want := range map[string]string{
		"adsl": "adsl", "ADSLアッカ": "adsl", "ＡＤＳＬｱｯｶ": "adsl", " adslアッカコース ": "adsl", "ADSLアッカ(12M)": "adsl",
		"ADSLアッカコース(1.5M～50M超のすべて)": "adsl", "ADSLアッカ（8M）コース": "adsl", "ADSLアッカ (50Mbps)": "adsl",
		"HIKARI": "fiber", "hikariコース": "fiber",
		"Late(8M)":        "late",
		"ADSLアッカ(IP電話対応)": "", "ADSLアッカ()": "", "(12M)": "", "ADSLアッカ(12)": "", "ADSLアッカ(12M": "", "": "", "コース": "", "group-1": "", "unnamed": "",
	} {
		if got, ok := p.Course(in); got.ID != want || ok != (want != "") {
			t.Errorf("Course(%q) = %q, %v; want %q", in, got.ID, ok, want)
		}
	}
}

func TestSpeedGradesAndEndingsMustBeAskedFor(t *testing.T) {
	t.Parallel()
	s := spec()
	s.CourseNames = CourseNames{}
	p := compiled(t, s)
	for _, in := range []string{"ADSLアッカ(12M)", "ADSLアッカコース"} {
		if got, ok := p.Course(in); ok {
			t.Errorf("Course(%q) = %q", in, got.ID)
		}
	}
}

func TestPolicyAnswersAboutItself(t *testing.T) {
	t.Parallel()
	p := compiled(t, spec())
	if got := p.RequestAttributes(); len(got) != 1 || got[0] != "NAS-Port-Type" {
		t.Errorf("RequestAttributes: %q", got)
	}
	s := spec()
	s.Rules[2].When.Not = &Condition{Area: []string{"Osaka"}}
	if got := compiled(t, s).Areas(); len(got) != 3 || got[1] != "osaka" {
		t.Errorf("Areas with one below not: %q", got)
	}
	if got := p.Areas(); len(got) != 2 || got[0] != "okinawa" || got[1] != "tokyo" {
		t.Errorf("Areas: %q", got)
	}
	if a, ok := p.Area(" ＴＯＫＹＯ"); !ok || a != "tokyo" {
		t.Errorf("Area: %q, %v", a, ok)
	}
	if a, ok := p.Area("osaka"); ok {
		t.Errorf("Area: %q", a)
	}
	if a, ok := p.Action("limit"); !ok || a.Filter != "slow" {
		t.Errorf("Action(limit): %+v, %v", a, ok)
	}
	if a, ok := p.Action("lmit"); ok {
		t.Errorf("Action(lmit): %+v", a)
	}
	if !p.Tighter("block", "limit") || p.Tighter("open", "limit") || p.Tighter("nonsense", "open") {
		t.Error("Tighter does not follow the order of actions")
	}
	if r, ok := p.Rule("stage-1"); !ok || r.Then != "block" || !r.Dated || r.Remedies[0] != "submission" {
		t.Errorf("Rule(stage-1): %+v, %v", r, ok)
	}
	if r, ok := p.Rule("stage-9"); ok {
		t.Errorf("Rule(stage-9): %+v", r)
	}
	if got := len(p.Courses()); got != 4 {
		t.Errorf("Courses: %d", got)
	}
}

func FuzzReadLogin(f *testing.F) {
	p := compiled(f, spec())
	for _, s := range []string{"", "@", "f.@isp.example", "F.U@ISP.EXAMPLE", "a@b@c", "\xff@isp.example", "ｕ＠isp.example", " u@isp.example "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l := p.ReadLogin(s)
		if (l.Account == "") != (l.Form == "") || (l.Account == "") != (l.Realm == "") {
			t.Errorf("ReadLogin(%q) = %+v is neither read nor unread", s, l)
		}
		if Fold(s) == s && l.Account != "" && p.ReadLogin(l.Account+"@"+l.Realm).Realm != l.Realm {
			t.Errorf("ReadLogin(%q) = %+v loses its realm", s, l)
		}
	})
}
