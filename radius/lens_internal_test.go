package radius

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/engine"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The tests here hold that what was kept of a packet reads like the packet
// itself, of which nothing was left out.

// readLogin reads an Accept as it goes by.
func readLogin(g *Glimpse) *Login {
	l := &Login{Decision: g.decision, Exempt: exemptions[g.outcome]}
	readSighting(g, &l.Sighting)
	switch g.outcome {
	case injected, injectionNothing, injectionReplaced, injectionBeside:
		l.Told = g.decision.Action
	case injectionFailed:
		l.Told = g.t.nas.Profile.Fail
	}
	if l.Told != "" {
		said, _ := g.t.nas.Profile.Login(l.Told)
		l.Words = said.Words
	}
	l.Asked, l.Name = l.UserName, string(userName(g.t.request, g.accept))
	l.Login = g.t.snapshot.policy.ReadLogin(l.Name)
	if name := g.accept.find(typeUserName); len(name) > 0 {
		l.UserName = string(name)
	}
	l.Sighting.addresses(g.accept)
	l.Class = values(g.accept, typeClass)
	l.Interim = seconds(g.accept, typeAcctInterimInterval)
	service, _ := number(g.t.request, typeServiceType)
	l.Again = service == authorizeOnly
	return l
}

// readRecord reads an Accounting-Request as it goes by.
func readRecord(g *Glimpse) *Record {
	r, p := &Record{}, g.t.request
	readSighting(g, &r.Sighting)
	r.Name, r.Login, r.Class = r.UserName, g.t.snapshot.policy.ReadLogin(r.UserName), values(p, typeClass)
	status, _ := number(p, typeAcctStatusType)
	r.Status, r.Delay, r.Lasted = Status(status), seconds(p, typeAcctDelayTime), seconds(p, typeAcctSessionTime)
	r.Cause, _ = number(p, typeAcctTerminateCause)
	if at, ok := number(p, typeEventTimestamp); ok {
		r.Event = time.Unix(int64(at), 0)
	}
	r.Admin, _ = adminService(p)
	r.Echoed = g.t.nas.lens.echoed(p)
	return r
}

func readSighting(g *Glimpse, s *Sighting) {
	t := g.t
	*s = Sighting{
		NAS: t.nas.Name, Box: string(t.appendBox(nil)), Area: t.nas.Area, At: g.at,
		Session: string(t.request.find(typeAcctSessionID)), UserName: string(t.request.find(typeUserName)),
		Request: t.snapshot.requestFacts(nil, t.request),
	}
	look := insertion{formats: t.snapshot.dict}
	for _, attr := range t.request.attributes() {
		for k, value := range look.parts(attr) {
			if len(value) > 0 && (k.Vendor == 0 && identifying[byte(k.Number)] || t.nas.names(k)) {
				s.Identity = append(s.Identity, Attribute{k, string(value)})
			}
		}
	}
	s.addresses(t.request)
}

func values(p packet, typ byte) (all []string) {
	for _, attr := range p.attributes() {
		if attr[0] == typ {
			all = append(all, string(attr[2:]))
		}
	}
	return all
}

// oddSite has routers of every kind, whose profile names sessions by a
// vendor's attribute and says its action by CHAP-Challenge, under a policy that asks about Proxy-State.
func oddSite(b *bench) *snapshot {
	b.Helper()
	policy, faults := engine.Compile(engine.Spec{
		Name: "odd", Logins: []engine.LoginSpec{{Match: "{account}@{realm}", Form: "plain"}},
		Courses: []engine.Course{{ID: "adsl", Name: "ADSL"}},
		Actions: []engine.Action{{Name: "open"}, {Name: "block", Filter: "op25b"}},
		Rules: []engine.RuleSpec{
			{Name: "asks", When: engine.Condition{Request: []engine.Wanted{{Name: "NAS-Port-Type", Values: []string{"ISDN"}}}}, Then: "open"},
			{Name: "odd", When: engine.Condition{Request: []engine.Wanted{{Name: "Proxy-State", Values: []string{"0x00"}}}}, Then: "block"},
		},
		Otherwise: "open", UnknownContract: "block",
	})
	if policy == nil {
		b.Fatal(faults)
	}
	spec := dict.ProfileSpec{
		Filtered: dict.Sayings{"Filter-Id": {"{filter}"}, "Cisco-AVPair": {"ip:inacl={filter}"}, "CHAP-Challenge": {"{filter}"}},
		Conflict: dict.Replace, CoA: dict.CoASpec{Identify: []string{"Alc-Subsc-ID-Str"}},
	}
	odd, errs := dict.CompileProfile(dict.Standard(), "odd", spec, []dict.Action{{Name: "open"}, {Name: "block", Filter: "op25b"}})
	if errs != nil {
		b.Fatal(errs)
	}
	odd.Fail = "block"
	nas := func(i int, source string, n NAS) NAS {
		n.Name, n.Area, n.Source, n.Secret = fmt.Sprintf("bras%d", i), "tokyo", netip.MustParsePrefix(source), b.nas
		return n
	}
	return b.compile((&Config{Policy: policy, Dictionary: dict.Standard(), NAS: []NAS{
		nas(0, "192.0.2.1/32", NAS{Profile: odd}),
		nas(1, "192.0.2.0/28", NAS{Profile: pairProfile(b, dict.Keep)}),
		nas(2, "192.0.2.2/32", NAS{Profile: odd, Identifier: "box"}),
		nas(3, "2001:db8::/64", NAS{}),
	}}).withDefaults())
}

// random makes packets and what becomes of them.
type random struct {
	*rand.Rand
	site *snapshot
}

func (r random) octets(n int) []byte {
	all := make([]byte, n)
	for i := range all {
		all[i] = byte(r.Uint32())
	}
	return all
}

// telling are the types that random packets are mostly made of.
var telling = []byte{
	typeUserName, typeUserName, typeAcctSessionID, typeNASIPAddress, typeNASIPv6Address, typeNASIdentifier, typeNASPort, typeNASPortID, typeServiceType,
	typeFramedIPAddress, typeFramedIPv6Address, typeFramedIPv6Prefix, typeDelegatedIPv6Prefix, typeFramedInterfaceID, typeClass, typeVendorSpecific,
	typeCallingStationID, typeAcctStatusType, typeAcctDelayTime, typeAcctSessionTime, typeEventTimestamp, typeAcctInterimInterval,
	typeState, typeProxyState, typeCHAPChallenge, typeCHAPPassword, typeUserPassword, typeEAPMessage, 11, 61,
}

func (r random) packet(code byte) packet {
	p := make(packet, headerLen)
	p[0] = code
	for range r.IntN(20) {
		typ := telling[r.IntN(len(telling))]
		if r.IntN(8) == 0 {
			typ = 1 + byte(r.IntN(255))
		}
		value := r.octets([]int{0, 1, 4, 4, 4, 8, 10, 16, 16, 18, 20, 127, 128, 245}[r.IntN(14)])
		switch {
		case typ == typeServiceType && len(value) == 4:
			copy(value, "\x00\x00\x00\x11")
		case typ == typeUserName && r.IntN(2) == 0:
			value = fmt.Appendf(nil, "u%d@atson.net", r.IntN(9))
		case typ == typeVendorSpecific && r.IntN(4) > 0:
			value = append([]byte("\x00\x00\x19\x7f"), append([]byte{byte(11 + r.IntN(2)), byte(2 + len(value))}, value...)...)
		case typ == 11 || typ == typeCHAPChallenge:
			value = []byte("op25b")
		}
		p = append(append(p, typ, byte(2+len(value))), value...)
	}
	return p
}

func (r random) glimpse(code byte) Glimpse {
	from := netip.MustParseAddr([]string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"}[r.IntN(4)])
	t := &transaction{snapshot: r.site, nas: r.site.nases.source(from).entries[0], client: netip.AddrPortFrom(from, 1), request: r.packet(code)}
	g := Glimpse{t: t, at: time.Unix(r.Int64N(1<<31), r.Int64N(1e9))}
	if code == accountingRequest {
		return g
	}
	g.accept = r.packet(accessAccept)
	g.outcome = injection(r.IntN(int(injections)))
	if t.nas.Profile == nil {
		g.outcome = injectionNoPolicy
	}
	if g.outcome != injectionFailed && g.outcome != injectionNoPolicy {
		g.decision = engine.Decision{Action: []string{"open", "block"}[r.IntN(2)], Rule: "odd", Override: []string{"", "o1"}[r.IntN(2)]}
		if r.IntN(2) == 0 {
			g.decision.Until = time.Unix(r.Int64N(1<<31)+1, 0)
		}
	}
	return g
}

func TestWhatWasKeptReadsLikeThePacket(t *testing.T) {
	t.Parallel()
	r := random{rand.New(rand.NewPCG(1, 2)), oddSite(newBench(t))}
	same := cmp.Options{cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}), cmpopts.EquateEmpty()}
	var login Login // its room is used again
	var record Record
	for range 5_000 {
		g := r.glimpse(accessRequest)
		kept := g.Keep([]byte("what was kept before"))[len("what was kept before"):]
		g.Lens().Login(kept, &login)
		if diff := cmp.Diff(readLogin(&g), &login, same); diff != "" {
			t.Fatalf("request %x, Accept %x: %s", g.t.request, g.accept, diff)
		}
		n := g.Lens().Names(kept)
		names := [...]string{n.NAS, string(n.Box), string(n.Session), string(n.Asked), string(n.UserName), string(n.Name), fmt.Sprint(n.At, n.Again)}
		want := [...]string{login.NAS, login.Box, login.Session, login.Asked, login.UserName, login.Name, fmt.Sprint(login.At.UnixNano(), login.Again)}
		if names != want {
			t.Fatalf("request %x, Accept %x: names %q, want %q", g.t.request, g.accept, names, want)
		}
		g = r.glimpse(accountingRequest)
		g.Lens().Record(g.Keep(nil), &record)
		if diff := cmp.Diff(readRecord(&g), &record, same); diff != "" {
			t.Fatalf("record %x: %s", g.t.request, diff)
		}
	}
}

// TestNothingSecretIsKept holds that what proves who asks goes by.
func TestNothingSecretIsKept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	request := assemble(accessRequest, unhex(t, "010e7531406174736f6e2e6e65740212"+"41414141414141414141414141414141"+"0313"+"4242424242424242424242424242424242"+"2c043132"), zeroAuthenticator[:], b.nas)
	s := b.current.Load()
	tr := &transaction{snapshot: s, nas: s.nases.source(netip.MustParseAddr("127.0.0.1")).entries[0], request: request}
	g := Glimpse{t: tr, accept: assemble(accessAccept, unhex(t, "0b0443434606434343432d044444"), zeroAuthenticator[:], b.aaa)}
	kept := g.Keep(nil)
	if !slices.Contains(kept, '@') || slices.ContainsFunc(kept, func(c byte) bool { return 'A' <= c && c <= 'D' }) {
		t.Errorf("kept %q", kept)
	}
}
