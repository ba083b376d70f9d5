package daemon_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/radius/radiustest"
)

// farm has routers at several addresses behind one NAS entry, each with sessions
// of the same names.
func (s *site) farm(t *testing.T, settings string, hosts []string, ids ...string) (map[string]*radiustest.Lines, []*radiustest.Router) {
	t.Helper()
	lines := map[string]*radiustest.Lines{}
	for _, host := range hosts {
		lines[host] = radiustest.NewLines("", ids...)
	}
	routers, err := radiustest.NewRouters(nasSecret, func(host string) func(*radiustest.Request) [][]byte { return lines[host].Answer }, hosts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routers {
		t.Cleanup(r.Close)
	}
	before, _, _ := strings.Cut(s.text, "nas:\n")
	_, after, _ := strings.Cut(s.text, "aaa:\n")
	s.write(t, before+fmt.Sprintf("%snas:\n  farm: {source: 127.0.0.0/24, secret: %s, area: tokyo, profile: open-again, coa: {port: %d}}\naaa:\n", settings, nasSecret, routers[0].Addr.Port())+
		after+"profiles: {open-again: {base: filter-id, open-filter: op25b-off}}\n")
	if _, err := s.client.Reload(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	for _, host := range hosts {
		for _, id := range ids {
			s.login(t, host, "ua700aa007g@atson.net")
			s.startSession(t, host, "ua700aa007g@atson.net", id)
		}
	}
	return lines, routers
}

// TestRoutersOfAPrefixAreToldEachAtItsOwnAddress has two routers behind one NAS
// entry give the same Acct-Session-Id, and a third claim an address that is not
// its entry's.
func TestRoutersOfAPrefixAreToldEachAtItsOwnAddress(t *testing.T) {
	t.Parallel()
	s := open(t)
	hosts := []string{"127.0.0.11", "127.0.0.12", "127.0.1.13"}
	lines, routers := s.farm(t, "", hosts, "0000001A")
	s.at(t, "2007-05-15T00:00:00+09:00")
	s.filter(t, lines["127.0.0.11"], "op25b")
	s.filter(t, lines["127.0.0.12"], "op25b")
	told, err := s.client.PushSessions(t.Context(), admin.SessionOrder{NAS: "farm", Box: "127.0.0.12", Session: "0000001A"})
	if want := (admin.Telling{NAS: "farm", Box: "127.0.0.12", Session: "0000001A", Outcome: "done", Answer: "CoA-ACK"}); err != nil || len(told) != 1 || told[0] != want {
		t.Errorf("pushed: %v, %v", told, err)
	}
	_, err = s.client.PushSessions(t.Context(), admin.SessionOrder{NAS: "farm", Session: "0000001A"})
	_, shown := s.client.Session(t.Context(), "farm", "", "0000001A")
	where := `there is no live session "0000001A" of NAS "farm"; there is one with box 127.0.0.11 and one with box 127.0.0.12 and one with box 127.0.1.13`
	for _, err := range []error{err, shown} {
		var p *admin.Problem
		if !errors.As(err, &p) || p.Status != http.StatusNotFound || p.Detail != where {
			t.Errorf("without a box: %v", err)
		}
	}
	for i, want := range []int{1, 2, 0} {
		if n, _ := routers[i].Load(); n != want {
			t.Errorf("%s got %d requests, want %d", hosts[i], n, want)
		}
	}
	want := "router 127.0.1.13 of farm is not within 127.0.0.0/24, the source in the site file: nothing is sent there"
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		stray, err := s.client.Session(t.Context(), "farm", "127.0.1.13", "0000001A")
		if err != nil {
			t.Fatal(err)
		}
		if stray.Why == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the stray router's session is %+v", stray)
		}
	}
}

// TestCampaignIsUndoneAtOneRouterOfAPrefix has two sessions at each of two
// routers behind one NAS entry.
func TestCampaignIsUndoneAtOneRouterOfAPrefix(t *testing.T) {
	t.Parallel()
	s := open(t)
	lines, _ := s.farm(t, "campaigns: {threshold: 1}\n", []string{"127.0.0.21", "127.0.0.22"}, "0000001A", "0000001B")
	s.at(t, "2007-05-15T00:00:00+09:00")
	s.eventually(t, "the campaign is over", func() error {
		all, err := s.client.Campaigns(t.Context())
		if err == nil && len(all) == 1 && len(all[0].Parts) == 2 && all[0].Parts[0].Done+all[0].Parts[1].Done == 4 {
			return nil
		}
		return fmt.Errorf("there are %+v, %w", all, err)
	})
	for detail, order := range map[string]admin.CampaignOrder{
		`404 campaign 1 has no NAS "nara"; known: farm`:                                               {NAS: "nara"},
		`404 campaign 1 has no box "10.0.0.1" of farm; it is at farm (127.0.0.21), farm (127.0.0.22)`: {NAS: "farm", Box: "10.0.0.1"},
		`400 box says which of several routers behind a NAS entry: expected nas, too`:                 {Box: "127.0.0.21"},
	} {
		_, err := s.client.TurnCampaign(t.Context(), 1, admin.UndoCampaign, order)
		if p := new(admin.Problem); !errors.As(err, &p) || !strings.HasPrefix(detail, fmt.Sprint(p.Status)) || !strings.HasSuffix(p.Detail, detail[4:]) {
			t.Errorf("undone at %+v: %v, want %s", order, err, detail)
		}
	}
	if _, err := s.client.TurnCampaign(t.Context(), 1, admin.UndoCampaign, admin.CampaignOrder{NAS: "farm", Box: "127.0.0.22"}); err != nil {
		t.Fatal(err)
	}
	s.filter(t, lines["127.0.0.22"], "op25b-off")
	if got, _, _ := lines["127.0.0.21"].Filter("0000001A"); got != "op25b" {
		t.Errorf("the other router has %q", got)
	}
	page, err := s.client.Audit(t.Context(), admin.AuditQuery{Op: "campaign.undo"}, 0, 10)
	if err != nil || len(page.Entries) != 1 || string(page.Entries[0].After) != `{"box":"127.0.0.22","nas":"farm"}` {
		t.Errorf("the audit has %+v %v", page, err)
	}
}
