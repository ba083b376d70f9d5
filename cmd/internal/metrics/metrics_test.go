package metrics

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/radius"
	"sekisho/radius/session"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func example() Source {
	return Source{
		Version:  "1.2.3",
		ReloadOK: func() bool { return false },
		Sessions: func() (session.Stats, uint64) {
			return session.Stats{
				NAS:     map[string]session.NASStats{"bras-1": {Sessions: map[string]int{"sent": 8, "seen": 2}, Drift: 3}},
				Records: map[string]uint64{"start": 11}, Joins: map[string]uint64{"no-accept": 5}, Oddities: map[string]uint64{"stale": 6}, Ended: map[string]uint64{"aged": 7},
				Waiting: 12, Unsaved: 13, Lost: 14, Unannounced: 15, Delay: 16 * time.Second,
			}, 15
		},
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
		`sekisho_sessions{nas="bras-1",proof="sent"} 8`,
		`sekisho_sessions_drift{nas="bras-1"} 3`,
		`sekisho_accounting_records_total{status="start"} 11`,
		`sekisho_session_joins_total{outcome="no-accept"} 5`,
		`sekisho_session_oddities_total{kind="stale"} 6`,
		`sekisho_sessions_ended_total{why="aged"} 7`,
		`sekisho_sessions_accepts_waiting 12`,
		`sekisho_sessions_unsaved 13`,
		`sekisho_sessions_unannounced_total 15`,
		`sekisho_sessions_announcing_seconds 16`,
		`sekisho_session_history_lost_total 14`,
		`sekisho_session_packets_lost_total 15`,
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
