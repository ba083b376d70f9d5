package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/engine/policyfile"
)

// TestCampaignPlan prints what a stage would do to a live session, and sees
// that nothing was done.
func TestCampaignPlan(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "2007-05-14T10:00:00+09:00")
	o.account(t, 1, "ua700aa007g@atson.net", deskSession, 1)
	client := admin.Dial(o.socket)
	defer client.Close()
	plan, err := client.PlanCampaign(t.Context(), admin.PlanQuestion{At: "2007-05-15"})
	if err != nil || len(plan.NAS) != 1 {
		t.Fatal(plan, err)
	}
	want := admin.PlannedChange{To: "block", By: "nothing", Why: "the site file has no coa section for bras-tokyo", Sessions: 1}
	if n := plan.NAS[0]; n.NAS != "bras-tokyo" || n.Sessions != 1 || len(n.Changes) != 1 || n.Changes[0] != want {
		t.Errorf("got %+v", n)
	}
}

// otherPolicy writes the notice's policy with something else in it.
func otherPolicy(t *testing.T, changes ...string) string {
	t.Helper()
	text, ok := policyfile.Source("asahi-net")
	if !ok {
		t.Fatal("asahi-net is not shipped")
	}
	file := filepath.Join(t.TempDir(), "next.yaml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(changes...).Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestCampaignPlanOfAnotherPolicy asks through the command line what a planned
// stage and policies with other names would do to a live session.
func TestCampaignPlanOfAnotherPolicy(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "2007-05-14T10:00:00+09:00")
	o.online(t, deskOsaka, "ua700aa007g@atson.net")
	renamed := otherPolicy(t, "filter: op25b,", "filter: op25b-new,")
	shut := otherPolicy(t, "then: block", "then: shut", "\n  block: ", "\n  shut: ")
	var got strings.Builder
	plan := func(name string, args ...string) {
		r := o.run(t, append([]string{"campaign", "plan"}, args...)...)
		fmt.Fprintf(&got, "%s: exit code %d\n%s%s", name, r.code, r.stdout, strings.ReplaceAll(r.stderr, filepath.Dir(shut), "DIR"))
	}
	plan("a planned stage", "--stage", "all")
	plan("a stage that is none", "--stage", "al")
	plan("an action of another name", "--policy", shut, "--at", "2007-05-15")
	plan("a policy that the profiles cannot say", "--policy", otherPolicy(t, "filter: op25b,", "filter: "+strings.Repeat("x", 254)+","))
	o.move(t, "2007-05-15T00:00:00+09:00")
	o.filtered(t)
	plan("a filter of another name", "--policy", renamed)
	plan("the same policy", "--policy", "asahi-net")
	golden(t, "campaignplanother.txt", got.String())
}

// TestPlanIsPrinted holds the words.
func TestPlanIsPrinted(t *testing.T) {
	t.Parallel()
	at := time.Date(2007, 5, 15, 0, 0, 0, 0, time.FixedZone("", 9*3600))
	got := planned(admin.CampaignPlan{Policy: "asahi-net", At: at, NAS: []admin.PlannedNAS{
		{NAS: "bras1", Sessions: 9000, Campaign: true, Canary: 5, Rate: 50, Window: 20, Takes: 120, Changes: []admin.PlannedChange{
			{From: "open", To: "block", By: "CoA", Sessions: 6000}, {To: "block", By: "nothing", Why: "tunnel", Sessions: 3},
		}},
		{NAS: "bras2", Sessions: 7},
	}})
	golden(t, "campaignplan.txt", got)
}
