package radius_test

import (
	"fmt"
	"strings"
	"testing"

	"sekisho/radius"
	"sekisho/radius/radiustest"
)

func TestStats(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.exchange(s.nas, access(t, 1, user))
	s.exchange(s.nas, access(t, 1, user))
	s.exchange(s.nas, access(t, 2, "01 10 'f.u1@atson.net'"))
	s.exchange(s.acct, accounting(t, 1, user))
	s.dropped("code", s.acct, access(t, 1, user))
	got := s.proxy.Stats()
	want := radius.Stats{
		NAS: map[string]radius.NASStats{"bras1": {
			Received: map[byte]uint64{1: 3, 4: 1, 12: 1}, Answered: map[byte]uint64{2: 2, 5: 2},
			Dropped: map[string]uint64{"code": 1, "duplicate": 1}, Injections: map[string]uint64{"injected": 1, "nothing-to-say": 1},
		}},
		AAA: map[string]radius.AAAStats{"tokyo-1": {
			Sent: map[byte]uint64{1: 2, 4: 1}, Received: map[byte]uint64{2: 2, 5: 1}, Dropped: map[string]uint64{}, Sockets: 1,
			Ports: []radius.PortStats{{Address: s.aaa.Addr, State: "alive"}},
		}},
		Decisions: map[radius.Ruling]uint64{{Action: "block", Rule: "stage"}: 1, {Action: "open", Rule: "fixed"}: 1},
		Unknown:   map[string]uint64{},
		Held:      3,
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

func TestStatsOfAServerInSeveralPools(t *testing.T) {
	t.Parallel()
	s := start(t, answering(silent))
	server := s.setup.server
	server.Auth, server.Acct = s.aaa.Addr, s.aaa.Addr
	s.setup.config.Realms = map[string]*radius.Pool{
		"*":         {Name: "all", Servers: []*radius.AAA{&server}},
		"atson.net": {Name: "atson", Servers: []*radius.AAA{&server}},
	}
	s.inside().Reload(s.config())
	must(t, s.nas.Send(access(t, 1, user)))
	must(t, s.nas.Send(access(t, 2, "01 03 'u'")))
	s.seen(2)
	if aaa := s.proxy.Stats().AAA["tokyo-1"]; aaa.Sockets != 1 || aaa.Outstanding != 2 {
		t.Errorf("%d sockets and %d outstanding, want 1 and 2", aaa.Sockets, aaa.Outstanding)
	}
}

func TestCodeNames(t *testing.T) {
	t.Parallel()
	if got := radius.CodeName(radiustest.AccessChallenge) + " " + radius.CodeName(99); got != "Access-Challenge code-99" {
		t.Error(got)
	}
}

func TestWhatCannotBeReadCountsForTheNASThatSentIt(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.dropped("malformed", s.nas, access(t, 1, user+"0b 00"))
	s.dropped("length", s.acct, packetOf(t, 4, 1, authenticator, user)[:30])
	if got := s.proxy.Stats().NAS["bras1"].Dropped; got["malformed"] != 1 || got["length"] != 1 {
		t.Errorf("counted for the NAS: %v", got)
	}
	s.until("the log names it", func() bool { return strings.Contains(s.log.String(), "reason=malformed nas=bras1") })
	other := s.setup.nas
	s.setup.nas.Identifier, other.Name, other.Identifier = "one", "bras2", "two"
	s.setup.config.NAS = []radius.NAS{other}
	s.inside().Reload(s.config())
	s.dropped("malformed", s.nas, access(t, 2, user+"0b 00"))
	if got := s.proxy.Stats().Unknown["malformed"]; got != 1 {
		t.Errorf("of one of two: %d counted for neither", got)
	}
}
