package daemon_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestAChangeSaysWhatItMeansForLiveSessions has an account of which each
// session is decided otherwise, and that is spelt in capitals in its contract.
func TestAChangeSaysWhatItMeansForLiveSessions(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.at(t, "2007-05-16T10:00:00+09:00")
	const more = "account,course,options\nUB800BB008H,ADSLアッカコース(12M),\n"
	if _, err := s.client.ImportContracts(t.Context(), "more.csv", strings.NewReader(more), admin.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	s.account(t, line{"ub800bb008h@atson.net", "0000001A", [4]byte{198, 51, 100, 7}}, 1)
	s.startSession(t, "192.0.2.2", "ub800bb008h@atson.net", "0000001B")
	s.sessions(t, admin.SessionQuery{Account: "ub800bb008h"}, 2)
	made, err := s.client.AddOverride(t.Context(), admin.NewOverride{
		Account: "ub800bb008h", Kind: "grant", Action: "open", Area: "okinawa", Reason: "mail server in Naha", From: "2007-05-17",
	}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	got := made.Effect.Sessions
	slices.SortFunc(got, func(a, b admin.SessionRef) int { return strings.Compare(a.Session, b.Session) })
	started := time.Date(2007, 5, 16, 10, 0, 0, 0, time.FixedZone("JST", 9*60*60))
	want := []admin.SessionRef{
		{NAS: "tokyo", Session: "0000001A", User: "ub800bb008h@atson.net", Started: started, Before: "block", After: "block"},
		{NAS: "okinawa", Session: "0000001B", User: "ub800bb008h@atson.net", Started: started, Before: "block", After: "open"},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(0)); diff != "" {
		t.Error(diff)
	}
}
