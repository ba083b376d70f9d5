package policyfile

import (
	"testing"
	"time"

	"sekisho/engine"
)

// answersOf are all combinations of answers that subscribers of the five ISPs can give.
func answersOf(p *engine.Policy, take func(*engine.Facts)) {
	courses := []string{"", "ケーブルインターネット"}
	for _, c := range p.Courses() {
		courses = append(courses, c.Name)
	}
	forms := []string{""}
	for _, l := range p.Logins {
		forms = append(forms, l.Form)
	}
	lines := []string{"", "Virtual", "Async", "PIAFS", "ISDN", "ISDN-V120", "ISDN-V110"}
	if len(p.RequestAttributes()) == 0 {
		lines = []string{"", "ISDN"} // no rule asks: one of them will do
	}
	for _, course := range courses {
		for _, form := range forms {
			for _, address := range []string{"", "dynamic", "fixed", "simple-fixed"} {
				for _, options := range [][]string{nil, {"fixed-ip"}, {"security-vpn"}, {"security-vpn", "fixed-ip"}} {
					for _, area := range append(p.Areas(), "", "osaka") {
						for _, line := range lines {
							f := &engine.Facts{
								Login: engine.Login{Form: form}, NAS: engine.NAS{Area: area},
								Contract: &engine.Contract{Course: course, Address: address, Options: options},
							}
							if line != "" {
								f.Request = []engine.Attribute{{Name: "NAS-Port-Type", Value: line}}
							}
							take(f)
						}
					}
				}
			}
		}
	}
}

// days are those on which anything begins in the shipped policies, and the seconds before.
func days(t *testing.T, p *engine.Policy) []time.Time {
	t.Helper()
	changes, err := engine.Calendar(p)
	if err != nil {
		t.Fatal(err)
	}
	all := []time.Time{time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, c := range changes {
		if !c.At.IsZero() {
			all = append(all, c.At.Add(-time.Second), c.At)
		}
	}
	return all
}

// The questionnaire for customers says what Decide says, whatever they answer, on every day, with and without the
// stages that are planned.
func TestChartOfEveryShippedPolicyAnswersAsDecideDoes(t *testing.T) {
	t.Parallel()
	for _, name := range Shipped() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := shipped(t, name)
			for _, at := range days(t, p) {
				for _, stages := range pretences(p) {
					chart, err := engine.NewChart(p, at, stages)
					if err != nil {
						t.Fatal(err)
					}
					answersOf(p, func(f *engine.Facts) {
						f.Stages = stages
						holdChart(t, chart, f)
					})
				}
			}
		})
	}
}

func holdChart(t *testing.T, chart *engine.Chart, f *engine.Facts) {
	t.Helper()
	got, want := chart.Results[chart.Answer(f)], engine.Decide(chart.Policy, f, chart.At)
	if got.Action != want.Action || got.Rule != want.Rule || !got.Until.Equal(want.Until) {
		t.Fatalf("at %s, stages %q, %+v %+v: the chart says %+v, Decide %+v", chart.At, f.Stages, f.Contract, f, got.Decision, want)
	}
	if next := engine.Decide(chart.Policy, f, got.Until); !got.Until.IsZero() && (next.Action != got.Next.Action || next.Rule != got.Next.Rule) {
		t.Fatalf("at %s, stages %q, %+v: then the chart says %+v, Decide %+v", chart.At, f.Stages, f.Contract, got.Next, next)
	}
	for _, s := range chart.Sending {
		action, _ := chart.Policy.Action(want.Action)
		filtered := action.Name != "open" && !s.OtherPort && (len(s.Hosts) == 0 || action.Name == "block-all")
		if chart.Affected(s, got) != filtered {
			t.Fatalf("%+v under %s: affected %v", s, action.Name, !filtered)
		}
	}
}
