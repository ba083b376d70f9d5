package coa

import (
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/radius/session"

	"github.com/google/go-cmp/cmp"
)

func TestPlanSaysWhatWouldBeToldAndTellsNobody(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	ends := s.router("bras2", 2, 20, 10)
	ends.Profile = simProfile(t, dict.CoASpec{By: dict.SayByDisconnect})
	silent := s.router("bras3", 1, 20, 10)
	silent.CoA = nil
	s.Configure([]Router{s.router("bras1", 8, 2, 3), ends, silent}, Rules{Threshold: 5})
	s.table.all[first].Exempt = "tunnel"
	s.table.all[session.ID{NAS: "bras1", AcctSession: "bras1-000001"}].Applied = "block"
	s.Start()
	defer s.Close()
	plan := s.Plan(nil)
	for _, l := range s.table.all {
		l.Wanted = "block"
		plan.Add([]session.Session{*l})
	}
	want := map[Place]*PlannedNAS{
		{NAS: "bras1"}: {Sessions: 8, Campaign: true, Canary: DefaultCanary, Rate: 2, Window: 3, Takes: 3 * time.Second, Changes: map[PlannedChange]int{
			{From: "open", To: "block", Means: dict.ByCoA}: 6,
			{From: "open", To: "block", Why: "tunnel"}:     1,
		}},
		{NAS: "bras2"}: {Sessions: 2, Rate: 20, Window: 10, Changes: map[PlannedChange]int{{From: "open", To: "block", Means: dict.ByDisconnect}: 2}},
		{NAS: "bras3"}: {Sessions: 1, Changes: map[PlannedChange]int{{From: "open", To: "block", Why: "the site file has no coa section for bras3"}: 1}},
	}
	if diff := cmp.Diff(want, plan.NAS); diff != "" || len(s.routed) != 0 {
		t.Errorf("%d requests; -want +got\n%s", len(s.routed), diff)
	}
}
