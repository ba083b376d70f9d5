package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"sekisho/cmd/internal/admin"
)

// TestACrowdAtTheDoor has 64 clients grant, renew, revoke and list at once while
// a subscriber logs in: no update is lost, and nobody reads half of one.
func TestACrowdAtTheDoor(t *testing.T) {
	t.Parallel()
	const renewers, granters, readers, times = 8, 40, 16, 3
	s := open(t)
	shared := s.standing(t)
	var csv strings.Builder
	csv.WriteString("account,course\n")
	for n := range granters {
		fmt.Fprintf(&csv, "crowd%d,ADSL\n", n)
	}
	if _, err := s.client.ImportContracts(t.Context(), "crowd.csv", strings.NewReader(csv.String()), admin.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	var crowd, audience sync.WaitGroup
	over, end := context.WithCancel(t.Context())
	for range renewers {
		crowd.Go(func() { s.renewBy(t, shared, times) })
	}
	for n := range granters {
		crowd.Go(func() {
			c := admin.Dial(s.socket())
			defer c.Close()
			for round := range times {
				s.grantAndRevoke(t, c, fmt.Sprintf("crowd%d", n), fmt.Sprint(n, "-", round))
			}
		})
	}
	for range readers {
		audience.Go(func() { s.readWhile(over, t) })
	}
	s.login(t, "192.0.2.1", "ua700aa007g@atson.net")
	crowd.Wait()
	end()
	audience.Wait()
	o, err := s.client.Override(t.Context(), shared)
	if err != nil || o.Version != 1+renewers*times || len(o.History) != renewers*times {
		t.Errorf("%d renewals by %d clients: version %d, %d in its history, %v", renewers*times, renewers, o.Version, len(o.History), err)
	}
	active, err := s.client.Overrides(t.Context(), admin.OverrideQuery{Prefix: "crowd", States: []string{"active"}}, "", 1000)
	if err != nil || len(active.Overrides) != 0 {
		t.Errorf("%d grants stand after all were revoked, %v", len(active.Overrides), err)
	}
	all, err := s.client.Overrides(t.Context(), admin.OverrideQuery{Prefix: "crowd"}, "", 1000)
	if err != nil || len(all.Overrides) != granters*times {
		t.Errorf("%d grants, want %d, %v", len(all.Overrides), granters*times, err)
	}
	if report, err := s.client.VerifyAudit(t.Context()); err != nil || !report.OK || report.Entries < uint64(2*granters*times+renewers*times) {
		t.Errorf("the audit: %+v, %v", report, err)
	}
}

// renewBy renews what it has seen, and looks again whenever another client was
// faster.
func (s *site) renewBy(t *testing.T, id string, times int) {
	c := admin.Dial(s.socket())
	defer c.Close()
	for done := 0; done < times; {
		o, err := c.Override(t.Context(), id)
		if err != nil {
			t.Error(err)
			return
		}
		_, err = c.RenewOverride(t.Context(), id, o.Version, admin.Renewal{Until: "2007-06-15", Reason: "r"}, false)
		var p *admin.Problem
		switch {
		case err == nil:
			done++
		case !errors.As(err, &p) || p.Status != http.StatusPreconditionFailed:
			t.Error(err)
			return
		}
	}
}

func (s *site) grantAndRevoke(t testing.TB, c *admin.Client, account, key string) {
	made, err := c.AddOverride(t.Context(), admin.NewOverride{Account: account, Kind: "grant", Action: "open", Reason: "r"}, key, false)
	if err == nil {
		_, err = c.RevokeOverride(t.Context(), made.Override.ID, made.Override.Version, "r", false)
	}
	if err != nil {
		t.Error(err)
	}
}

// readWhile holds that every version comes with all the renewals before it.
func (s *site) readWhile(ctx context.Context, t *testing.T) {
	c := admin.Dial(s.socket())
	defer c.Close()
	for ctx.Err() == nil {
		page, err := c.Overrides(t.Context(), admin.OverrideQuery{}, "", 1000)
		if err != nil {
			t.Error(err)
			return
		}
		for _, o := range page.Overrides {
			changes := len(o.History)
			if o.Revoked != nil {
				changes++
			}
			if o.Version != 1+changes || (o.State == "revoked") != (o.Revoked != nil) {
				t.Errorf("half of a change: %+v", o)
			}
		}
	}
}
