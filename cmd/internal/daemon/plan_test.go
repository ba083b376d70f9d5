package daemon_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sekisho/cmd/internal/admin"
	"sekisho/engine/policyfile"
)

// impact asks a question and returns the accounts that change, and the totals.
func (s *site) impact(t *testing.T, q admin.ImpactQuestion) ([]admin.AccountImpact, *admin.ImpactTotals) {
	t.Helper()
	var accounts []admin.AccountImpact
	totals, err := s.client.Impact(t.Context(), q, func(line admin.ImpactLine) error {
		if line.Account != nil {
			accounts = append(accounts, *line.Account)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return accounts, totals
}

func TestImpactAnswersForEveryAreaAndLogin(t *testing.T) {
	t.Parallel()
	s := open(t)
	accounts, totals := s.impact(t, admin.ImpactQuestion{At: "2007-05-15", Stages: []string{"all"}, Accounts: true})
	if len(accounts) != 2 || totals.Flipped != 2 || totals.Contracts != 2 || totals.From.Policy != "asahi-net" || totals.To.At.Hour() != 0 {
		t.Fatalf("got %+v, %+v", accounts, totals)
	}
	areas := []string{"tokyo", "okinawa", ""}
	adsl, family := accounts[0].Flips[0], accounts[1].Flips[0]
	if adsl.FromRule != "otherwise" || adsl.ToRule != "stage-2" || !adsl.Tighter || len(adsl.Logins) != 2 || !slices.Equal(adsl.Areas, areas) {
		t.Errorf("got %+v", adsl)
	}
	if family.ToRule != "all" || !slices.Equal(family.Logins, []string{"{account}@atson.net"}) || !slices.Equal(family.Areas, areas) {
		t.Errorf("a fixed-IP login does not change: got %+v", family)
	}
	if len(totals.ByArea) != 3 || totals.ByArea[0] != (admin.Count{Group: "tokyo", From: "open", To: "block", Accounts: 2}) {
		t.Errorf("got %+v", totals.ByArea)
	}
}

func TestImpactComparesSinceThenAndKeepsAccountsToItselfUnasked(t *testing.T) {
	t.Parallel()
	s := open(t)
	accounts, totals := s.impact(t, admin.ImpactQuestion{Since: "2007-05-15", At: "2008-01-01"})
	if len(accounts) != 0 || totals.Flipped != 0 || totals.Contracts != 2 {
		t.Errorf("got %+v, %+v", accounts, totals)
	}
	if accounts, totals := s.impact(t, admin.ImpactQuestion{At: "2008-01-01"}); len(accounts) != 0 || totals.Flipped != 1 {
		t.Errorf("got %+v, %+v", accounts, totals)
	}
}

func TestImpactOfAnotherPolicyFile(t *testing.T) {
	t.Parallel()
	s := open(t)
	src, _ := policyfile.Source("asahi-net")
	later := strings.Replace(string(src), "from: 2007-05-15", "from: {tokyo: 2007-05-01, okinawa: planned}", 1)
	accounts, _ := s.impact(t, admin.ImpactQuestion{Policy: &admin.PolicyText{Name: "later.yaml", Text: later}, Accounts: true})
	if len(accounts) != 1 || accounts[0].Account != "ua700aa007g" || !slices.Equal(accounts[0].Flips[0].Areas, []string{"tokyo"}) {
		t.Errorf("got %+v", accounts)
	}
}

func TestImpactRefusesWhatItCannotAnswer(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, tt := range []struct {
		name     string
		question admin.ImpactQuestion
		status   int
		want     string
	}{
		{"nothing asked", admin.ImpactQuestion{}, http.StatusBadRequest, "expected a date, a policy or a stage"},
		{"a bad time", admin.ImpactQuestion{At: "soon"}, http.StatusBadRequest, `got "soon"`},
		{"a bad time before", admin.ImpactQuestion{Since: "late", At: "2008-01-01"}, http.StatusBadRequest, `got "late"`},
		{"an unknown stage", admin.ImpactQuestion{Stages: []string{"stage-3"}}, http.StatusNotFound, `has no rule "stage-3"; did you mean`},
		{"a policy with errors", admin.ImpactQuestion{Policy: &admin.PolicyText{Name: "mine.yaml", Text: "policy: mine\nrule: []\n"}}, http.StatusUnprocessableEntity, `mine.yaml:2:1: rule: unknown key, did you mean "rules"?`},
		{"a policy without end", admin.ImpactQuestion{Policy: &admin.PolicyText{Text: strings.Repeat("#", 1<<20)}}, http.StatusRequestEntityTooLarge, "at most 1048576 bytes"},
	} {
		_, err := s.client.Impact(t.Context(), tt.question, func(admin.ImpactLine) error { return nil })
		var problem *admin.Problem
		if !errors.As(err, &problem) || problem.Status != tt.status || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %d %s", tt.name, err, tt.status, tt.want)
		}
	}
}

func TestImpactTellsHowFarItIs(t *testing.T) {
	t.Parallel()
	s := open(t)
	const n = 25_000
	var csv strings.Builder
	csv.WriteString("account,course\n")
	for i := range n {
		fmt.Fprintf(&csv, "x%06d,AIR-EDGE\n", i)
	}
	if _, err := s.client.ImportContracts(t.Context(), "many.csv", strings.NewReader(csv.String()), admin.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	var told []admin.Progress
	totals, err := s.client.Impact(t.Context(), admin.ImpactQuestion{Stages: []string{"all"}}, func(line admin.ImpactLine) error {
		told = append(told, *line.Progress)
		return nil
	})
	if err != nil || totals.Flipped != n+2 {
		t.Fatal(totals, err)
	}
	if want := []admin.Progress{{Read: 10_000, Of: n + 2}, {Read: 20_000, Of: n + 2}}; !slices.Equal(told, want) {
		t.Errorf("got %v", told)
	}
}

func TestCalendarOfTheRunningPolicy(t *testing.T) {
	t.Parallel()
	s := open(t)
	c, err := s.client.Calendar(t.Context())
	if err != nil || c.Policy != "asahi-net" || len(c.Changes) != 3 {
		t.Fatal(c, err)
	}
	if ch := c.Changes[0]; ch.At.Format("2006-01-02T15:04:05Z07:00") != "2007-02-01T00:00:00+09:00" || len(ch.Courses) != 4 || ch.Courses[0] != (admin.Course{ID: "tepco-home", Name: "TEPCOひかりホーム"}) {
		t.Errorf("got %+v", ch)
	}
	if ch := c.Changes[2]; ch.At != nil || ch.Rule != "all" {
		t.Errorf("got %+v", ch)
	}
}
