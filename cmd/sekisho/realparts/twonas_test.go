//go:build realparts

package realparts

import (
	"slices"
	"testing"
)

// twoBRAS are two access routers of different make and area behind one address.
var twoBRAS = []SiteNAS{
	{Name: "bras-1", Source: "127.0.0.1", NASIP: "192.0.2.1", Secret: nasSecret, Area: "tokyo", Profile: "filter-id"},
	{Name: "bras-2", Source: "127.0.0.1", NASIP: "192.0.2.2", Secret: nasSecret, Area: "okinawa", Profile: "juniper-mx"},
}

// juniperIngress is the attribute that names an input filter on a Juniper MX.
const juniperIngress = "ERX-Ingress-Policy-Name"

// TestTwoNASesBehindOneAddress: the same subscriber through two routers that share
// a source address gets from each the attributes of that router's make, by PAP and
// by CHAP.
func TestTwoNASesBehindOneAddress(t *testing.T) {
	Need(t, wireParts()...)
	s := Subscriber{Account: "uf100at004c", Course: "TEPCOひかりホーム"}
	room := NewRoom(t, "asahi-net", twoBRAS, aaaUsers([]Subscriber{s}))
	room.Sekisho.Serve(t, afterStage2)
	room.Sekisho.Import(t, contracts([]Subscriber{s})...)
	for _, login := range []func(testing.TB, string, string, ...string) Reply{
		room.RADClient("192.0.2.1").PAP, room.RADClient("192.0.2.1").CHAP,
	} {
		expectSaid(t, "bras-1", login(t, s.Login(), s.Password()), "Filter-Id", juniperIngress)
	}
	for _, login := range []func(testing.TB, string, string, ...string) Reply{
		room.RADClient("192.0.2.2").PAP, room.RADClient("192.0.2.2").CHAP,
	} {
		expectSaid(t, "bras-2", login(t, s.Login(), s.Password()), juniperIngress, "Filter-Id")
	}
}

// expectSaid wants an Accept that says the filter in one attribute, once, and does
// not use the other router's attribute.
func expectSaid(t *testing.T, router string, r Reply, says, silent string) {
	t.Helper()
	if r.Code != "Access-Accept" || !slices.Equal(r.All(says), []string{filter}) || r.Has(silent) {
		t.Errorf("%s: want Access-Accept with %s %q and no %s, got\n%s", router, says, filter, silent, r)
	}
}

// areaPolicy blocks in Tokyo from December 2006; Okinawa has no date yet.
const areaPolicy = `policy: two-areas
timezone: Asia/Tokyo
logins:
  - {match: "{account}@atson.net", form: plain}
courses:
  adsl: {name: ADSL, group: [dynamic]}
actions:
  open:  {}
  block: {filter: op25b}
rules:
  - name: stage-1
    when: {course: dynamic}
    from: {tokyo: 2006-12-01, okinawa: planned}
    then: block
otherwise: open
unknown-contract: open
`

// TestTwoNASesInTwoAreas: which of the two routers behind one address it is also
// tells the area, and with it the stage.
func TestTwoNASesInTwoAreas(t *testing.T) {
	Need(t, wireParts()...)
	s := Subscriber{Account: "a1", Course: "ADSL"}
	room := NewRoom(t, WriteFile(t, WorkDir(t, "policy"), "two-areas.yaml", areaPolicy), twoBRAS, aaaUsers([]Subscriber{s}))
	room.Sekisho.Serve(t, afterStage2)
	room.Sekisho.Import(t, contracts([]Subscriber{s})...)
	expectSaid(t, "bras-1", room.RADClient("192.0.2.1").PAP(t, s.Login(), s.Password()), "Filter-Id", juniperIngress)
	open := room.RADClient("192.0.2.2").PAP(t, s.Login(), s.Password())
	if open.Code != "Access-Accept" || open.Has(juniperIngress) || open.Has("Filter-Id") {
		t.Errorf("bras-2: want Access-Accept without a filter, got\n%s", open)
	}
}
