package store

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

func TestCampaignsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.db")
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := s.Campaigns(); len(all) != 0 || err != nil {
		t.Errorf("a new store has campaigns: %v, %v", all, err)
	}
	kept, err := s.AddCampaign(Campaign{Cause: "stage", Created: time.Date(2007, 5, 15, 0, 0, 0, 0, time.UTC), Parts: []CampaignPart{{NAS: "bras1", State: "planned", Total: 2}}})
	if err != nil || kept.ID != 1 {
		t.Fatalf("campaign %d: %v", kept.ID, err)
	}
	members := []CampaignMember{
		{"bras1", "", "0000001A", "open", "block"},
		{"bras1", "192.0.2.9", "7", "", "limit"},
	}
	others := []CampaignMember{{"bras10", "", "0000001A", "open", "block"}}
	for _, m := range [][]CampaignMember{members, others} {
		if err := s.AddCampaignMembers(1, m); err != nil {
			t.Fatal(err)
		}
	}
	kept.Parts[0].State, kept.Parts[0].Done = "running", 1
	if err := s.PutCampaign(kept); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(path, Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if all, err := s.Campaigns(); err != nil || !reflect.DeepEqual(all, []Campaign{kept}) {
		t.Errorf("got %+v, %v", all, err)
	}
	for i, box := range []string{"", "192.0.2.9"} {
		if got, err := s.CampaignMembers(1, "bras1", box); err != nil || !reflect.DeepEqual(got, members[i:i+1]) {
			t.Errorf("at %q: got %+v, %v", box, got, err)
		}
	}
	if err := s.ForgetCampaign(1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CampaignMembers(1, "bras1", ""); !errors.Is(err, ErrNoCampaign) {
		t.Errorf("after it was forgotten: %v", err)
	}
	if next, err := s.AddCampaign(Campaign{}); err != nil || next.ID != 2 {
		t.Errorf("a number is used twice: %d, %v", next.ID, err)
	}
}
