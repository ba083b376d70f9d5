//go:build realparts

package realparts

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sekisho/radius/radiustest"
)

// Ports and secret of somebody else's proxy.
const (
	proxyAuthPort, proxyAcctPort = 2812, 2813
	proxySecret                  = "secret-of-the-other-proxy"
)

// A hop is one link of a chain of proxies, named by the server at its end.
type hop struct {
	name       string
	auth, acct uint16
	secret     string
	signs      bool // the server puts a Message-Authenticator into its answers
	adds       int  // Proxy-States that the client at the hop's start adds
}

// A chain is a NAS, proxies and an AAA server in a row.
type chain struct {
	name  string
	other func(testing.TB, *Netns, ProxyConfig) *Process // the proxy that is not ours
	after bool                                           // it stands behind sekisho
	adds  int                                            // Proxy-States that it adds
}

var chains = []chain{
	{"radsecproxy before us", StartRadsecproxy, false, 0},
	{"radsecproxy behind us", StartRadsecproxy, true, 0},
	{"FreeRADIUS before us", StartFreeRADIUSProxy, false, 1},
	{"FreeRADIUS behind us", StartFreeRADIUSProxy, true, 1},
}

// TestChains: other proxies before and behind sekisho. On every hop the answer has
// exactly the Proxy-States of its request, octet for octet and in order, and right
// authenticators; the filter reaches the NAS.
func TestChains(t *testing.T) {
	Need(t, append(wireParts(), Program("radsecproxy", "radsecproxy"))...)
	for _, c := range chains {
		t.Run(c.name, c.test)
	}
}

func (c chain) test(t *testing.T) {
	room, nas, hops := c.build(t)
	s := blockedCustomer
	for _, states := range [][]string{nil, {"0x00"}, {"0x0102030405", "0xfeed", "0xfeed", "0x" + fmt.Sprintf("%0506d", 7)}} {
		var more []string
		for _, state := range states {
			more = append(more, "Proxy-State = "+state)
		}
		for what, r := range map[string]Reply{
			"PAP":  nas.PAP(t, s.Login(), s.Password(), more...),
			"CHAP": nas.CHAP(t, s.Login(), s.Password(), more...),
		} {
			expectAccept(t, what, r, filter)
			if got := r.All("Proxy-State"); !slices.Equal(got, states) {
				t.Errorf("%s: Proxy-States at the NAS: want %q, got %q", what, states, got)
			}
		}
		if r := nas.PAP(t, s.Login(), "wrong", more...); r.Code != "Access-Reject" || r.Has("Filter-Id") || !slices.Equal(r.All("Proxy-State"), states) {
			t.Errorf("wrong password: want a Reject with Proxy-States %q, got\n%s", states, r)
		}
		r := nas.Acct(t, append(more, "Acct-Status-Type = Start", `Acct-Session-Id = "1"`, fmt.Sprintf("User-Name = %q", s.Login()))...)
		if r.Code != "Accounting-Response" || !slices.Equal(r.All("Proxy-State"), states) {
			t.Errorf("accounting: want Accounting-Response with Proxy-States %q, got\n%s", states, r)
		}
	}
	room.Wire.Settle(t)
	expectHops(t, room.Wire, hops)
	if !c.after {
		keepSeeds(t, "behind-"+strings.ToLower(strings.Fields(c.name)[0]), room.Wire)
	}
}

// build starts everything from the AAA server forward to the NAS.
func (c chain) build(t *testing.T) (*Room, NAS, []hop) {
	n := NewNetns(t, "room")
	room := &Room{Netns: n, Wire: TapLoopback(t, n), Site: newSite("asahi-net", tokyo)}
	room.AAA = StartFreeRADIUS(t, n, newAAAConfig(aaaUsers([]Subscriber{blockedCustomer})))
	aaa := hop{"FreeRADIUS", aaaAuthPort, aaaAcctPort, aaaSecret, false, 0}
	ours := hop{"sekisho", sekishoAuthPort, sekishoAcctPort, nasSecret, true, 0}
	other := hop{"other", proxyAuthPort, proxyAcctPort, proxySecret, false, 0}
	config := ProxyConfig{AuthPort: proxyAuthPort, AcctPort: proxyAcctPort, Secret: proxySecret}
	nas := room.RADClient("192.0.2.1")
	var hops []hop
	if c.after {
		config.HomeAuthPort, config.HomeAcctPort, config.HomeSecret = aaaAuthPort, aaaAcctPort, aaaSecret
		home := &room.Site.AAA[0]
		home.AuthPort, home.AcctPort, home.Secret = proxyAuthPort, proxyAcctPort, proxySecret
		other.adds, aaa.adds = 1, c.adds
		hops = []hop{ours, other, aaa}
	} else {
		config.HomeAuthPort, config.HomeAcctPort, config.HomeSecret = sekishoAuthPort, sekishoAcctPort, nasSecret
		nas.AuthPort, nas.AcctPort, nas.Secret = proxyAuthPort, proxyAcctPort, proxySecret
		ours.adds, aaa.adds = c.adds, 1
		hops = []hop{other, ours, aaa}
	}
	c.other(t, n, config)
	room.Sekisho = NewSekisho(t, n, room.Site)
	room.Sekisho.Serve(t, afterStage2)
	room.Sekisho.Import(t, contracts([]Subscriber{blockedCustomer})...)
	return room, nas, hops
}

// expectHops looks at every exchange on every hop.
func expectHops(t *testing.T, wire *Wire, hops []hop) {
	t.Helper()
	var before []exchanged
	for i, h := range hops {
		here := h.exchanges(t, wire)
		if i > 0 && len(here) != len(before) {
			t.Fatalf("%d exchanges with %s became %d with %s", len(before), hops[i-1].name, len(here), h.name)
		}
		for j, e := range here {
			e.expect(t, h)
			if i > 0 {
				expectCarried(t, before[j], e, h)
			}
		}
		before = here
	}
	if len(before) != 12 {
		t.Errorf("want 12 exchanges on every hop, got %d", len(before))
	}
}

// An exchanged pair is a request and its answer.
type exchanged struct{ request, answer WirePacket }

// exchanges pairs what went to the hop's server with what came from it.
func (h hop) exchanges(t *testing.T, wire *Wire) []exchanged {
	t.Helper()
	requests := wire.filter(func(p WirePacket) bool { return p.To.Port() == h.auth || p.To.Port() == h.acct })
	answers := wire.filter(func(p WirePacket) bool { return p.From.Port() == h.auth || p.From.Port() == h.acct })
	if len(requests) != len(answers) {
		t.Fatalf("%d requests to %s, %d answers", len(requests), h.name, len(answers))
	}
	list := make([]exchanged, len(requests))
	for i := range requests {
		list[i] = exchanged{requests[i], answers[i]}
	}
	return list
}

// expect wants an exchange to be right by itself.
func (e exchanged) expect(t *testing.T, h hop) {
	t.Helper()
	secret, authenticator := []byte(h.secret), e.request.Raw[4:20]
	if e.request.Code() == codeAcctRequest && !radiustest.CheckSign(e.request.Raw, make([]byte, 16), secret) {
		t.Errorf("wrong Request Authenticator to %s: %v", h.name, e.request)
	}
	if e.request.Code() == codeAccessRequest && e.request.Has(attrMessageAuthenticator) {
		expectMA(t, e.request, authenticator, h.secret)
	}
	if !radiustest.CheckSign(e.answer.Raw, authenticator, secret) {
		t.Errorf("wrong Response Authenticator from %s: %v", h.name, e.answer)
	}
	if h.signs && e.request.Code() == codeAccessRequest || e.answer.Has(attrMessageAuthenticator) {
		expectMA(t, e.answer, authenticator, h.secret)
	}
	if got, want := e.answer.Values(attrProxyState), e.request.Values(attrProxyState); !sameOctets(got, want) {
		t.Errorf("%s was sent Proxy-States %x and sent back %x", h.name, want, got)
	}
}

// expectCarried wants a request to hold on this hop the Proxy-States that it held on
// the one before, and behind them those that the proxy between adds.
func expectCarried(t *testing.T, before, here exchanged, h hop) {
	t.Helper()
	want, got := before.request.Values(attrProxyState), here.request.Values(attrProxyState)
	if len(got) != len(want)+h.adds || !sameOctets(got[:len(want)], want) {
		t.Errorf("Proxy-States to %s: want %x and %d more, got %x", h.name, want, h.adds, got)
	}
	if here.request.Code() == codeAccessRequest && bytes.Equal(here.request.Raw[4:20], before.request.Raw[4:20]) {
		t.Errorf("the Request Authenticator to %s is that of the hop before", h.name)
	}
}

func sameOctets(a, b [][]byte) bool { return slices.EqualFunc(a, b, slices.Equal[[]byte]) }
