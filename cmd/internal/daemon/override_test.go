package daemon_test

import (
	"testing"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/radius/radiustest"
	"sekisho/store"

	"github.com/google/go-cmp/cmp"
)

// override adds one through the door.
func (s *site) override(t *testing.T, o store.Override) {
	t.Helper()
	if _, err := s.client.AddOverride(t.Context(), admin.NewOverride{
		Account: o.Account, Kind: o.Kind, Action: o.Action, Reason: "test", Until: o.Until.Format(time.RFC3339),
	}, "", false); err != nil {
		t.Fatal(err)
	}
}

func TestGrantOpensTheNextLoginUntilItEnds(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.at(t, "2007-05-15T12:00:00+09:00")
	blocked := []radiustest.Attribute{{Type: radiustest.FilterID, Value: []byte("op25b")}}
	const user = "ua700aa007g@atson.net"
	if diff := cmp.Diff(blocked, s.login(t, "192.0.2.1", user)); diff != "" {
		t.Fatal(diff)
	}
	s.override(t, store.Override{Account: "ua700aa007g", Kind: "grant", Action: "open", Until: s.clock.Load().Add(time.Hour)})
	if got := s.login(t, "192.0.2.1", user); len(got) != 0 {
		t.Errorf("the grant holds: got %v", got)
	}
	s.at(t, "2007-05-15T13:00:00+09:00")
	if diff := cmp.Diff(blocked, s.login(t, "192.0.2.1", user)); diff != "" {
		t.Errorf("the grant has ended: %s", diff)
	}
}

func TestImpactSparesWhoHasAGrant(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, tt := range []struct {
		name, until string
		flipped     int
	}{
		{"a grant that ends before the date", "2007-05-15T00:00:00+09:00", 1},
		{"a grant beyond the date", "2007-06-01T00:00:00+09:00", 0},
	} {
		until, err := time.Parse(time.RFC3339, tt.until)
		if err != nil {
			t.Fatal(err)
		}
		s.override(t, store.Override{Account: "UA700AA007G", Kind: "grant", Action: "open", Until: until})
		if _, totals := s.impact(t, admin.ImpactQuestion{At: "2007-05-15"}); totals.Flipped != tt.flipped {
			t.Errorf("%s: %d change, want %d", tt.name, totals.Flipped, tt.flipped)
		}
	}
}
