package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestCompileWarnsOfWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	on := func(names ...string) Condition { return Condition{Course: names} }
	from := func(y int) Timing { return Timing{At: day(y, 1, 1)} }
	disagree := func(i, j string) []string {
		return []string{fmt.Sprintf(`warning: courses.fiber.group: the rules of its groups disagree: rule "a" (open, for %q) wins, so that rule "b" (block, for %q) never does for this course`, i, j)}
	}
	tests := []struct {
		name  string
		rules []RuleSpec
		want  []string
	}{
		{"two groups that disagree", []RuleSpec{{Name: "a", When: on("group-2"), Then: "open"}, {Name: "b", When: on("group-1"), Then: "block"}}, disagree("group-2", "group-1")},
		{"they disagree from a date on", []RuleSpec{{Name: "a", When: on("group-2"), From: from(2007), Then: "open"}, {Name: "b", When: on("group-1"), From: from(2008), Then: "block"}},
			disagree("group-2", "group-1")},
		{"two groups that agree", []RuleSpec{{Name: "a", When: on("group-2"), Then: "block"}, {Name: "b", When: on("group-1"), Then: "block"}}, nil},
		{"stages follow each other", []RuleSpec{{Name: "a", When: on("group-2"), From: from(2008), Then: "open"}, {Name: "b", When: on("group-1"), From: from(2007), Then: "block"}}, nil},
		{"an exemption with a condition", []RuleSpec{{Name: "a", When: Condition{Course: []string{"group-2"}, Form: []string{"fixed"}}, Then: "open"}, {Name: "b", When: on("group-1"), Then: "block"}}, nil},
		{"an exemption of the course by name", []RuleSpec{{Name: "a", When: on("fiber"), Then: "open"}, {Name: "b", When: on("group-1"), Then: "block"}}, nil},
		{"both groups at once", []RuleSpec{{Name: "a", When: on("group-2"), Then: "open"}, {Name: "b", When: on("group-1", "group-2"), Then: "block"}}, nil},

		{"dates that change something", []RuleSpec{{Name: "a", When: on("adsl"), From: from(2007), Until: from(2008), Then: "block"}}, nil},
		{"an end that a tighter stage overtook", []RuleSpec{{Name: "b", When: on("adsl"), From: from(2007), Then: "block-all"}, {Name: "a", When: on("adsl"), From: from(2006), Until: from(2008), Then: "block"}},
			[]string{"warning: rules.1.until: nothing changes on 2008-01-01: other rules decide before and after"}},
		{"a beginning beneath an exemption", []RuleSpec{{Name: "a", When: on("adsl"), Until: from(2008), Then: "open"}, {Name: "b", When: on("adsl"), From: from(2007), Then: "block"}},
			[]string{"warning: rules.1.from: nothing changes on 2007-01-01: other rules decide before and after"}},
		{"in one of the areas", []RuleSpec{
			{Name: "a", When: Condition{Course: []string{"adsl"}, Area: []string{"tokyo"}}, Then: "open"},
			{Name: "b", When: on("adsl"), From: Timing{Areas: []AreaTiming{{Area: "tokyo", At: day(2007, 1, 1)}, {Area: "okinawa", At: day(2008, 1, 1)}}}, Then: "block"},
		}, []string{"warning: rules.1.from.tokyo: nothing changes on 2007-01-01: other rules decide before and after"}},
		{"a rule that cannot win is told once", []RuleSpec{{Name: "a", When: on("adsl"), Then: "block"}, {Name: "b", When: on("adsl"), From: from(2007), Then: "block"}},
			[]string{`warning: rules.1: can never win: rule "a" before it takes every session that it matches`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := spec()
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

func TestEnded(t *testing.T) {
	t.Parallel()
	s := spec()
	s.Rules = []RuleSpec{
		{Name: "over", When: Condition{Course: []string{"adsl"}}, Until: Timing{At: day(2007, 1, 1)}, Then: "block"},
		{Name: "later", When: Condition{Course: []string{"adsl"}}, Until: Timing{At: day(2008, 1, 1)}, Then: "limit"},
		{Name: "endless", When: Condition{Course: []string{"fiber"}}, From: Timing{At: day(2006, 1, 1)}, Then: "block"},
		{Name: "here and there", When: Condition{Course: []string{"late"}}, From: Timing{Areas: []AreaTiming{{Area: "tokyo", At: day(2006, 1, 1)}, {Area: "okinawa", At: day(2006, 1, 1)}}},
			Until: Timing{Areas: []AreaTiming{{Area: "tokyo", At: day(2007, 1, 1)}, {Area: "okinawa", At: day(2009, 1, 1)}}}, Then: "block"},
	}
	p, _ := Compile(s)
	for now, want := range map[int][]string{2006: nil, 2007: {"over"}, 2008: {"over", "later"}, 2009: {"over", "later", "here and there"}} {
		if got := Ended(p, day(now, 1, 1)); !slices.Equal(got, want) {
			t.Errorf("%d: got %q, want %q", now, got, want)
		}
	}
}
