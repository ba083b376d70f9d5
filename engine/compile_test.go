package engine

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// told writes a fault as one line, with its words where it has some.
func told(f Fault) string {
	var path []string
	for _, step := range f.Path {
		path = append(path, fmt.Sprint(step))
	}
	text := strings.Join(path, ".") + ": " + f.Text
	if f.Warning {
		text = "warning: " + text
	}
	if f.Known != nil {
		text += " [" + strings.Join(f.Known, " ") + "]"
	}
	return text
}

func TestCompileFindsFaults(t *testing.T) {
	t.Parallel()
	rule := func(s *Spec, name string) *RuleSpec {
		return &s.Rules[slices.IndexFunc(s.Rules, func(r RuleSpec) bool { return r.Name == name })]
	}
	words := "group-1 group-2 adsl fiber mobile late ADSLアッカ 光ファイバ モバイル Late"
	tests := []struct {
		name   string
		change func(*Spec)
		want   []string
	}{
		{"nothing wrong", func(s *Spec) {}, nil},
		{"pattern without an account", func(s *Spec) { s.Logins[0].Match = "f@isp.example" },
			[]string{`logins.0.match: expected {account} once before the "@", as in "f.{account}@isp.example", got "f@isp.example"`}},
		{"pattern with two accounts", func(s *Spec) { s.Logins[0].Match = "{account}.{account}@isp.example" },
			[]string{`logins.0.match: expected {account} once before the "@", as in "f.{account}@isp.example", got "{account}.{account}@isp.example"`}},
		{"pattern with half a realm", func(s *Spec) { s.Logins[0].Match = "{account}@{realm}.example" },
			[]string{`logins.0.match: expected a realm or {realm} after the "@", got "{account}@{realm}.example"`}},
		{"login never read", func(s *Spec) { s.Logins[0], s.Logins[1] = s.Logins[1], s.Logins[0] },
			[]string{`warning: logins.1.match: never read: every such login is read by "{account}@isp.example" before it`}},
		{"login never read beneath any realm", func(s *Spec) { s.Logins[0], s.Logins[2] = s.Logins[2], s.Logins[0] },
			[]string{`warning: logins.1.match: never read: every such login is read by "{account}@{realm}" before it`,
				`warning: logins.2.match: never read: every such login is read by "{account}@{realm}" before it`}},
		{"unknown actions", func(s *Spec) { s.Otherwise, s.UnknownContract, rule(s, "fixed").Then = "opne", "x", "y" }, []string{
			`rules.1.then: unknown action "y" [open limit block block-all]`,
			`otherwise: unknown action "opne" [open limit block block-all]`,
			`unknown-contract: unknown action "x" [open limit block block-all]`}},
		{"action twice", func(s *Spec) { s.Actions[1].Name = "open" }, []string{
			"actions.open: written twice",
			`rules.0.then: unknown action "limit" [open open block block-all]`, `rules.6.then: unknown action "limit" [open open block block-all]`}},
		{"host that is not there", func(s *Spec) { s.Actions[2].Allow[0] = "mial" }, []string{`actions.block.allow.0: unknown host "mial" [mail.isp.example]`}},
		{"host twice", func(s *Spec) { s.Hosts = append(s.Hosts, s.Hosts[0]) }, []string{"hosts.mail.isp.example: written twice"}},
		{"host without address", func(s *Spec) { s.Hosts[0].Addresses = nil }, []string{"hosts.mail.isp.example: expected at least one address"}},
		{"address twice", func(s *Spec) { s.Hosts[0].Addresses = append(s.Hosts[0].Addresses, netip.MustParseAddr("192.0.2.25")) },
			[]string{"warning: hosts.mail.isp.example.1: 192.0.2.25 stands here twice"}},
		{"course names that fold together", func(s *Spec) { s.Courses[1].Aliases = []string{"ａｄｓｌｱｯｶコース"} }, []string{
			`courses.fiber: "adslアッカコース" is also a spelling of course "adsl"`}},
		{"group named like a course", func(s *Spec) { s.Courses[0].Groups = []string{"group-1", "FIBER"} },
			[]string{`courses.adsl.group.1: group "FIBER" has the name of course "fiber"`}},
		{"rule name twice", func(s *Spec) { rule(s, "fixed").Name = "Stage-1" },
			[]string{`rules.4.name: the name "stage-1" is taken; a decision names the rule that made it`}},
		{"rule named like a way out", func(s *Spec) { rule(s, "fixed").Name = "override" },
			[]string{`rules.1.name: the name "override" is taken; a decision names the rule that made it`}},
		{"unknown remedy", func(s *Spec) { rule(s, "stage-1").Remedies = []string{"submision"} },
			[]string{`rules.4.remedies.0: unknown remedy "submision" [submission]`}},
		{"unknown words", func(s *Spec) {
			rule(s, "stage-1").When = Condition{Course: []string{"group-1", "adls"}, Form: []string{"fixd"}, Address: []string{"dynamik"}, Status: []string{"active", "gone"}, Area: []string{""}}
		}, []string{
			`rules.4.when.course.1: unknown course or group "adls" [` + words + `]`,
			`rules.4.when.form.0: unknown form "fixd" [fixed plain guest]`,
			`rules.4.when.address.0: unknown address "dynamik" [dynamic fixed simple-fixed]`,
			`rules.4.when.status.1: unknown status "gone" [active suspended closed]`,
			`rules.4.when.area.0: expected a value, got an empty string`}},
		{"empty lists", func(s *Spec) {
			rule(s, "stage-1").When = Condition{Course: []string{}, NAS: []string{}, Request: []Wanted{{Name: "Port"}}}
		}, []string{
			"rules.4.when.course: expected at least one value, got an empty list", "rules.4.when.nas: expected at least one value, got an empty list",
			"rules.4.when.request.Port: expected at least one value, got an empty list"}},
		{"form where no login is read", func(s *Spec) { s.Logins = nil }, []string{`rules.1.when.form.0: unknown form "fixed" []`}},
		{"contract in other words", func(s *Spec) { rule(s, "strangers").When.Contract = "unknwon" },
			[]string{`rules.0.when.contract: expected known or unknown, got "unknwon"`}},
		{"contract below not", func(s *Spec) { rule(s, "dial-up").When.Not = &Condition{Contract: "known", NAS: []string{"a"}} },
			[]string{`rules.2.when.not.contract: cannot stand below "not"; write contract: known or unknown beside the rule's other keys`}},
		{"facts of an unknown contract", func(s *Spec) {
			rule(s, "strangers").When.Course, rule(s, "strangers").When.Option = []string{"adsl"}, []string{"a"}
		}, []string{"rules.0.when.course: an unknown contract has no course", "rules.0.when.option: an unknown contract has no option"}},
		{"not without a key", func(s *Spec) { rule(s, "stage-1").When.Not = &Condition{} },
			[]string{"rules.4.when.not: excepts everything: expected at least one key"}},
		{"planned end", func(s *Spec) { rule(s, "stage-1").Until = Timing{Planned: true} },
			[]string{"rules.4.until: expected a date: an end without one is no end, so leave until out"}},
		{"planned end in an area", func(s *Spec) { rule(s, "by-area").Until = Timing{Areas: []AreaTiming{{Area: "Tokyo", Planned: true}}} },
			[]string{"rules.5.until.Tokyo: expected a date: an end without one is no end, so leave the area out"}},
		{"end where there is no beginning", func(s *Spec) {
			rule(s, "by-area").Until = Timing{Areas: []AreaTiming{{Area: "osaka", At: day(2008, 1, 1)}}}
		},
			[]string{"rules.5.until.osaka: the rule has no from in this area"}},
		{"end at the beginning", func(s *Spec) { rule(s, "stage-1").Until = Timing{At: day(2007, 2, 1)} },
			[]string{"rules.4.until: ends at 2007-02-01, not after it begins (2007-02-01)"}},
		{"end before the beginning in an area", func(s *Spec) { rule(s, "by-area").Until = Timing{At: day(2006, 1, 1).Add(1e9)} },
			[]string{"rules.5.until: ends in tokyo at 2006-01-01 00:00:01, not after it begins (2006-12-01)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := spec()
			tt.change(&s)
			p, faults := Compile(s)
			var got []string
			broken := false
			for _, f := range faults {
				got, broken = append(got, told(f)), broken || !f.Warning
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if (p == nil) != broken {
				t.Errorf("policy %v with faults %v", p, got)
			}
		})
	}
}

func TestCompileWarnsOfRulesThatCannotWin(t *testing.T) {
	t.Parallel()
	never := func(i int, by string) []string {
		return []string{fmt.Sprintf("warning: rules.%d: can never win: %s before it takes every session that it matches", i, by)}
	}
	on := func(courses ...string) Condition { return Condition{Course: courses} }
	from := func(y int) Timing { return Timing{At: day(y, 1, 1)} }
	tests := []struct {
		name  string
		rules []RuleSpec
		want  []string
	}{
		{"the same again", []RuleSpec{{Name: "a", When: on("adsl")}, {Name: "b", When: on("adsl")}}, never(1, `rule "a"`)},
		{"a course of the group", []RuleSpec{{Name: "a", When: on("group-1")}, {Name: "b", When: on("adsl")}}, never(1, `rule "a"`)},
		{"the group of the course", []RuleSpec{{Name: "a", When: on("adsl")}, {Name: "b", When: on("group-1")}}, nil},
		{"two rules together", []RuleSpec{{Name: "a", When: on("adsl")}, {Name: "b", When: on("fiber")}, {Name: "c", When: on("group-1")}}, never(2, `rule "a" and rule "b"`)},
		{"after a rule for everything", []RuleSpec{{Name: "a"}, {Name: "b", When: on("adsl")}}, never(1, `rule "a"`)},
		{"everything after everything", []RuleSpec{{Name: "a"}, {Name: "b"}}, never(1, `rule "a"`)},
		{"everything after a course", []RuleSpec{{Name: "a", When: on("adsl")}, {Name: "b"}}, nil},
		{"everything after every named course", []RuleSpec{{Name: "a", When: on("adsl", "fiber", "mobile", "late")}, {Name: "b"}}, nil},
		{"fewer values", []RuleSpec{{Name: "a", When: Condition{NAS: []string{"x", "y"}}}, {Name: "b", When: Condition{NAS: []string{"Y"}, Form: []string{"plain"}}}}, never(1, `rule "a"`)},
		{"more values", []RuleSpec{{Name: "a", When: Condition{NAS: []string{"x"}}}, {Name: "b", When: Condition{NAS: []string{"x", "y"}}}}, nil},
		{"other attribute", []RuleSpec{{Name: "a", When: Condition{Request: []Wanted{{"P", []string{"1"}}}}}, {Name: "b", When: Condition{Request: []Wanted{{"Q", []string{"1"}}}}}}, nil},
		{"except what the first excepts", []RuleSpec{{Name: "a", When: Condition{Not: &Condition{NAS: []string{"x"}}}}, {Name: "b", When: Condition{Not: &Condition{NAS: []string{"x"}}}}}, never(1, `rule "a"`)},
		{"except something else", []RuleSpec{{Name: "a", When: Condition{Not: &Condition{NAS: []string{"x"}}}}, {Name: "b", When: Condition{Not: &Condition{NAS: []string{"y"}}}}}, nil},
		{"everything but a course leaves unnamed courses", []RuleSpec{{Name: "a", When: Condition{Not: &Condition{Course: []string{"adsl"}}}}, {Name: "b", When: Condition{Not: nil}}}, nil},
		{"begins earlier", []RuleSpec{{Name: "a", From: from(2007)}, {Name: "b", From: from(2008)}}, never(1, `rule "a"`)},
		{"begins later", []RuleSpec{{Name: "a", From: from(2008)}, {Name: "b", From: from(2007)}}, nil},
		{"begins some day, the second from ever", []RuleSpec{{Name: "a", From: from(2008)}, {Name: "b"}}, nil},
		{"ends earlier", []RuleSpec{{Name: "a", Until: from(2008)}, {Name: "b", Until: from(2009)}}, nil},
		{"ends later", []RuleSpec{{Name: "a", Until: from(2009)}, {Name: "b", Until: from(2008)}}, never(1, `rule "a"`)},
		{"ends, the second never", []RuleSpec{{Name: "a", Until: from(2009)}, {Name: "b"}}, nil},
		{"planned first", []RuleSpec{{Name: "a", From: Timing{Planned: true}}, {Name: "b", From: from(2007)}}, nil},
		{"planned second may be pretended", []RuleSpec{{Name: "a", From: from(2007)}, {Name: "b", From: Timing{Planned: true}}}, nil},
		{"planned after always", []RuleSpec{{Name: "a"}, {Name: "b", From: Timing{Planned: true}}}, never(1, `rule "a"`)},
		{"by area first", []RuleSpec{{Name: "a", From: Timing{Areas: []AreaTiming{{Area: "x", At: day(2006, 1, 1)}}}}, {Name: "b", From: from(2007)}}, nil},
		{"by area second", []RuleSpec{{Name: "a", From: from(2006)}, {Name: "b", From: Timing{Areas: []AreaTiming{{Area: "x", At: day(2006, 1, 1)}}}}}, never(1, `rule "a"`)},
		{"by area second, earlier in one", []RuleSpec{{Name: "a", From: from(2006)}, {Name: "b", From: Timing{Areas: []AreaTiming{{Area: "x", At: day(2005, 1, 1)}}}}}, nil},
		{"unknown contracts are others", []RuleSpec{{Name: "a"}, {Name: "b", When: Condition{Contract: "unknown"}}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := spec()
			for i := range tt.rules {
				tt.rules[i].Then = "open"
			}
			s.Rules = tt.rules
			_, faults := Compile(s)
			var got []string
			for _, f := range faults {
				got = append(got, told(f))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}
