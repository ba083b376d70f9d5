package coa

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"sekisho/radius/session"
)

// prefixed adds a NAS that stands for routers in 192.0.2.0/24, each with so many
// sessions of the same names.
func (s *sim) prefixed(sessions int, rate float64, window int, boxes ...string) Router {
	r := s.router("farm", 0, rate, window)
	r.Source = netip.MustParsePrefix("192.0.2.0/24")
	r.CoA.Address = netip.AddrPortFrom(netip.Addr{}, 1700)
	for _, box := range boxes {
		s.sessions(Place{"farm", box}, sessions)
	}
	return r
}

func TestEachRouterOfAPrefixIsToldAtItsOwnAddress(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	s.Configure([]Router{s.prefixed(1, 20, 10, "192.0.2.7", "192.0.2.8")}, Rules{})
	s.grants["userfarm-000000"] = "block"
	s.AccountsChanged([]string{"userfarm-000000"})
	s.run(time.Second)
	s.wantCount(map[string]int{"block": 2})
	if s.at("192.0.2.7:1700") != 1 || s.at("192.0.2.8:1700") != 1 || len(s.routed) != 2 {
		t.Errorf("sent %+v", s.routed)
	}
}

func TestProxyIsToldForAllRoutersBehindIt(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	r := s.prefixed(1, 20, 10, "192.0.2.7", "203.0.113.9", "tky-1")
	r.CoA.Address = netip.MustParseAddrPort("198.51.100.1:3799")
	s.Configure([]Router{r}, Rules{})
	s.stage()
	s.run(time.Second)
	s.wantCount(map[string]int{"block": 3})
	if s.at("198.51.100.1:3799") != 3 || len(s.routed) != 3 {
		t.Errorf("sent %+v", s.routed)
	}
}

func TestNothingIsSentToWhereARouterOnlyClaimsToBe(t *testing.T) {
	t.Parallel()
	for box, why := range map[string]string{
		"203.0.113.9": "router 203.0.113.9 of farm is not within 192.0.2.0/24, the source in the site file: nothing is sent there",
		"2001:db8::1": "router 2001:db8::1 of farm is not within 192.0.2.0/24, the source in the site file: nothing is sent there",
		"0.0.0.0":     "router 0.0.0.0 of farm is not within 192.0.2.0/24, the source in the site file: nothing is sent there",
		"tky-1\x1b":   `router "tky-1\x1b" of farm does not name itself by an address, and the site file has no coa.address for it`,
		"":            "it is not known which of the routers of farm has the session",
	} {
		s := newSim(t, nil)
		s.Configure([]Router{s.prefixed(1, 20, 10, box)}, Rules{})
		s.stage()
		s.run(time.Minute)
		id := session.ID{NAS: "farm", Box: box, AcctSession: "farm-000000"}
		if l, _ := s.table.Get(id); l.Why != why || len(s.routed) != 0 {
			t.Errorf("%q: %d requests, why %q", box, len(s.routed), l.Why)
		}
		if len(s.lanes) != 0 {
			t.Errorf("%q: a router that cannot be told anything is kept in mind", box)
		}
	}
}

// TestRoutersOfAPrefixArePacedEachByItself has each hold rate and window, and
// the canary of one prove nothing of the others.
func TestRoutersOfAPrefixArePacedEachByItself(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	r := s.prefixed(200, 50, 4, "192.0.2.7", "192.0.2.8", "192.0.2.9")
	s.Configure([]Router{r}, Rules{})
	s.answer = func(nas string, _ Request) (Reply, time.Duration) {
		if nas == "192.0.2.8:1700" {
			return nak(401), 10 * time.Millisecond
		}
		return ack, 70 * time.Millisecond
	}
	s.stage()
	s.run(2 * time.Second)
	got := map[string]string{}
	for _, p := range s.campaigns[0].parts {
		got[p.Box] = p.State
	}
	if want := "map[192.0.2.7:running 192.0.2.8:stopped 192.0.2.9:running]"; fmt.Sprint(got) != want {
		t.Errorf("the campaign is %v, want %s", got, want)
	}
	s.run(4 * time.Second)
	s.wantCount(map[string]int{"block": 400, "open": 200})
	for _, box := range []string{"192.0.2.7:1700", "192.0.2.9:1700"} {
		router := r
		router.Name = box
		s.checkPace(router)
		if s.most[box] != 4 {
			t.Errorf("%s: %d requests at once", box, s.most[box])
		}
	}
	if n := s.at("192.0.2.8:1700"); n > DefaultCanary {
		t.Errorf("the router that refuses got %d requests", n)
	}
	if n := s.Stats()["farm"]; n.Changed["done"] != 400 || n.UnderWay != 0 {
		t.Errorf("counted %+v", n)
	}
}

// TestRoutersOfAPrefixGoOnAfterARestart reads back which members are whose, and
// undoes at one router what was told there.
func TestRoutersOfAPrefixGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	disk := newDisk(t)
	s := newSim(t, disk)
	r := s.prefixed(150, 100, 10, "192.0.2.7", "192.0.2.8")
	s.Configure([]Router{r}, Rules{})
	s.stage()
	s.run(500 * time.Millisecond)
	s.scribe.wait()
	s.open(disk)
	s.Configure([]Router{r}, Rules{})
	must(t, s.Restore())
	s.everything("start")
	s.run(5 * time.Second)
	s.wantCount(map[string]int{"block": 300})
	if n := len(s.routed); n > 320 {
		t.Errorf("%d requests for 300 sessions", n)
	}
	for _, p := range s.campaigns[0].parts {
		if p.Total != 150 || p.Done != 150 || p.State != Over {
			t.Errorf("the campaign is %+v", p.CampaignPart)
		}
	}
	s.operate(s.Undo)
	s.run(5 * time.Second)
	s.wantCount(map[string]int{"open": 300})
}
