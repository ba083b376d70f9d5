// Package metrics turns what the others count into Prometheus' format. It is
// the only place that knows that format, and counts nothing itself.
package metrics

import (
	"net/http"
	"time"

	"sekisho/radius"
	"sekisho/store/ldapsync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Source is where the numbers come from.
type Source struct {
	Version  string
	Proxy    func() radius.Stats
	ReloadOK func() bool
	Sessions SessionStats            // nil: there are none
	Live     func() Live             // nil: no live sessions are kept
	Sync     func() *ldapsync.Status // nil: no directory is followed
	Now      func() time.Time
}

// Handler serves everything in the format of Prometheus.
func Handler(s Source) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collector{s},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// Labels come from the configuration alone: never a user, a session or an
// address of a subscriber.
var (
	buildInfo  = describe("build_info", "The version that runs.", "version")
	reloadOK   = describe("config_last_reload_successful", "Whether the last reload took the new configuration.")
	held       = describe("radius_requests_held", "Requests held now, waiting or answered.")
	requests   = describe("radius_requests_total", "Requests received from a NAS.", "nas", "code")
	responses  = describe("radius_responses_total", "Answers sent to a NAS.", "nas", "code")
	dropped    = describe("radius_dropped_total", "Datagrams and requests dropped; nas is empty where it is not known.", "nas", "reason")
	injections = describe("radius_injections_total", "What became of the policy's attributes in Access-Accepts.", "nas", "outcome")
	waiting    = describe("radius_requests_waiting", "Requests waiting for an AAA server now.", "nas")
	decisions  = describe("decisions_total", "Decisions by action and rule.", "action", "rule")
	aaaSent    = describe("aaa_requests_total", "Requests sent to an AAA server, retransmissions of a NAS included.", "aaa", "code")
	aaaReplies = describe("aaa_responses_total", "Answers of an AAA server.", "aaa", "code")
	aaaDropped = describe("aaa_dropped_total", "Answers that were dropped, and requests that got none.", "aaa", "reason")
	aaaUp      = describe("aaa_up", "How a port of an AAA server is: 1 alive, 0.5 zombie, 0 dead.", "aaa", "address")
	aaaSockets = describe("aaa_sockets", "Sockets open towards an AAA server.", "aaa")
	aaaBusy    = describe("aaa_identifiers_in_use", "Identifiers in use towards an AAA server.", "aaa")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("sekisho_"+name, help, labels, nil)
}

// collector reads the source anew at every scrape.
type collector struct{ Source }

// Describe makes this an unchecked collector: which series there are is up to
// the configuration.
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends every number once.
func (c collector) Collect(out chan<- prometheus.Metric) {
	if c.Live != nil {
		c.Live().collect(out)
	}
	s := c.Proxy()
	c.collectSync(out)
	gauge(out, buildInfo, 1, c.Version)
	gauge(out, reloadOK, boolean(c.ReloadOK()))
	gauge(out, held, float64(s.Held))
	c.sessions(out)
	for ruling, n := range s.Decisions {
		count(out, decisions, n, ruling.Action, ruling.Rule)
	}
	each(out, dropped, s.Unknown, "")
	for name, n := range s.NAS {
		byCode(out, requests, n.Received, name)
		byCode(out, responses, n.Answered, name)
		each(out, dropped, n.Dropped, name)
		each(out, injections, n.Injections, name)
		gauge(out, waiting, float64(n.Outstanding), name)
	}
	for name, a := range s.AAA {
		byCode(out, aaaSent, a.Sent, name)
		byCode(out, aaaReplies, a.Received, name)
		each(out, aaaDropped, a.Dropped, name)
		for _, port := range a.Ports {
			gauge(out, aaaUp, up[port.State], name, port.Address.String())
		}
		gauge(out, aaaSockets, float64(a.Sockets), name)
		gauge(out, aaaBusy, float64(a.Outstanding), name)
	}
}

var up = map[string]float64{"alive": 1, "zombie": 0.5, "dead": 0}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func count(out chan<- prometheus.Metric, d *prometheus.Desc, v uint64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
}

func each(out chan<- prometheus.Metric, d *prometheus.Desc, counts map[string]uint64, owner string) {
	for name, n := range counts {
		count(out, d, n, owner, name)
	}
}

func byCode(out chan<- prometheus.Metric, d *prometheus.Desc, counts map[byte]uint64, owner string) {
	for code, n := range counts {
		count(out, d, n, owner, radius.CodeName(code))
	}
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
