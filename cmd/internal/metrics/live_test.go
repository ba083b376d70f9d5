package metrics

import (
	"flag"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"sekisho/radius"
	"sekisho/radius/coa"
	"sekisho/radius/session"
	"sekisho/store"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is found as what is expected")

// part is how far a campaign is at a router.
func part(nas, box, state string, left int) coa.PartProgress {
	return coa.PartProgress{CampaignPart: store.CampaignPart{NAS: nas, Box: box, State: state}, Left: left}
}

func telling() Live {
	return Live{
		NAS: map[string]coa.NASStats{
			"bras-1": {
				Changed: map[string]uint64{"done": 5, "refused": 2}, Disconnected: map[string]uint64{"gone": 1},
				Causes: map[coa.Cause]uint64{401: 2, 0: 1}, Queued: 3, UnderWay: 4, Resting: 6, Refused: 7,
			},
			"farm": {},
		},
		Dropped: map[string]uint64{"unmatched": 8},
		Campaigns: []coa.Progress{
			{Campaign: store.Campaign{ID: 2}, Parts: []coa.PartProgress{
				part("bras-1", "", coa.Canary, 9),
				part("farm", "192.0.2.7", coa.Running, 10), part("farm", "192.0.2.8", coa.Running, 20), part("farm", "192.0.2.9", coa.Stopped, 30),
			}},
			{Campaign: store.Campaign{ID: 1}, Parts: []coa.PartProgress{part("bras-1", "", coa.Over, 0)}},
		},
		Relay: coa.RelayStats{
			Relayed:  map[string]map[string]uint64{"bras-1": {"done": 11}},
			Replaced: map[string]uint64{"bras-1": 12},
			Refused:  map[coa.Cause]uint64{403: 13},
			Dropped:  map[string]uint64{"unknown-aaa": 14},
		},
	}
}

// TestWhatRoutersAreToldIsServed holds the text that Prometheus reads of CoA
// and campaigns. A second value under the same labels would be an error of the
// whole page.
func TestWhatRoutersAreToldIsServed(t *testing.T) {
	source := Source{
		Version: "1.2.3", ReloadOK: func() bool { return true }, Live: telling,
		Proxy: func() radius.Stats { return radius.Stats{} }, Sessions: func() (session.Stats, uint64) { return session.Stats{}, 0 },
	}
	w := httptest.NewRecorder()
	Handler(source).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	var got strings.Builder
	for line := range strings.Lines(w.Body.String()) {
		if strings.Contains(line, "sekisho_coa_") || strings.Contains(line, "sekisho_campaign_") {
			got.WriteString(line)
		}
	}
	const file = "testdata/live.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" || w.Code != 200 {
		t.Errorf("status %d; -want +got\n%s", w.Code, diff)
	}
}
