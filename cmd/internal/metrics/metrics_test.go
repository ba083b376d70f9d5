package metrics

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"sekisho/radius"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func example() Source {
	return Source{
		Version:  "1.2.3",
		ReloadOK: func() bool { return false },
		Proxy: func() radius.Stats {
			return radius.Stats{
				Held: 3,
				NAS: map[string]radius.NASStats{"bras-1": {
					Received:   map[byte]uint64{1: 5},
					Answered:   map[byte]uint64{2: 4},
					Dropped:    map[string]uint64{"duplicate": 1},
					Injections: map[string]uint64{"injected": 4},
				}},
				AAA:       map[string]radius.AAAStats{"home": {Sent: map[byte]uint64{1: 5}, Received: map[byte]uint64{2: 4}, Sockets: 1, Ports: []radius.PortStats{{Address: netip.MustParseAddrPort("192.0.2.1:1812"), State: "zombie"}}}},
				Decisions: map[radius.Ruling]uint64{{Action: "block", Rule: "stage-1"}: 4},
				Unknown:   map[string]uint64{"unknown-nas": 7},
			}
		},
	}
}

func TestNamesFollowTheConventions(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector{example()})
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestEveryCounterIsServed(t *testing.T) {
	w := httptest.NewRecorder()
	Handler(example()).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`sekisho_build_info{version="1.2.3"} 1`,
		`sekisho_config_last_reload_successful 0`,
		`sekisho_radius_requests_held 3`,
		`sekisho_radius_requests_total{code="Access-Request",nas="bras-1"} 5`,
		`sekisho_radius_responses_total{code="Access-Accept",nas="bras-1"} 4`,
		`sekisho_radius_dropped_total{nas="bras-1",reason="duplicate"} 1`,
		`sekisho_radius_dropped_total{nas="",reason="unknown-nas"} 7`,
		`sekisho_radius_injections_total{nas="bras-1",outcome="injected"} 4`,
		`sekisho_decisions_total{action="block",rule="stage-1"} 4`,
		`sekisho_aaa_requests_total{aaa="home",code="Access-Request"} 5`,
		`sekisho_aaa_responses_total{aaa="home",code="Access-Accept"} 4`,
		`sekisho_aaa_sockets{aaa="home"} 1`,
		`sekisho_aaa_up{aaa="home",address="192.0.2.1:1812"} 0.5`,
		`process_open_fds`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is missing", want)
		}
	}
}
