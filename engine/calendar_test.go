package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// line writes a change as one line.
func (ch Change) line() string {
	var words []string
	for _, c := range ch.Courses {
		words = append(words, c.ID)
	}
	if ch.Unnamed {
		words = append(words, "(unnamed)")
	}
	if ch.Unknown {
		words = append(words, "(unknown)")
	}
	at := "planned"
	if !ch.At.IsZero() {
		at = ch.At.Format(time.DateOnly)
	}
	if !ch.Until.IsZero() {
		at += " until " + ch.Until.Format(time.DateOnly)
	}
	line := fmt.Sprintf("%s %s->%s by %s: %s", at, ch.From, ch.To, ch.Rule, strings.Join(words, " "))
	if ch.Areas != nil {
		line += fmt.Sprintf(" in %q", ch.Areas)
	}
	if ch.Except != nil {
		line += fmt.Sprintf(" except %s", strings.Join(ch.Except, " "))
	}
	return line
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*Spec)
		want   []string
	}{
		{"a rule of every kind", func(*Spec) {}, []string{
			`2006-12-01 open->block by by-area: mobile in ["tokyo"] except dial-up`,
			`2007-02-01 open->block by stage-1: adsl fiber except fixed dial-up otherwise`,
			`2007-08-01 open->block-all by stage-2: adsl except dial-up`,
			`2007-08-01 block->block-all by stage-2: adsl except dial-up`,
			`2009-01-01 block->open by otherwise: fiber`,
			`planned open->block by by-area: mobile in ["okinawa"] except dial-up`,
			`planned open->limit by all: late except dial-up`,
		}},
		{"no dates", func(s *Spec) { s.Rules = s.Rules[:3] }, nil},
		{"a date behind which nothing changes", func(s *Spec) {
			s.Rules = []RuleSpec{{Name: "a", When: Condition{Course: []string{"adsl"}}, From: Timing{At: day(2007, 2, 1)}, Then: "open"}}
		}, nil},
		{"courses without a name and accounts without a contract", func(s *Spec) {
			s.Rules = []RuleSpec{
				{Name: "a", From: Timing{At: day(2007, 2, 1)}, Then: "block"},
				{Name: "b", When: Condition{Contract: "unknown"}, From: Timing{At: day(2007, 2, 1)}, Then: "block"},
			}
		}, []string{
			"2007-02-01 open->block by a: adsl fiber mobile late (unnamed)",
			"2007-02-01 open->block by b: (unknown)",
		}},
		{"a planned stage that a dated one overtakes", func(s *Spec) {
			s.Rules = []RuleSpec{
				{Name: "last", When: Condition{Course: []string{"adsl"}}, From: Timing{At: day(2007, 8, 1)}, Then: "block-all"},
				{Name: "plan", When: Condition{Course: []string{"adsl"}}, From: Timing{Planned: true}, Then: "block"},
			}
		}, []string{
			"2007-08-01 open->block-all by last: adsl",
			"planned until 2007-08-01 open->block by plan: adsl",
		}},
		{"an area that a rule asks for", func(s *Spec) {
			s.Rules = []RuleSpec{{Name: "a", When: Condition{Course: []string{"adsl"}, Area: []string{"Tokyo", "osaka"}}, From: Timing{At: day(2007, 2, 1)}, Then: "block"}}
		}, []string{`2007-02-01 open->block by a: adsl in ["Tokyo" "osaka"]`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := spec()
			tt.change(&s)
			p, _ := Compile(s)
			changes, err := Calendar(p)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, ch := range changes {
				ch.At, ch.Until = inTokyo(ch.At), inTokyo(ch.Until)
				got = append(got, ch.line())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func inTokyo(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(tokyo)
}

// has says whether a change is about a session of a course in an area.
func (ch Change) has(p *Policy, f *Facts) bool {
	if ch.Areas != nil && !slices.Contains(ch.Areas, f.NAS.Area) {
		return false
	}
	if f.Contract == nil {
		return ch.Unknown
	}
	course, named := p.Course(f.Contract.Course)
	return !named && ch.Unnamed || slices.ContainsFunc(ch.Courses, func(c Course) bool { return named && c.ID == course.ID })
}

// A session's action changes on no day on which the calendar has no line for it, and to nothing else than it says.
func TestCalendarMissesNothing(t *testing.T) {
	t.Parallel()
	changed := 0
	for seed := range uint64(250) {
		c := chance{rand.New(rand.NewPCG(seed, 40))}
		p := c.policy(t)
		calendar, err := Calendar(p)
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			f := c.facts()
			f.Overrides, f.Stages = nil, nil
			if !slices.Contains(p.Areas(), f.NAS.Area) {
				f.NAS.Area = ""
			}
			for _, at := range boundaries(p, f) {
				before, after := Decide(p, f, at.Add(-1)), Decide(p, f, at)
				if at.IsZero() || before.Action == after.Action {
					continue
				}
				changed++
				if !slices.ContainsFunc(calendar, func(ch Change) bool {
					return ch.At.Equal(at) && ch.From == before.Action && ch.To == after.Action && ch.Rule == after.Rule && ch.has(p, f)
				}) {
					t.Fatalf("seed %d: %+v becomes %+v at %s, unknown to the calendar %+v", seed, before, after, at, calendar)
				}
			}
		}
	}
	if changed < 250 {
		t.Errorf("only %d changes were looked at", changed)
	}
}
