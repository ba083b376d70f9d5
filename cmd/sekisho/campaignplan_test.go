package main

import (
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
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
