package engine

import (
	"fmt"
	"testing"
	"time"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	p := compiled(t, spec())
	contract := func(course string) *Contract { return &Contract{Course: course} }
	grant := func(action string, from, until time.Time) []Override {
		return []Override{{Action: action, From: from, Until: until}}
	}
	never, feb, aug, spring := time.Time{}, day(2007, 2, 1), day(2007, 8, 1), day(2007, 5, 1)
	tests := []struct {
		name         string
		facts        Facts
		now          time.Time
		action, rule string
		until        time.Time
	}{
		{"before any stage", Facts{Contract: contract("adsl")}, day(2007, 1, 1), "open", "otherwise", feb},
		{"last nanosecond before", Facts{Contract: contract("adsl")}, feb.Add(-1), "open", "otherwise", feb},
		{"at the stage", Facts{Contract: contract("adsl")}, feb, "block", "stage-1", aug},
		{"instant given in UTC", Facts{Contract: contract("adsl")}, time.Date(2007, 1, 31, 15, 0, 0, 0, time.UTC), "block", "stage-1", aug},
		{"an earlier rule begins", Facts{Contract: contract("ADSLアッカ(12M)")}, aug, "block-all", "stage-2", never},
		{"a rule ends", Facts{Contract: contract("fiber")}, spring, "block", "stage-1", day(2009, 1, 1)},
		{"a rule ended", Facts{Contract: contract("fiber")}, day(2009, 1, 1), "open", "otherwise", never},
		{"excepted by not", Facts{Contract: &Contract{Course: "fiber", Address: "Fixed "}}, spring, "open", "otherwise", never},
		{"several keys all hold", Facts{Contract: &Contract{Course: "fiber", Options: []string{"vpn", "FIXED-IP"}}, Login: Login{Form: "fixed"}}, spring, "open", "fixed", never},
		{"one of several keys fails", Facts{Contract: &Contract{Course: "fiber", Options: []string{"fixed-ip"}}, Login: Login{Form: "plain"}}, spring, "block", "stage-1", day(2009, 1, 1)},
		{"request attribute", Facts{Contract: contract("adsl"), Request: []Attribute{{"NAS-Port-Type", "Virtual"}, {"NAS-Port-Type", "ISDN"}}}, spring, "open", "dial-up", never},
		{"other request attribute", Facts{Contract: contract("adsl"), Request: []Attribute{{"Service-Type", "ISDN"}}}, spring, "block", "stage-1", aug},
		{"a course without a name", Facts{Contract: contract("unheard-of"), Stages: []string{"all", "by-area"}}, spring, "open", "otherwise", never},
		{"a course without a name meets rules for all courses", Facts{Contract: contract(""), Request: []Attribute{{"NAS-Port-Type", "Async"}}}, spring, "open", "dial-up", never},
		{"no contract", Facts{Stages: []string{"all"}}, spring, "open", "unknown-contract", never},
		{"no contract, asked for", Facts{Request: []Attribute{{"NAS-Port-Type", "ISDN"}}}, spring, "limit", "strangers", never},
		{"area in force", Facts{Contract: contract("mobile"), NAS: NAS{Area: "Tokyo"}}, spring, "block", "by-area", never},
		{"area not yet in force", Facts{Contract: contract("mobile"), NAS: NAS{Area: "tokyo"}}, day(2006, 11, 30), "open", "otherwise", day(2006, 12, 1)},
		{"area planned", Facts{Contract: contract("mobile"), NAS: NAS{Area: "okinawa"}}, spring, "open", "otherwise", never},
		{"area unheard of", Facts{Contract: contract("mobile"), NAS: NAS{Area: "osaka"}}, spring, "open", "otherwise", never},
		{"no area", Facts{Contract: contract("mobile")}, spring, "open", "otherwise", never},
		{"no area, pretended", Facts{Contract: contract("mobile"), Stages: []string{"By-Area"}}, spring, "block", "by-area", never},
		{"area planned, pretended", Facts{Contract: contract("mobile"), NAS: NAS{Area: "okinawa"}, Stages: []string{"by-area"}}, spring, "block", "by-area", never},
		{"area dated, pretended before", Facts{Contract: contract("mobile"), NAS: NAS{Area: "tokyo"}, Stages: []string{"by-area"}}, day(2000, 1, 1), "block", "by-area", never},
		{"pretended stage keeps its end", Facts{Contract: contract("fiber"), Stages: []string{"stage-1"}}, day(2009, 1, 1), "open", "otherwise", never},
		{"planned", Facts{Contract: contract("late")}, spring, "open", "otherwise", never},
		{"planned, pretended", Facts{Contract: contract("late"), Stages: []string{"all"}}, spring, "limit", "all", never},

		{"a grant", Facts{Contract: contract("adsl"), Overrides: grant("open", spring, aug)}, spring, "open", "override", aug},
		{"a grant to come", Facts{Contract: contract("adsl"), Overrides: grant("open", day(2007, 6, 1), never)}, spring, "block", "stage-1", day(2007, 6, 1)},
		{"a grant that ended", Facts{Contract: contract("adsl"), Overrides: grant("open", never, spring)}, spring, "block", "stage-1", aug},
		{"a restriction without a contract", Facts{Overrides: grant("block", never, never)}, spring, "block", "override", never},
		{"void override", Facts{Contract: contract("adsl"), Overrides: grant("nonsense", never, never)}, spring, "block", "stage-1", aug},
		{"the tightest wins", Facts{Contract: contract("adsl"), Overrides: append(grant("open", never, never), grant("limit", never, aug)...)}, spring, "limit", "override", aug},
		{"one override takes over from another", Facts{Contract: contract("adsl"), Overrides: append(grant("open", never, day(2007, 6, 1)), grant("open", day(2007, 6, 1), day(2007, 7, 1))...)}, spring, "open", "override", day(2007, 7, 1)},
		{"rules change unseen beneath an override", Facts{Contract: contract("adsl"), Overrides: grant("open", never, day(2010, 1, 1))}, spring, "open", "override", day(2010, 1, 1)},
		{"override elsewhere", Facts{Contract: contract("adsl"), NAS: NAS{"bras1", "tokyo"}, Overrides: []Override{{Action: "open", Area: "okinawa"}, {Action: "open", NAS: "bras2"}}}, spring, "block", "stage-1", aug},
		{"override here", Facts{Contract: contract("adsl"), NAS: NAS{"bras1", "tokyo"}, Overrides: []Override{{Action: "open", Area: "TOKYO", NAS: "Bras1"}}}, spring, "open", "override", never},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Decide(p, &tt.facts, tt.now)
			if got.Action != tt.action || got.Rule != tt.rule || !got.Until.Equal(tt.until) || got.Trace != nil {
				t.Errorf("got %s by %s until %v, want %s by %s until %v", got.Action, got.Rule, got.Until, tt.action, tt.rule, tt.until)
			}
			told := Explain(p, &tt.facts, tt.now)
			if told.Action != got.Action || told.Rule != got.Rule || !told.Until.Equal(got.Until) {
				t.Errorf("Explain disagrees: %+v", told)
			}
		})
	}
}

// manyRules is 200 rules over 100 courses, as a large ISP might grow.
func manyRules() Spec {
	s := spec()
	s.Courses, s.Rules = nil, nil
	for i := range 100 {
		s.Courses = append(s.Courses, Course{ID: fmt.Sprintf("course-%d", i), Name: fmt.Sprintf("TEPCOひかりホーム%d", i)})
	}
	for i := range 200 {
		r := RuleSpec{Name: fmt.Sprintf("rule-%d", i), Then: "block", From: Timing{At: day(2007, 1+i/100, 1)},
			When: Condition{Course: []string{fmt.Sprintf("course-%d", i%100)}, Form: []string{"plain"}, Not: &Condition{Option: []string{"fixed-ip"}}}}
		if i < 100 {
			r.When.Area = []string{"tokyo"}
		}
		s.Rules = append(s.Rules, r)
	}
	return s
}

func benchmarkFacts() *Facts {
	return &Facts{
		Login: Login{"u1", "isp.example", "plain"}, Contract: &Contract{Course: "TEPCOひかりホーム99コース", Options: []string{"vpn"}},
		NAS: NAS{"bras1", "Osaka"}, Request: []Attribute{{"NAS-Port-Type", "Virtual"}},
		Overrides: []Override{{Action: "open", From: day(2008, 1, 1), Until: day(2008, 2, 1)}}, Stages: []string{"all"},
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	p, f, now := compiled(t, manyRules()), benchmarkFacts(), day(2007, 3, 1)
	if d := Decide(p, f, now); d.Rule != "rule-199" || !d.Until.Equal(day(2008, 1, 1)) {
		t.Fatalf("got %+v", d)
	}
	if n := testing.AllocsPerRun(100, func() { Decide(p, f, now) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	p, f, now := compiled(b, manyRules()), benchmarkFacts(), day(2007, 3, 1)
	b.ReportAllocs()
	for b.Loop() {
		Decide(p, f, now)
	}
}

func BenchmarkReadLogin(b *testing.B) {
	p := compiled(b, spec())
	b.ReportAllocs()
	for b.Loop() {
		p.ReadLogin("f.uf234at567c@isp.example")
	}
}
