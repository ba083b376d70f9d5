package metrics

import (
	"strconv"

	"sekisho/radius/coa"

	"github.com/prometheus/client_golang/prometheus"
)

// Live is what is counted about telling routers of live sessions.
type Live struct {
	NAS       map[string]coa.NASStats // by name
	Relay     coa.RelayStats
	Campaigns []coa.Progress
	Dropped   map[string]uint64 // answers that were none, by reason
}

var (
	coaAnswers   = describe("coa_answers_total", "What became of CoA- and Disconnect-Requests to a NAS.", "nas", "packet", "outcome")
	coaCauses    = describe("coa_error_causes_total", "Error-Causes in answers of a NAS.", "nas", "cause")
	coaWaiting   = describe("coa_sessions", "Sessions that a NAS is to be told about: queued, under-way, resting after a vain try, refused for good.", "nas", "state")
	coaDropped   = describe("coa_dropped_total", "Datagrams that were no answer to a request under way.", "reason")
	campaignLeft = describe("campaign_sessions_left", "Sessions that a campaign still has to tell, by its state at the NAS.", "campaign", "nas", "state")
	relayed      = describe("coa_relayed_total", "Requests of AAA servers that were passed on to a NAS.", "nas", "outcome")
	relayReplace = describe("coa_relay_replaced_total", "Requests of AAA servers whose attributes gave way to the policy's.", "nas")
	relayRefused = describe("coa_relay_refused_total", "Requests of AAA servers that were answered without asking a NAS.", "cause")
	relayDropped = describe("coa_relay_dropped_total", "Datagrams to the relay that were dropped.", "reason")
)

func (l Live) collect(out chan<- prometheus.Metric) {
	for nas, n := range l.NAS {
		for outcome, k := range n.Changed {
			count(out, coaAnswers, k, nas, "CoA", outcome)
		}
		for outcome, k := range n.Disconnected {
			count(out, coaAnswers, k, nas, "Disconnect", outcome)
		}
		for cause, k := range n.Causes {
			name := cause.String()
			if cause == 0 {
				name = "other"
			}
			count(out, coaCauses, k, nas, name)
		}
		for state, k := range map[string]int{"queued": n.Queued, "under-way": n.UnderWay, "resting": n.Resting, "refused": n.Refused} {
			gauge(out, coaWaiting, float64(k), nas, state)
		}
	}
	for reason, n := range l.Dropped {
		count(out, coaDropped, n, reason)
	}
	l.campaigns(out)
	l.relay(out)
}

// campaigns tells of those that are not over, the routers of a NAS together.
func (l Live) campaigns(out chan<- prometheus.Metric) {
	for _, c := range l.Campaigns {
		left := map[[2]string]int{}
		for _, p := range c.Parts {
			if p.State != coa.Over {
				left[[2]string{p.NAS, p.State}] += p.Left
			}
		}
		for at, n := range left {
			gauge(out, campaignLeft, float64(n), strconv.FormatUint(c.ID, 10), at[0], at[1])
		}
	}
}

func (l Live) relay(out chan<- prometheus.Metric) {
	for nas, outcomes := range l.Relay.Relayed {
		each(out, relayed, outcomes, nas)
	}
	for nas, n := range l.Relay.Replaced {
		count(out, relayReplace, n, nas)
	}
	for cause, n := range l.Relay.Refused {
		count(out, relayRefused, n, cause.String())
	}
	for reason, n := range l.Relay.Dropped {
		count(out, relayDropped, n, reason)
	}
}
