package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Whatever a subscriber answers, the chart ends in what Decide says.
func TestChartAnswersAsDecideDoes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(250) {
		c := chance{rand.New(rand.NewPCG(seed, 400))}
		p := c.policy(t)
		now, stages := c.day(), c.some("r0", "r3")
		chart, err := NewChart(p, now, stages)
		if err != nil {
			t.Fatal(err)
		}
		for range 12 {
			f := c.facts()
			if f.Contract == nil {
				continue
			}
			f.Overrides, f.Stages = nil, stages
			got, want := chart.Results[chart.Answer(f)], Decide(p, f, now)
			if got.Action != want.Action || got.Rule != want.Rule || !got.Until.Equal(want.Until) {
				t.Fatalf("seed %d: %+v: the chart says %+v, Decide %+v", seed, f, got, want)
			}
			if next := Decide(p, f, got.Until); !got.Until.IsZero() && (next.Action != got.Next.Action || next.Rule != got.Next.Rule) {
				t.Fatalf("seed %d: %+v: then the chart says %+v, Decide %+v", seed, f, got.Next, next)
			}
		}
	}
}

// The steps stand in the order in which they are met, every one asks something, and none stands twice.
func TestChartIsShort(t *testing.T) {
	t.Parallel()
	for seed := range uint64(250) {
		c := chance{rand.New(rand.NewPCG(seed, 4000))}
		chart, err := NewChart(c.policy(t), c.day(), nil)
		if err != nil {
			t.Fatal(err)
		}
		met := map[int]bool{}
		if first, ok := chart.First(); ok {
			met[first] = true
		}
		for i, s := range chart.Steps {
			if len(s.Ways) < 2 {
				t.Fatalf("seed %d: step %d leaves no choice: %+v", seed, i, s)
			}
			for _, w := range s.Ways {
				next, ok := w.Step()
				if ok && next <= i {
					t.Fatalf("seed %d: step %d leads back to step %d", seed, i, next)
				}
				if result, end := w.Result(); end && result >= len(chart.Results) {
					t.Fatalf("seed %d: step %d ends in result %d of %d", seed, i, result, len(chart.Results))
				}
				met[next] = met[next] || ok
			}
		}
		for i := range chart.Steps {
			if !met[i] {
				t.Fatalf("seed %d: nothing leads to step %d", seed, i)
			}
		}
	}
}

func TestChartOfAPolicyWithoutQuestions(t *testing.T) {
	t.Parallel()
	s := spec()
	s.Rules = nil
	chart, err := NewChart(compiled(t, s), day(2007, 1, 1), nil)
	if err != nil || len(chart.Steps) != 0 || len(chart.Results) != 1 {
		t.Fatalf("%+v, %v", chart, err)
	}
	if _, ok := chart.First(); ok || chart.Answer(&Facts{Contract: &Contract{}}) != 0 {
		t.Errorf("got %+v", chart)
	}
}

func TestSendingIsHinderedOnPort25Only(t *testing.T) {
	t.Parallel()
	s := spec()
	s.Hosts = append(s.Hosts, Host{"relay.isp.example", s.Hosts[0].Addresses}, Host{"mails.isp.example", s.Hosts[0].Addresses}, Host{"www.isp.example", s.Hosts[0].Addresses})
	s.Actions[1].Allow = []string{"mail.isp.example", "mails.isp.example"}
	s.Actions[2].Allow = []string{"mails.isp.example", "mail.isp.example", "relay.isp.example"}
	s.Actions[3] = Action{Name: "block-all", Pool: "walled"}
	p := compiled(t, s)
	chart, err := NewChart(p, day(2007, 3, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]bool{ // other port, mail and mails, relay, elsewhere
		"open": {true, true, true, true}, "limit": {true, true, false, false}, "block": {true, true, true, false}, "block-all": {true, false, false, false},
	}
	if len(chart.Sending) != 4 || !slices.Equal(chart.Sending[1].Hosts, []string{"mail.isp.example", "mails.isp.example"}) {
		t.Fatalf("got %+v", chart.Sending)
	}
	for _, a := range p.Actions {
		for i, s := range chart.Sending {
			if s.Reaches(a) != want[a.Name][i] || chart.Affected(s, ChartResult{Decision: Decision{Action: a.Name}}) == want[a.Name][i] {
				t.Errorf("%s, %+v: want %v", a.Name, s, want[a.Name][i])
			}
		}
	}
	for i, matters := range []bool{false, true, true, true} {
		if chart.Matters(chart.Sending[i]) != matters {
			t.Errorf("%+v: want %v", chart.Sending[i], matters)
		}
	}
	if late, err := NewChart(p, day(2010, 1, 1), nil); err != nil || !late.Matters(Sending{}) || late.Matters(Sending{OtherPort: true}) {
		t.Errorf("%v", err)
	}
	if before, err := NewChart(p, time.Time{}, nil); err != nil || !before.Matters(Sending{}) {
		t.Errorf("what comes matters too: %v", err)
	}
}
