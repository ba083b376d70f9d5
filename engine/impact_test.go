package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func (f Flip) line() string {
	how := "looser"
	if f.Tighter {
		how = "tighter"
	}
	line := fmt.Sprintf("%s/%s->%s/%s %s %s in %q", f.From, f.FromRule, f.To, f.ToRule, how, strings.Join(f.Logins, " "), f.Areas)
	if f.Requests != nil {
		line += fmt.Sprintf(" %q", f.Requests)
	}
	return line
}

func lines(flips []Flip) []string {
	var all []string
	for _, f := range flips {
		all = append(all, f.line())
	}
	return all
}

var bothAreas = []NAS{{"bras1", "tokyo"}, {"bras2", "okinawa"}, {"bras3", "Tokyo"}}

func TestImpact(t *testing.T) {
	t.Parallel()
	s := spec()
	s.Logins = s.Logins[:2]
	s.Rules = append(s.Rules[1:2], s.Rules[3:]...) // lines have a test of their own
	p := compiled(t, s)
	jan, mar := day(2007, 1, 1), day(2007, 3, 1)
	both := "f.{account}@isp.example {account}@isp.example"
	tests := []struct {
		name     string
		from, to View
		contract Contract
		grants   []Override
		want     []string
	}{
		{"a date", View{p, jan, nil}, View{p, mar, nil}, Contract{Course: "ADSLアッカ(12M)"}, nil,
			[]string{`open/otherwise->block/stage-1 tighter ` + both + ` in ["tokyo" "okinawa"]`}},
		{"only one login form", View{p, jan, nil}, View{p, mar, nil}, Contract{Course: "fiber", Options: []string{"fixed-ip"}}, nil,
			[]string{`open/otherwise->block/stage-1 tighter {account}@isp.example in ["tokyo" "okinawa"]`}},
		{"backwards", View{p, mar, nil}, View{p, jan, nil}, Contract{Course: "adsl"}, nil,
			[]string{`block/stage-1->open/otherwise looser ` + both + ` in ["tokyo" "okinawa"]`}},
		{"only one area", View{p, day(2006, 1, 1), nil}, View{p, jan, nil}, Contract{Course: "mobile"}, nil,
			[]string{`open/otherwise->block/by-area tighter ` + both + ` in ["tokyo"]`}},
		{"a stage", View{p, jan, nil}, View{p, jan, []string{"all"}}, Contract{Course: "late"}, nil,
			[]string{`open/otherwise->limit/all tighter ` + both + ` in ["tokyo" "okinawa"]`}},
		{"another rule with the same action", View{p, jan, nil}, View{p, day(2009, 1, 1), nil}, Contract{Course: "fiber"}, nil, nil},
		{"exempt", View{p, jan, nil}, View{p, mar, nil}, Contract{Course: "adsl", Address: "fixed"}, nil, nil},
		{"a course that is not named", View{p, jan, nil}, View{p, mar, []string{"all"}}, Contract{Course: "cable"}, nil, nil},
		{"a grant", View{p, jan, nil}, View{p, mar, nil}, Contract{Course: "adsl"}, []Override{{Action: "open"}}, nil},
		{"a grant that ends", View{p, mar, nil}, View{p, day(2007, 5, 1), nil}, Contract{Course: "adsl"}, []Override{{Action: "open", Until: day(2007, 4, 1)}},
			[]string{`open/override->block/stage-1 tighter ` + both + ` in ["tokyo" "okinawa"]`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			impact := NewImpact(tt.from, tt.to, bothAreas)
			for range 2 { // the second time by heart
				if got := lines(impact.Add(&tt.contract, tt.grants...)); !slices.Equal(got, tt.want) {
					t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
				}
			}
		})
	}
}

func TestImpactAsksForEveryLine(t *testing.T) {
	t.Parallel()
	s := spec()
	s.Logins = s.Logins[:1]
	p := compiled(t, s)
	impact := NewImpact(View{p, day(2007, 1, 1), nil}, View{p, day(2007, 3, 1), nil}, bothAreas[:1])
	want := []string{`open/otherwise->block/stage-1 tighter f.{account}@isp.example in ["tokyo"] [""]`} // not over ISDN or Async
	if got := lines(impact.Add(&Contract{Course: "adsl"})); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestImpactOfAnotherPolicy(t *testing.T) {
	t.Parallel()
	now := day(2007, 3, 1)
	tests := []struct {
		name     string
		change   func(*Spec)
		nases    []NAS
		contract Contract
		want     []string
	}{
		{"nothing new", func(*Spec) {}, bothAreas, Contract{Course: "adsl"}, nil},
		{"a login that is no longer read", func(s *Spec) { s.Logins = s.Logins[1:]; s.Rules[1].When.Form = []string{"plain"} }, bothAreas[:1],
			Contract{Course: "adsl"}, []string{
				`block/stage-1->open/unknown-contract looser f.{account}@isp.example in ["tokyo"] [""]`,
				`open/dial-up->limit/strangers tighter f.{account}@isp.example in ["tokyo"] ["NAS-Port-Type=ISDN"]`}},
		{"a realm that a rule asks for", func(s *Spec) {
			s.Rules = append([]RuleSpec{{Name: "partner", When: Condition{Realm: []string{"partner.example"}}, Then: "limit"}}, s.Rules...)
		}, bothAreas[:1], Contract{Course: "cable"}, []string{
			`open/otherwise->limit/partner tighter {account}@partner.example in ["tokyo"] [""]`,
			`open/dial-up->limit/partner tighter {account}@partner.example in ["tokyo"] ["NAS-Port-Type=ISDN" "NAS-Port-Type=Async"]`}},
		{"a NAS that a rule asks for", func(s *Spec) {
			s.Rules = append([]RuleSpec{{Name: "old", When: Condition{NAS: []string{"bras3"}, Form: []string{"plain"}, Course: []string{"late"}}, Then: "limit"}}, s.Rules...)
		}, bothAreas, Contract{Course: "late"}, []string{
			`open/otherwise->limit/old tighter {account}@isp.example in ["Tokyo"] [""]`,
			`open/dial-up->limit/old tighter {account}@isp.example in ["Tokyo"] ["NAS-Port-Type=ISDN" "NAS-Port-Type=Async"]`}},
		{"an action of another name", func(s *Spec) {
			s.Actions[2].Name = "stop"
			s.Rules[4].Then, s.Rules[5].Then = "stop", "stop"
		}, bothAreas[:1], Contract{Course: "adsl"}, []string{`block/stage-1->stop/stage-1 looser f.{account}@isp.example {account}@isp.example {account}@{realm} in ["tokyo"] [""]`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := spec()
			tt.change(&s)
			impact := NewImpact(View{compiled(t, spec()), now, nil}, View{compiled(t, s), now, nil}, tt.nases)
			if got := lines(impact.Add(&tt.contract)); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestImpactCountsAccountsByCourseAndArea(t *testing.T) {
	t.Parallel()
	s := spec()
	s.Rules = append([]RuleSpec{{Name: "tokyo", When: Condition{Course: []string{"adsl"}, Area: []string{"tokyo"}, Form: []string{"plain"}}, From: Timing{At: day(2007, 2, 1)}, Then: "block"}}, s.Rules...)
	p := compiled(t, s)
	impact := NewImpact(View{p, day(2007, 1, 1), nil}, View{p, day(2007, 3, 1), []string{"all"}}, bothAreas)
	for _, course := range []string{"adsl", "ADSLアッカコース", "adsl", "fiber", "late", "mobile", "cable"} {
		impact.Add(&Contract{Course: course})
	}
	got := impact.Totals()
	want := Totals{Contracts: 7, Flipped: 5,
		ByCourse: []Count{{"adsl", "open", "block", 3}, {"fiber", "open", "block", 1}, {"late", "open", "limit", 1}},
		ByArea:   []Count{{"tokyo", "open", "block", 4}, {"tokyo", "open", "limit", 1}, {"okinawa", "open", "block", 4}, {"okinawa", "open", "limit", 1}},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestImpactCountsACourseThatOnlyTheNewPolicyNames(t *testing.T) {
	t.Parallel()
	s := spec()
	s.Courses = append(s.Courses, Course{ID: "cable", Name: "ケーブル"})
	s.Rules = append(s.Rules, RuleSpec{Name: "cable", When: Condition{Course: []string{"cable"}}, Then: "block"})
	now := day(2007, 1, 1)
	impact := NewImpact(View{compiled(t, spec()), now, nil}, View{compiled(t, s), now, nil}, bothAreas)
	impact.Add(&Contract{Course: "ケーブル"})
	if got := impact.Totals().ByCourse; len(got) != 1 || got[0] != (Count{"cable", "open", "block", 1}) {
		t.Errorf("got %+v", got)
	}
}

// An account flips exactly where Decide differs, and nowhere else.
func TestImpactIsTheDifferenceOfDecide(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		c := chance{rand.New(rand.NewPCG(seed, 44))}
		from, to := View{c.policy(t), c.day(), c.some("r0")}, View{c.policy(t), c.day(), c.some("r1")}
		impact := NewImpact(from, to, bothAreas)
		for range 6 {
			f := c.facts()
			if f.Contract == nil {
				continue
			}
			flips := impact.Add(f.Contract)
			for _, match := range []string{"f.{account}@isp.example", "{account}@isp.example"} {
				for _, nas := range bothAreas[:2] {
					decide := func(v View) Decision {
						l := v.Policy.ReadLogin(strings.Replace(match, "{account}", "u1", 1))
						return Decide(v.Policy, &Facts{Login: l, Contract: f.Contract, NAS: nas, Stages: v.Stages}, v.At)
					}
					before, after := decide(from), decide(to)
					listed := slices.ContainsFunc(flips, func(f Flip) bool {
						return f.From == before.Action && f.To == after.Action && f.FromRule == before.Rule && f.ToRule == after.Rule &&
							slices.Contains(f.Logins, match) && slices.Contains(f.Areas, nas.Area) && (f.Requests == nil || slices.Contains(f.Requests, ""))
					})
					if listed != (before.Action != after.Action) {
						t.Fatalf("seed %d: %+v at %v as %s: %+v, then %+v; listed %v", seed, f.Contract, nas, match, before, after, lines(flips))
					}
				}
			}
		}
	}
}

func TestImpactForgetsBeforeItGrows(t *testing.T) {
	t.Parallel()
	p := compiled(t, spec())
	impact := NewImpact(View{p, day(2007, 1, 1), nil}, View{p, day(2007, 3, 1), nil}, bothAreas)
	for i := range 3 * maxKnown {
		if flips := impact.Add(&Contract{Course: "adsl", Segment: fmt.Sprint(i)}); len(flips) != 1 {
			t.Fatalf("contract %d: %v", i, flips)
		}
		if len(impact.known) > maxKnown {
			t.Fatalf("%d contracts are remembered", len(impact.known))
		}
	}
}

func BenchmarkImpact(b *testing.B) {
	p := compiled(b, manyRules())
	impact := NewImpact(View{p, day(2007, 1, 1), nil}, View{p, day(2007, 3, 1), nil}, bothAreas)
	var contracts []Contract
	for i := range 300 {
		contracts = append(contracts, Contract{Course: fmt.Sprintf("TEPCOひかりホーム%dコース", i%100), Options: [][]string{nil, {"vpn"}, {"fixed-ip"}}[i/100]})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		impact.Add(&contracts[i%300])
	}
}
