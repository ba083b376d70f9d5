//go:build realparts

package realparts

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// Addresses of a street: documentation ranges, reachable in its namespaces only.
const (
	brasIP      = "192.0.2.1"
	gatewayIP   = "203.0.113.1"
	poolRange   = "203.0.113.128/26"
	uplinkIP    = "198.51.100.1"
	foreignMail = "198.51.100.2"  // a mail server somewhere else
	ownMail     = "198.51.100.25" // the ISP's own
)

const (
	smtp, smtps, submission = 25, 465, 587
	daePort                 = 3799
)

// denyRule is the rule of op25b that closes port 25, as l2tpns shows it.
const denyRule = "deny tcp any any eq 25"

// lineACL is what sekisho prints for l2tpns, with the ISP's own mail server where
// it stands here.
func lineACL(t testing.TB) string {
	t.Helper()
	const own = `mail.asahi-net.or.jp:  [192.0.2.25, "2001:db8::25"]`
	return RouterText(t, "l2tpns", policyWith(t, "asahi-net", own, "mail.asahi-net.or.jp: "+ownMail))
}

// A Street is an ISP in three namespaces: subscribers' lines in a guest, an access
// router with RADIUS behind it, and the network beyond with mail servers.
//
//	guest (pppd) --PPPoE-- l2tpns, sekisho, FreeRADIUS -- foreign and own mail server
type Street struct {
	Guest        *Guest
	BRAS         *BRAS
	AAA          *FreeRADIUS
	Sekisho      *Sekisho
	Site         Site
	Foreign, Own *Mailhost
}

// NewStreet builds all of it but starts neither sekisho nor the guest, which take
// the test's own orders.
func NewStreet(t testing.TB, site Site, users []AAAUser) *Street {
	t.Helper()
	bras, lines, net := NewNetns(t, "bras"), NewNetns(t, "lines"), NewNetns(t, "net")
	layCables(t, bras, lines, net)
	s := &Street{
		Site:    site,
		Foreign: StartMailhost(t, net, foreignMail, smtp, smtps, submission),
		Own:     StartMailhost(t, net, ownMail, smtp, submission),
		AAA:     StartFreeRADIUS(t, bras, newAAAConfig(users)),
		Sekisho: NewSekisho(t, bras, site),
	}
	s.BRAS = StartBRAS(t, bras, BRASConfig{
		Access: "access", Uplink: "uplink", NASIP: brasIP, Gateway: gatewayIP, Pool: poolRange,
		Radius: "127.0.0.1", RadiusPort: sekishoAuthPort, Secret: nasSecret, DAEPort: daePort, Interim: 5, ACL: lineACL(t),
	})
	s.Guest = StartGuest(t, lines, "line")
	return s
}

// layCables connects the namespaces and gives them addresses and routes.
func layCables(t testing.TB, bras, lines, net *Netns) {
	t.Helper()
	Veth(t, bras, "access", lines, "line")
	Veth(t, bras, "uplink", net, "mail")
	bras.IP(t, "addr", "add", brasIP+"/32", "dev", "lo")
	bras.IP(t, "addr", "add", uplinkIP+"/24", "dev", "uplink")
	net.IP(t, "addr", "add", foreignMail+"/24", "dev", "mail")
	net.IP(t, "addr", "add", ownMail+"/24", "dev", "mail")
	net.IP(t, "route", "add", "203.0.113.0/24", "via", uplinkIP)
	bras.Sysctl(t, "net/ipv4/ip_forward", "1")
	for _, scope := range []string{"all", "default"} {
		bras.Sysctl(t, "net/ipv4/conf/"+scope+"/rp_filter", "0")
	}
}

// A LineCase is a subscriber on a real line and what the line must be able to do.
type LineCase struct {
	Subscriber
	Blocked bool       // port 25 to foreign servers
	Fixed   netip.Addr // the address that the AAA server gives, if it gives one
	Options []string   // pppd's
}

// openTimeout and blockedTimeout are how long a connection may take that must come
// about, and how long one is tried that must not: l2tpns drops without a word.
const (
	openTimeout    = 20 * time.Second
	blockedTimeout = 4 * time.Second
)

// Prove connects all lines at once, tries their ports and lets the router cut them.
func (s *Street) Prove(t *testing.T, cases []LineCase) {
	t.Helper()
	for line, c := range cases {
		s.Guest.Dial(t, line, c.Login(), c.Password(), c.Options...)
	}
	addresses := make([]netip.Addr, len(cases))
	for line, c := range cases {
		addresses[line] = s.Guest.Online(t, line)
		if c.Fixed.IsValid() && addresses[line] != c.Fixed {
			t.Errorf("%v has the address %v, the AAA server gave %v", c.Subscriber, addresses[line], c.Fixed)
		}
	}
	dropped := s.BRAS.RuleHits(t, filter, denyRule)
	s.proveCalls(t, cases, addresses)
	s.proveDrops(t, cases, s.BRAS.RuleHits(t, filter, denyRule)-dropped)
	for line, c := range cases {
		s.BRAS.Disconnect(t, c.Login())
		s.Guest.WaitGone(t, line)
	}
}

// proveCalls tries every port from every line at once.
func (s *Street) proveCalls(t *testing.T, cases []LineCase, addresses []netip.Addr) {
	t.Helper()
	var calls []Call
	var want []string
	for line, c := range cases {
		for _, try := range s.tries(c) {
			greeting := try.host.greeting(try.port, addresses[line])
			timeout := openTimeout
			if try.blocked {
				greeting, timeout = "", blockedTimeout
			}
			calls = append(calls, Call{Line: line, To: netip.AddrPortFrom(try.host.Address, try.port), Timeout: timeout})
			want = append(want, greeting)
		}
	}
	for i, said := range s.Guest.Calls(t, calls) {
		if said != want[i] {
			t.Errorf("%v calls %v: want %q, got %q", cases[calls[i].Line].Subscriber, calls[i].To, want[i], said)
		}
	}
}

// A try is a port of a mail host and whether a line must not reach it.
type try struct {
	host    *Mailhost
	port    uint16
	blocked bool
}

// tries are the ports that matter to a subscriber.
func (s *Street) tries(c LineCase) []try {
	return []try{
		{s.Foreign, smtp, c.Blocked},
		{s.Foreign, smtps, false},
		{s.Foreign, submission, false},
		{s.Own, smtp, false},
		{s.Own, submission, false},
	}
}

// proveDrops wants the access list to have dropped something for the blocked lines,
// and nothing when there are none: silence alone could be a broken line.
func (s *Street) proveDrops(t *testing.T, cases []LineCase, dropped int) {
	t.Helper()
	blocked := 0
	for _, c := range cases {
		if c.Blocked {
			blocked++
		}
	}
	if dropped < blocked || (blocked == 0 && dropped > 0) {
		t.Errorf("%d lines are blocked and %q dropped %d packets\n%s", blocked, denyRule, dropped, s.BRAS.CLI(t, "show access-list "+filter))
	}
}

// lineUsers are the AAA server's entries for lines.
func lineUsers(cases []LineCase) []AAAUser {
	users := make([]AAAUser, 0, len(cases))
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.Login()] {
			continue
		}
		seen[c.Login()] = true
		user := AAAUser{Name: c.Login(), Password: c.Password(), Reply: []string{"Service-Type = Framed-User", "Framed-Protocol = PPP"}}
		if c.Fixed.IsValid() {
			user.Reply = append(user.Reply, fmt.Sprintf("Framed-IP-Address = %v", c.Fixed))
		}
		users = append(users, user)
	}
	return users
}

// lineContracts are the contracts of lines.
func lineContracts(cases []LineCase) []Contract {
	subscribers := make([]Subscriber, len(cases))
	for i, c := range cases {
		subscribers[i] = c.Subscriber
	}
	return contracts(subscribers)
}
