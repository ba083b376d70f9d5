package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// of says whether a session is of a kind, by the answers alone.
func (k *Kind) of(p *Policy, f *Facts) bool {
	if k.Unknown != (f.Contract == nil) {
		return false
	}
	if f.Contract != nil {
		if course, _ := p.Course(f.Contract.Course); course.ID != k.Course {
			return false
		}
	}
	for _, a := range k.Answers {
		if a.Question.Choose(f) != a.Choice {
			return false
		}
	}
	return true
}

// Every session is of exactly one kind, and all of a kind are decided alike on every day, whatever is pretended.
func TestKindsTellApartWhatThePolicyDoes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		c := chance{rand.New(rand.NewPCG(seed, 4))}
		p := c.policy(t)
		kinds, err := Kinds(p)
		if err != nil {
			t.Fatal(err)
		}
		for range 12 {
			f := c.facts()
			f.Overrides = nil
			var of []*Kind
			for i := range kinds {
				if kinds[i].of(p, f) {
					of = append(of, &kinds[i])
				}
			}
			if len(of) != 1 {
				t.Fatalf("seed %d: %+v is of %d kinds", seed, f, len(of))
			}
			example := of[0].Facts
			example.Stages = f.Stages
			now := c.day()
			if got, want := Decide(p, &example, now), Decide(p, f, now); got.Action != want.Action || got.Rule != want.Rule || !got.Until.Equal(want.Until) {
				t.Fatalf("seed %d: %+v: the kind's example is decided %+v, the session %+v", seed, f, got, want)
			}
		}
	}
}

func TestKindsAskOnlyWhatMatters(t *testing.T) {
	t.Parallel()
	kinds, err := Kinds(compiled(t, spec()))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range kinds {
		words := []string{k.Course}
		for _, a := range k.Answers {
			c := a.Question.Choices[a.Choice]
			words = append(words, fmt.Sprintf("%s%s=%s/%v", a.Question.Key, a.Question.Name, strings.Join(c.Values, "+"), c.Other))
		}
		got = append(got, strings.Join(words, " "))
	}
	want := []string{
		"adsl requestNAS-Port-Type=ISDN/false",
		"adsl requestNAS-Port-Type=/true requestNAS-Port-Type=Async/false",
		"adsl requestNAS-Port-Type=/true requestNAS-Port-Type=/true address=fixed/false",
		"adsl requestNAS-Port-Type=/true requestNAS-Port-Type=/true address=dynamic+simple-fixed/true",
	}
	for i, w := range want {
		if i >= len(got) || got[i] != w {
			t.Fatalf("got\n%s\nwant it to begin with\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestKindsGiveUpOnPoliciesThatNobodyCouldRead(t *testing.T) {
	t.Parallel()
	s := spec()
	for i := range 16 {
		s.Rules = append(s.Rules, RuleSpec{Name: fmt.Sprint("option-", i), When: Condition{Option: []string{fmt.Sprint(i)}}, From: Timing{At: day(2007, 1, 1)}, Then: "open"})
	}
	p := compiled(t, s)
	_, err := Kinds(p)
	_, calendarErr := Calendar(p)
	_, chartErr := NewChart(p, day(2007, 1, 1), nil)
	for _, err := range []error{err, calendarErr, chartErr} {
		if want := "policy test tells more than 16384 kinds of sessions apart"; err == nil || err.Error() != want {
			t.Errorf("got %v", err)
		}
	}
}

// Whatever is asked of sessions, the questions know the answer and can write it down.
func TestQuestionsOfEveryKey(t *testing.T) {
	t.Parallel()
	s := spec()
	s.Rules = []RuleSpec{{Name: "a", When: Condition{
		Course: []string{"adsl"}, Form: []string{"fixed"}, Realm: []string{"isp.example"}, Address: []string{"fixed"}, Option: []string{"vpn"},
		Segment: []string{"personal"}, Status: []string{"closed"}, Area: []string{"tokyo"}, NAS: []string{"bras1"},
		Request: []Wanted{{"NAS-Port-Type", []string{"ISDN"}}},
	}, Then: "block"}}
	p := compiled(t, s)
	kinds, err := Kinds(p)
	if err != nil {
		t.Fatal(err)
	}
	all := kinds[0]
	if len(all.Answers) != 9 || Decide(p, &all.Facts, time.Time{}).Rule != "a" {
		t.Fatalf("the first kind should pass every test: %+v", all)
	}
	for _, k := range kinds[1:] {
		if d := Decide(p, &k.Facts, time.Time{}); d.Rule == "a" {
			t.Errorf("%+v is decided by rule a as well", k)
		}
	}
	if len(kinds) != 1+9+3+1+1 {
		t.Errorf("%d kinds", len(kinds))
	}
}

func TestUnknownContractsAreAskedNothingOfTheirContract(t *testing.T) {
	t.Parallel()
	s := spec()
	s.Rules = []RuleSpec{{Name: "a", When: Condition{Contract: "unknown", Not: &Condition{Option: []string{"vpn"}}}, Then: "block"}}
	p := compiled(t, s)
	kinds, err := Kinds(p)
	if err != nil {
		t.Fatal(err)
	}
	last := kinds[len(kinds)-1]
	if d := Decide(p, &last.Facts, time.Time{}); !last.Unknown || len(last.Answers) != 0 || d.Rule != "a" {
		t.Errorf("got %+v, %+v", last, d)
	}
}
