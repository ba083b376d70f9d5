//go:build realparts

package realparts

import (
	"net/netip"
	"slices"
	"testing"
)

// papOnly makes pppd insist on PAP; otherwise it is CHAP, which l2tpns prefers.
var papOnly = []string{"refuse-chap", "refuse-mschap", "refuse-mschap-v2", "refuse-eap"}

// What the AAA server gives to the sessions on a fixed IP.
var (
	fixedIP      = netip.MustParseAddr("203.0.113.7")
	otherFixedIP = netip.MustParseAddr("203.0.113.8")
)

// asahiToday are ASAHI Net's lines in the spring of 2007: stage 1 is in force,
// stage 2 comes in May, the stage that covers every other course has no date.
var asahiToday = []LineCase{
	{Subscriber: Subscriber{Account: "uf200at001c", Course: "TEPCOひかりホーム"}, Blocked: true},
	{Subscriber: Subscriber{Account: "uf200at002c", Course: "TEPCOひかりホーム", FixedLogin: true}, Blocked: true}, // the prefix proves nothing
	{Subscriber: Subscriber{Account: "uf200at003c", Course: "ADSLトーカー"}, Blocked: true, Options: papOnly},
	{Subscriber: Subscriber{Account: "uf200at004c", Course: "Bフレッツファミリー", Options: "fixed-ip", FixedLogin: true}, Fixed: fixedIP},
	{Subscriber: Subscriber{Account: "uf200at005c", Course: "Bフレッツファミリー", FixedLogin: true}}, // stage all is only planned
	{Subscriber: Subscriber{Account: "uf200at006c", Course: "ADSLアッカ"}, Options: papOnly},
}

// asahiAll are the same kinds of lines once that last stage has a date and is in
// force. They are other customers: for some seconds l2tpns remembers a session that
// it has cut, and means that one when it is told to cut the customer's next.
var asahiAll = []LineCase{
	{Subscriber: Subscriber{Account: "uf200at014c", Course: "Bフレッツファミリー", Options: "fixed-ip", FixedLogin: true}, Fixed: otherFixedIP},
	{Subscriber: Subscriber{Account: "uf200at014c", Course: "Bフレッツファミリー", Options: "fixed-ip"}, Blocked: true},
	{Subscriber: Subscriber{Account: "uf200at015c", Course: "Bフレッツファミリー", FixedLogin: true}, Blocked: true},
	{Subscriber: Subscriber{Account: "uf200at016c", Course: "ADSLアッカ"}, Blocked: true},
}

// TestRealLine dials real PPPoE lines into a real access router and tries port 25
// from the subscriber's side, before and after the last stage gets a date.
func TestRealLine(t *testing.T) {
	Need(t, lineParts()...)
	all := slices.Concat(asahiToday, asahiAll)
	nas := []SiteNAS{{Name: "bras-1", Source: "127.0.0.1", NASIP: brasIP, Secret: nasSecret, Area: "tokyo", Profile: "l2tpns"}}
	street := NewStreet(t, newSite("asahi-net", nas), lineUsers(all))

	street.Sekisho.Serve(t, "2007-04-02T12:00:00+09:00")
	street.Sekisho.Import(t, lineContracts(all)...)
	street.Prove(t, asahiToday)

	street.Site.Policy = datedPolicy(t, "2007-10-01")
	street.Sekisho.Configure(t, street.Site)
	street.Sekisho.Rehearse(t, "2007-10-01T00:00:05+09:00")
	street.Prove(t, asahiAll)

	for _, c := range all {
		for _, status := range []string{"Start", "Stop"} {
			street.AAA.WaitAccounting(t, status, func(a Attributes) bool { return a.Get("User-Name") == c.Login() })
		}
	}
}

// datedPolicy is a copy of the shipped policy in which the planned stage that
// covers every other course begins on a day.
func datedPolicy(t *testing.T, day string) string {
	t.Helper()
	return policyWith(t, "asahi-net", "from: planned", "from: "+day)
}
