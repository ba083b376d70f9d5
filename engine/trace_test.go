package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestExplainTellsEveryStep(t *testing.T) {
	t.Parallel()
	p := compiled(t, spec())
	tests := []struct {
		name  string
		facts Facts
		want  []string
	}{
		{"a rule wins", Facts{Login: Login{Form: "plain"}, Contract: &Contract{Course: "ADSLアッカ", Options: []string{"fixed-ip"}}}, []string{
			"strangers: no match: contract is known, wanted unknown",
			"fixed: no match: course is ADSLアッカ, wanted group-2",
			"dial-up: no match: request NAS-Port-Type is nothing, wanted Async or ISDN",
			"stage-2: not in force: begins 2007-08-01 00:00:00 JST",
			"stage-1: won: block",
		}},
		{"none wins", Facts{Login: Login{Form: "plain"}, NAS: NAS{Area: "osaka"}, Request: []Attribute{{"NAS-Port-Type", "Virtual"}, {"NAS-Port-Type", "xDSL"}}, Contract: &Contract{Course: "mobile"}}, []string{
			"strangers: no match: contract is known, wanted unknown",
			"fixed: no match: course is mobile, wanted group-2",
			"dial-up: no match: request NAS-Port-Type is Virtual or xDSL, wanted Async or ISDN",
			"stage-2: no match: course is mobile, wanted adsl",
			"stage-1: no match: course is mobile, wanted group-1",
			`by-area: not in force: has no date in area "osaka"`,
			"all: no match: course is mobile, wanted late",
			"otherwise: won: open",
		}},
		{"excepted, options and form", Facts{Contract: &Contract{Course: "fiber", Address: "fixed"}, Login: Login{Form: "fixed"}}, []string{
			"strangers: no match: contract is known, wanted unknown",
			"fixed: no match: option is nothing, wanted fixed-ip",
			"dial-up: no match: request NAS-Port-Type is nothing, wanted Async or ISDN",
			"stage-2: no match: course is fiber, wanted adsl",
			"stage-1: no match: what it excepts is the case: address fixed",
			"by-area: no match: course is fiber, wanted mobile",
			"all: no match: course is fiber, wanted late",
			"otherwise: won: open",
		}},
		{"no area, planned", Facts{Contract: &Contract{Course: "mobile"}}, []string{
			"strangers: no match: contract is known, wanted unknown",
			"fixed: no match: course is mobile, wanted group-2",
			"dial-up: no match: request NAS-Port-Type is nothing, wanted Async or ISDN",
			"stage-2: no match: course is mobile, wanted adsl",
			"stage-1: no match: course is mobile, wanted group-1",
			"by-area: not in force: has dates by area, and the NAS has no area",
			"all: no match: course is mobile, wanted late",
			"otherwise: won: open",
		}},
		{"a course without a name", Facts{Contract: &Contract{Course: "new"}, Login: Login{Form: "plain"}}, []string{
			"strangers: no match: contract is known, wanted unknown",
			`fixed: no match: the policy does not name the course "new"`,
			"dial-up: no match: request NAS-Port-Type is nothing, wanted Async or ISDN",
			`stage-2: no match: the policy does not name the course "new"`,
			`stage-1: no match: the policy does not name the course "new"`,
			`by-area: no match: the policy does not name the course "new"`,
			`all: no match: the policy does not name the course "new"`,
			"otherwise: won: open",
		}},
		{"no contract", Facts{}, []string{
			"strangers: no match: request NAS-Port-Type is nothing, wanted ISDN",
			"fixed: not asked: the account has no contract", "dial-up: not asked: the account has no contract",
			"stage-2: not asked: the account has no contract", "stage-1: not asked: the account has no contract",
			"by-area: not asked: the account has no contract", "all: not asked: the account has no contract",
			"unknown-contract: won: open",
		}},
		{"overrides of every kind", Facts{Contract: &Contract{Course: "mobile"}, NAS: NAS{"bras1", "tokyo"}, Overrides: []Override{
			{ID: "1", Action: "open"}, {ID: "2", Action: "limit", Until: day(2008, 1, 1), Reason: "ticket 7"}, {ID: "3", Action: "shut"},
			{ID: "4", Action: "block", From: day(2008, 1, 1)}, {ID: "5", Action: "block", Until: day(2007, 1, 1)},
			{ID: "6", Action: "block", Area: "okinawa"}, {ID: "7", Action: "block", NAS: "bras2"}}}, []string{
			"override 1: weaker: open is not tighter than limit",
			"override 2: won: limit until 2008-01-01 00:00:00 JST (ticket 7)",
			`override 3: void: the policy has no action "shut"`,
			"override 4: not in force: begins 2008-01-01 00:00:00 JST",
			"override 5: not in force: ended 2007-01-01 00:00:00 JST",
			`override 6: not in force: only in area "okinawa", the session is in "tokyo"`,
			`override 7: not in force: only on NAS "bras2", the session is on "bras1"`,
			"strangers: no match: contract is known, wanted unknown",
			"fixed: no match: course is mobile, wanted group-2",
			"dial-up: no match: request NAS-Port-Type is nothing, wanted Async or ISDN",
			"stage-2: no match: course is mobile, wanted adsl",
			"stage-1: no match: course is mobile, wanted group-1",
			"by-area: shadowed: block, but override 2 beats every rule",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, s := range Explain(p, &tt.facts, day(2007, 5, 1)).Trace {
				got = append(got, s.String())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestExplainTellsRulesThatEndedOrArePlanned(t *testing.T) {
	t.Parallel()
	p := compiled(t, spec())
	tests := []struct{ course, want string }{
		{"fiber", "stage-1: not in force: ended 2009-01-01 00:00:00 JST"},
		{"late", "all: not in force: planned, without a date"},
	}
	for _, tt := range tests {
		trace := Explain(p, &Facts{Contract: &Contract{Course: tt.course}}, day(2010, 1, 1)).Trace
		if !strings.Contains(fmt.Sprint(trace), tt.want) {
			t.Errorf("%s: %v lacks %q", tt.course, trace, tt.want)
		}
	}
}

// Every key of a condition, once with the fact it wants and once with another.
func TestConditionKeys(t *testing.T) {
	t.Parallel()
	facts := Facts{
		Login:    Login{Realm: "isp.example", Form: "plain"},
		Contract: &Contract{Course: "adsl", Segment: "Personal", Status: "active", Options: []string{"a", "b"}},
		NAS:      NAS{Name: "BRAS1", Area: "Tokyo"}, Request: []Attribute{{"Service-Type", "Framed-User"}},
	}
	tests := []struct {
		key  string
		when Condition
		want bool
		got  string
	}{
		{"realm", Condition{Realm: []string{"x", "ISP.example"}}, true, ""},
		{"realm", Condition{Realm: []string{"other"}}, false, "realm is isp.example, wanted other"},
		{"segment", Condition{Segment: []string{"personal"}}, true, ""},
		{"segment", Condition{Segment: []string{"corporate-s"}}, false, "segment is Personal, wanted corporate-s"},
		{"status", Condition{Status: []string{"active"}}, true, ""},
		{"status", Condition{Status: []string{"closed"}}, false, "status is active, wanted closed"},
		{"area", Condition{Area: []string{"tokyo"}}, true, ""},
		{"area", Condition{Area: []string{"okinawa"}}, false, "area is Tokyo, wanted okinawa"},
		{"nas", Condition{NAS: []string{"bras1"}}, true, ""},
		{"nas", Condition{NAS: []string{"bras2"}}, false, "nas is BRAS1, wanted bras2"},
		{"address", Condition{Address: []string{"dynamic"}}, true, ""},
		{"address", Condition{Address: []string{"fixed", "simple-fixed"}}, false, "address is dynamic, wanted fixed or simple-fixed"},
		{"option", Condition{Option: []string{"B"}}, true, ""},
		{"option", Condition{Option: []string{"c"}}, false, "option is a or b, wanted c"},
		{"request", Condition{Request: []Wanted{{"Service-Type", []string{"framed-user"}}}}, true, ""},
		{"not", Condition{Not: &Condition{Area: []string{"tokyo"}, Not: &Condition{NAS: []string{"bras1"}}}}, true, ""},
		{"not", Condition{Not: &Condition{Area: []string{"tokyo"}, Not: &Condition{NAS: []string{"bras2"}}}}, false, "what it excepts is the case: area tokyo and not (nas bras2)"},
		{"contract", Condition{Contract: "known"}, true, ""},
	}
	for _, tt := range tests {
		s := spec()
		s.Rules = []RuleSpec{{Name: "r", When: tt.when, Then: "block"}}
		d := Explain(compiled(t, s), &facts, day(2007, 1, 1))
		if (d.Rule == "r") != tt.want || !tt.want && d.Trace[0].Reason != tt.got {
			t.Errorf("%s: won %v, reason %q; want %v, %q", tt.key, d.Rule == "r", d.Trace[0].Reason, tt.want, tt.got)
		}
	}
}
