package coa

import (
	"encoding/hex"
	"net/netip"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/radius/radiustest"
	"sekisho/radius/session"
)

// farm makes the router of a crossing one of several: two in 127.0.0.0/24 that
// count their sessions alike, and one that is known by its NAS-Identifier.
func (c *crossing) farm(proxy bool) (routers []*radiustest.Router) {
	c.Helper()
	routers, err := radiustest.NewRouters(nasSecret, func(string) func(*radiustest.Request) [][]byte { return acks }, "127.0.0.1", "127.0.0.21", "127.0.0.22")
	must(c, err)
	for _, r := range routers {
		c.Cleanup(r.Close)
	}
	config := c.relay.config.Load()
	next := config.routers[0]
	next.Name, next.Address, next.Source = "farm", netip.Addr{}, netip.MustParsePrefix("127.0.0.0/24")
	to := *next.CoA
	if to.Address = routers[0].Addr; !proxy {
		to.Address = netip.AddrPortFrom(netip.Addr{}, routers[0].Addr.Port())
	}
	next.CoA = &to
	c.relay.Configure(RelayConfig{Clients: []RelayClient{config.clients[netip.MustParseAddr("127.0.0.1")]}}, []Router{next})
	c.table.mu.Lock()
	defer c.table.mu.Unlock()
	clear(c.table.all)
	for box, account := range map[string]string{"127.0.0.21": "u1", "127.0.0.22": "u2", "203.0.113.9": "u3"} {
		c.add(session.ID{NAS: "farm", Box: box, AcctSession: "0000001A"}, account,
			session.Attribute{Key: dict.Key{Number: typeNASIPAddress}, Value: string(netip.MustParseAddr(box).AsSlice())},
			session.Attribute{Key: dict.Key{Number: typeNASIdentifier}, Value: "id-" + account})
	}
	c.add(session.ID{NAS: "farm", Box: "127.0.0.22", AcctSession: "0000001B"}, "u2")
	return routers
}

func (c *crossing) add(id session.ID, account string, identity ...session.Attribute) {
	c.table.all[id] = &session.Session{ID: id, Account: account, UserName: account + "@isp.example", Applied: "block", Identity: identity}
}

const (
	box21, box22, box23, stray = "04067f000015", "04067f000016", "04067f000017", "0406cb007109"
	acctB                      = "2c0a3030303030303142"
	user2                      = "01107532406973702e6578616d706c65"
)

func named(id string) string {
	return "20" + hex.EncodeToString([]byte{byte(2 + len(id))}) + hex.EncodeToString([]byte(id))
}

func TestRelayTellsRoutersOfOneEntryApart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		proxy      bool
		code       byte
		attributes string
		at         int    // the router that gets it, -1 for none
		answer     string // Error-Cause in hexadecimal; empty: an ACK
	}{
		"by its address":                        {false, 43, box22 + acct + theirs, 2, ""},
		"by its identifier":                     {false, 43, named("id-u1") + acct + theirs, 1, ""},
		"by both":                               {false, 43, box22 + named("id-u2") + acct + theirs, 2, ""},
		"by both, which are two":                {false, 43, box21 + named("id-u2") + acct, -1, "00000193"}, // 403
		"by a session that is unlike others":    {false, 43, acctB + theirs, 2, ""},
		"by a user":                             {false, 43, acct + user2 + theirs, 2, ""},
		"two sessions of a name":                {false, 43, acct + theirs, -1, "000001fc"}, // 508
		"a Disconnect for two":                  {false, 40, acct, -1, "000001fc"},
		"two sessions of an entry":              {false, 43, named("farm") + acct + theirs, -1, "000001fc"},
		"another session":                       {false, 43, box21 + acctB + theirs, -1, "000001f7"},         // 503
		"a router without sessions":             {false, 40, box23 + acct, -1, "000001f6"},                   // nobody listens: 502
		"a router without sessions, its filter": {false, 43, box23 + acct + theirs, -1, "000001f7"},          // 503
		"a router outside":                      {false, 43, stray + acct + theirs, -1, "000001f6"},          // 502
		"an identifier of nobody":               {false, 43, named("osk-9") + acct + theirs, -1, "00000193"}, // 403
		"an identifier of nobody, an address":   {false, 43, named("osk-9") + box21 + acct + theirs, 1, ""},
		"by a proxy":                            {true, 43, box22 + acct + theirs, 0, ""},
		"by a proxy, outside its prefix":        {true, 43, stray + acct + theirs, 0, ""},
		"by a proxy, two sessions":              {true, 43, acct + theirs, -1, "000001fc"},
	} {
		c := newCrossing(t, acks)
		routers := c.farm(test.proxy)
		octets, err := c.aaa.Exchange(c.request(test.code, test.attributes), 10*time.Second)
		must(t, err)
		want := []byte{test.code + 1}
		if test.answer != "" {
			want = append([]byte{test.code + 2}, "\x65\x06"...)
		}
		if got := append([]byte{octets.Code}, encode(octets.Attributes)...); hex.EncodeToString(got) != hex.EncodeToString(want)+test.answer {
			t.Errorf("%s: answer %x, want %x%s", name, got, want, test.answer)
		}
		for i, r := range routers {
			if n := len(r.Seen()); n > 0 != (i == test.at) {
				t.Errorf("%s: router %d got %d requests", name, i, n)
			}
		}
	}
}
