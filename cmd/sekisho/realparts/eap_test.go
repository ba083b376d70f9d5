//go:build realparts

package realparts

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sekisho/radius/radiustest"
)

// Customers with and without a stage in force, and a name for outside the tunnel.
var (
	blockedCustomer = Subscriber{Account: "uf100at004c", Course: "TEPCOひかりホーム"}
	openCustomer    = Subscriber{Account: "uf100at008c", Course: "Bフレッツベーシック"}
)

const anonymous = "anonymous@atson.net"

// eapMethods are the methods that access networks use.
var eapMethods = []Supplicant{
	{Method: "MD5"},
	{Method: "MSCHAPV2"},
	{Method: "PEAP", Inner: "auth=MSCHAPV2", Outer: anonymous, Keys: true},
	{Method: "TTLS", Inner: "auth=PAP", Outer: anonymous, Keys: true},
	{Method: "TTLS", Inner: "auth=MSCHAPV2", Outer: anonymous, Keys: true},
}

// as is the method with a customer's name and password.
func (s Supplicant) as(who Subscriber, room *Room) Supplicant {
	s.User, s.Password, s.CA = who.Login(), who.Password(), room.AAA.config.EAP.CA
	return s
}

func (s Supplicant) String() string {
	return strings.Trim(fmt.Sprintf("%s %s", s.Method, s.Inner), " ")
}

// eapRoom is a room whose AAA server speaks EAP and whose daemon runs.
func eapRoom(t *testing.T) (*Room, NAS) {
	t.Helper()
	customers := []Subscriber{blockedCustomer, openCustomer}
	n := NewNetns(t, "room")
	room := &Room{Netns: n, Wire: TapLoopback(t, n), Site: newSite("asahi-net", tokyo)}
	config := newAAAConfig(aaaUsers(customers))
	config.EAP = NewTLSFiles(t)
	room.AAA = StartFreeRADIUS(t, n, config)
	room.Sekisho = NewSekisho(t, n, room.Site)
	room.Sekisho.Serve(t, afterStage2)
	room.Sekisho.Import(t, contracts(customers)...)
	return room, room.RADClient("192.0.2.1")
}

// TestEAP: every method succeeds through sekisho, the Filter-Id is in the Accept
// exactly when the policy says so about the name inside the tunnel, and the keys
// that the NAS reads in the Accept are the user's.
func TestEAP(t *testing.T) {
	Need(t, eapParts()...)
	room, nas := eapRoom(t)
	for _, method := range eapMethods {
		for _, c := range []struct {
			who  Subscriber
			want []string
		}{{blockedCustomer, []string{filter}}, {openCustomer, nil}} {
			what := method.String() + " of " + c.who.Login()
			expectEAPSuccess(t, what, nas.EAP(t, method.as(c.who, room)), method.Keys)
			expectFilters(t, what, lastAnswer(t, room.Wire), codeAccessAccept, c.want)
		}
	}
	expectEAPOnTheWire(t, room.Wire)
	keepSeeds(t, "eap", room.Wire)
}

// expectEAPSuccess wants a login to have succeeded, with keys where there are some.
func expectEAPSuccess(t *testing.T, what string, r EAPResult, keys bool) {
	t.Helper()
	if r.Status != 0 || !strings.HasSuffix(strings.TrimSpace(r.Output), "SUCCESS") || keys && !r.KeysMatch() {
		t.Errorf("%s: want success, and matching keys if there are any; eapol_test ended with %d:\n%s", what, r.Status, tail(r.Output))
	}
}

// expectFilters wants a packet of that code with these Filter-Ids.
func expectFilters(t *testing.T, what string, p WirePacket, code byte, want []string) {
	t.Helper()
	var got []string
	for _, value := range p.Values(radiustest.FilterID) {
		got = append(got, string(value))
	}
	if p.Code() != code || !slices.Equal(got, want) {
		t.Errorf("%s: want code %d with Filter-Ids %q, got %q in %v", what, code, want, got, p)
	}
}

// lastAnswer is what the NAS got last.
func lastAnswer(t *testing.T, wire *Wire) WirePacket {
	t.Helper()
	wire.Settle(t)
	answers := wire.filter(func(p WirePacket) bool { return p.From.Port() == sekishoAuthPort })
	if len(answers) == 0 {
		t.Fatal("the NAS got no answer")
	}
	return answers[len(answers)-1]
}

// tail is the end of a long output.
func tail(output string) string {
	const enough = 1500
	return output[max(0, len(output)-enough):]
}

// expectEAPOnTheWire looks at the rounds of all logins: EAP-Message and State pass
// octet for octet both ways, and every packet has a right Message-Authenticator.
func expectEAPOnTheWire(t *testing.T, wire *Wire) {
	t.Helper()
	fromNAS := wire.To(sekishoAuthPort, codeAccessRequest)
	toAAA := wire.To(aaaAuthPort, codeAccessRequest)
	if len(fromNAS) != len(toAAA) {
		t.Fatalf("%d requests of the NAS became %d to the AAA server", len(fromNAS), len(toAAA))
	}
	fragments := 0
	for i, in := range fromNAS {
		fragments = max(fragments, len(in.Values(radiustest.EAPMessage)))
		expectRound(t, in, toAAA[i])
		expectMA(t, toAAA[i], toAAA[i].Raw[4:20], aaaSecret)
	}
	answers := func(port uint16) []WirePacket {
		return wire.filter(func(p WirePacket) bool { return p.From.Port() == port && p.Code() != codeAccessRequest })
	}
	fromAAA, toNAS := answers(aaaAuthPort), answers(sekishoAuthPort)
	if len(fromAAA) != len(fromNAS) || len(toNAS) != len(fromNAS) {
		t.Fatalf("%d requests, %d answers of the AAA server, %d to the NAS", len(fromNAS), len(fromAAA), len(toNAS))
	}
	for i, out := range toNAS {
		fragments = max(fragments, len(out.Values(radiustest.EAPMessage)))
		expectRound(t, fromAAA[i], out)
		expectMA(t, out, fromNAS[i].Raw[4:20], nasSecret)
		expectAuthenticatorFirst(t, out)
	}
	if fragments < 4 {
		t.Errorf("no EAP message filled more than %d attributes, the test proves little", fragments)
	}
}

// expectRound wants EAP-Message and State in one packet as in the other.
func expectRound(t *testing.T, in, out WirePacket) {
	t.Helper()
	for _, typ := range []byte{radiustest.EAPMessage, radiustest.State} {
		if got, want := out.Values(typ), in.Values(typ); !slices.EqualFunc(got, want, slices.Equal[[]byte]) {
			t.Errorf("attribute %d: %x became %x", typ, want, got)
		}
	}
}

// expectMA wants a right Message-Authenticator.
func expectMA(t *testing.T, p WirePacket, authenticator []byte, secret string) {
	t.Helper()
	if !radiustest.CheckMA(p.Raw, authenticator, []byte(secret)) {
		t.Errorf("no right Message-Authenticator in %v: %x", p, p.Raw)
	}
}

// TestEAPOuterIdentityOnly: where the AAA server keeps the name inside the tunnel to
// itself, the policy knows the outer identity only, which has no contract.
func TestEAPOuterIdentityOnly(t *testing.T) {
	Need(t, eapParts()...)
	room, nas := eapRoom(t)
	room.Sekisho.Import(t, append(contracts([]Subscriber{blockedCustomer}), Contract{Account: "discreet", Course: openCustomer.Course})...)
	method := eapMethods[3].as(blockedCustomer, room)
	method.Outer = "discreet@atson.net"
	expectEAPSuccess(t, "TTLS under a discreet name", nas.EAP(t, method), true)
	expectFilters(t, "TTLS under a discreet name", lastAnswer(t, room.Wire), codeAccessAccept, nil)
}

// TestEAPWrongPassword: the AAA server's Reject reaches the NAS as it is.
func TestEAPWrongPassword(t *testing.T) {
	Need(t, eapParts()...)
	room, nas := eapRoom(t)
	for _, method := range eapMethods {
		s := method.as(blockedCustomer, room)
		s.Password = "wrong"
		if r := nas.EAP(t, s); r.Status == 0 {
			t.Errorf("%s with a wrong password succeeded:\n%s", method, tail(r.Output))
		}
		out := lastAnswer(t, room.Wire)
		rejects := room.Wire.From(aaaAuthPort, codeAccessReject)
		if len(rejects) == 0 {
			t.Fatalf("%s: the AAA server sent no Reject", method)
		}
		expectFilters(t, method.String(), out, codeAccessReject, nil)
		expectSameBody(t, method.String(), rejects[len(rejects)-1], out)
	}
}

// expectSameBody wants an answer of the AAA server to have reached the NAS with the
// same attributes, but those of one hop.
func expectSameBody(t *testing.T, what string, in, out WirePacket) {
	t.Helper()
	if got, want := body(t, out), body(t, in); !slices.Equal(got, want) {
		t.Errorf("%s: %q became %q", what, want, got)
	}
}

// body lists the attributes of a packet but those of one hop, in hex.
func body(t *testing.T, p WirePacket) []string {
	t.Helper()
	packet, err := radiustest.Decode(p.Raw)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, a := range packet.Attributes {
		if a.Type != radiustest.MessageAuthenticator && a.Type != radiustest.ProxyState {
			list = append(list, fmt.Sprintf("%d %x", a.Type, a.Value))
		}
	}
	return list
}
