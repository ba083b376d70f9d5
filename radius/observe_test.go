package radius_test

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/radiustest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// witness notes what the proxy tells of sessions.
type witness struct {
	mu      sync.Mutex
	logins  []*radius.Login
	records []*radius.Record
}

func (w *witness) LoggedIn(g radius.Glimpse) {
	l := &radius.Login{}
	g.Lens().Login(g.Keep(nil), l)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logins = append(w.logins, l)
}

func (w *witness) Accounting(g radius.Glimpse) {
	r := &radius.Record{}
	g.Lens().Record(g.Keep(nil), r)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records = append(w.records, r)
}

func (w *witness) seen() ([]*radius.Login, []*radius.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logins, w.records
}

func watched(w *witness) func(*setup) { return func(s *setup) { s.sessions = w } }

// Types that only tests of sessions use.
const (
	nasPort           = 5
	framedIPAddress   = 8
	callingStation    = 31
	acctDelayTime     = 41
	acctSessionTime   = 46
	eventTimestamp    = 55
	interimInterval   = 85
	nasPortID         = 87
	framedPrefix      = 97
	framedIPv6Address = 168
	delegatedPrefix   = 123
)

func address(typ byte, a string) radiustest.Attribute {
	return radiustest.Attribute{Type: typ, Value: netip.MustParseAddr(a).AsSlice()}
}

func TestAnAcceptIsToldToTheSessions(t *testing.T) {
	t.Parallel()
	w := &witness{}
	s := start(t, watched(w), answering(accept(
		radiustest.Attr(radiustest.UserName, "u1-renamed"), radiustest.Attr(radiustest.Class, "c1"),
		address(framedIPAddress, "198.51.100.7"), radiustest.Number(interimInterval, 600))))
	_, err := s.nas.Exchange(s.nas.Request(radiustest.AccessRequest, radiustest.PAP("u1@atson.net", "pw",
		radiustest.Number(nasPort, 7), radiustest.Attr(nasPortID, "slot1/7"), radiustest.Attr(callingStation, "0312345678"),
		radiustest.Attr(radiustest.AcctSessionID, "0000001A"))...), patience)
	must(t, err)
	logins, _ := w.seen()
	if len(logins) != 1 {
		t.Fatalf("%d logins, want 1", len(logins))
	}
	want := &radius.Login{
		Sighting: radius.Sighting{
			NAS: "bras1", Area: "tokyo", At: june, Session: "0000001A", UserName: "u1-renamed", Name: "u1@atson.net",
			Login:   engine.Login{Account: "u1", Realm: "atson.net", Form: "plain"},
			Address: netip.MustParseAddr("198.51.100.7"),
			Identity: []radius.Attribute{
				observed(nasPort, "\x00\x00\x00\x07"), observed(nasPortID, "slot1/7"),
				observed(callingStation, "0312345678"), observed(radiustest.AcctSessionID, "0000001A"),
			},
			Class: []string{"c1"},
		},
		Decision: engine.Decision{Action: "block", Rule: "stage"},
		Told:     "block", Words: `Filter-Id = "op25b"`, Asked: "u1@atson.net", Interim: 10 * time.Minute,
	}
	if diff := cmp.Diff(want, logins[0], cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
}

func observed(typ uint32, value string) radius.Attribute {
	a := radius.Attribute{Value: value}
	a.Number = typ
	return a
}

func TestARecordIsToldToTheSessions(t *testing.T) {
	t.Parallel()
	w := &witness{}
	s := start(t, watched(w))
	request := s.acct.Request(radiustest.AccountingRequest, radiustest.Attr(radiustest.UserName, "U1@atson.net"),
		radiustest.Number(radiustest.AcctStatusType, 3), radiustest.Attr(radiustest.AcctSessionID, "1A"),
		address(framedIPAddress, "198.51.100.7"), radiustest.Attribute{Type: framedPrefix, Value: []byte{0, 64, 0x20, 1, 0xd, 0xb8, 0, 1, 0, 2}},
		radiustest.Attribute{Type: delegatedPrefix, Value: []byte{0, 56, 0x20, 1, 0xd, 0xb8, 0, 2, 1}},
		radiustest.Number(acctDelayTime, 5), radiustest.Number(acctSessionTime, 60), radiustest.Number(eventTimestamp, 1180656000),
		radiustest.Attr(radiustest.FilterID, "op25b"))
	_, err := s.acct.Exchange(request, patience)
	must(t, err)
	_, err = s.acct.Exchange(request, patience) // the same datagram again
	must(t, err)
	_, records := w.seen()
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	want := &radius.Record{
		Sighting: radius.Sighting{
			NAS: "bras1", Area: "tokyo", At: june, Session: "1A", UserName: "U1@atson.net", Name: "U1@atson.net",
			Login:   engine.Login{Account: "u1", Realm: "atson.net", Form: "plain"},
			Address: netip.MustParseAddr("198.51.100.7"), Prefix: netip.MustParsePrefix("2001:db8:1:2::/64"),
			Delegated: netip.MustParsePrefix("2001:db8:2:100::/56"),
			Identity:  []radius.Attribute{observed(radiustest.AcctSessionID, "1A")},
		},
		Status: radius.StatusInterim, Delay: 5 * time.Second, Lasted: time.Minute, Event: time.Unix(1180656000, 0), Echoed: []string{"block"},
	}
	if diff := cmp.Diff(want, records[0], cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
}

// TestAddressesThatAreNone holds for what stands for one that is still to come.
func TestAddressesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, none := range []string{"0.0.0.0", "255.255.255.255", "255.255.255.254"} {
		w := &witness{}
		s := start(t, watched(w))
		_, err := s.acct.Exchange(s.acct.Request(radiustest.AccountingRequest, radiustest.Attr(radiustest.UserName, "u1@atson.net"),
			radiustest.Number(radiustest.AcctStatusType, 3), radiustest.Attr(radiustest.AcctSessionID, "1A"),
			address(framedIPAddress, none), address(framedIPv6Address, "::")), patience)
		must(t, err)
		if _, records := w.seen(); len(records) != 1 || records[0].Address.IsValid() || records[0].Address6.IsValid() {
			t.Errorf("%s: %+v", none, records)
		}
	}
}
