//go:build realparts

package realparts

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"sekisho/radius/radiustest"
)

// answerDeadline is how long a NAS of these tests waits for an answer.
const answerDeadline = 5 * time.Second

// exchange sends a request once and wants an answer that is right in every way.
func exchange(t testing.TB, nas *radiustest.NAS, request []byte) *radiustest.Packet {
	t.Helper()
	answer, err := nas.Exchange(request, answerDeadline)
	if err != nil {
		t.Fatalf("no right answer to %x: %v", request, err)
	}
	return answer
}

// TestMSCHAPVectors: the user's side in these tests is that of RFC 2759 section 9.2
// and RFC 3079 section 3.5.3.
func TestMSCHAPVectors(t *testing.T) {
	login := msCHAP2{
		user: "User", password: "clientPass",
		challenge: unhex(t, "5b5d7c7d7b3f2f3e3c2c602132262628"),
		peer:      unhex(t, "21402324255e262a28295f2b3a337c7e"),
	}
	expectHex(t, "NT hash", ntHash("clientPass"), "44ebba8d5312b8d611474411f56989ae")
	expectHex(t, "NT-Response", login.response(), "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df")
	if got, want := login.success(), "S=407A5589115FD0D6209F510FE9C04566932CDA56"; got != want {
		t.Errorf("success: want %s, got %s", want, got)
	}
	send, _ := login.keys()
	expectHex(t, "send key", send, "8b7cdc149b993a1ba118cb153f56dccb")
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func expectHex(t testing.TB, what string, got []byte, want string) {
	t.Helper()
	if hex.EncodeToString(got) != want {
		t.Errorf("%s: want %s, got %x", what, want, got)
	}
}

// TestMSCHAP2: a login with the attributes of RFC 2548; the Accept proves that the
// server knows the password, and both keys are readable at the NAS and right.
func TestMSCHAP2(t *testing.T) {
	Need(t, wireParts()...)
	room, _, s := roomWithBlockedLine(t)
	nas := GoNAS(t, room.Netns, sekishoAuthPort, nasSecret)
	login := msCHAP2{
		user: s.Login(), password: s.Password(),
		challenge: []byte("challenge-of-nas"), peer: []byte("challenge-of-ppp"),
	}
	answer := exchange(t, nas, login.request(nas))
	if answer.Code != codeAccessAccept || answer.Value(radiustest.FilterID) != filter {
		t.Fatalf("want an Accept with Filter-Id %q, got %+v", filter, answer)
	}
	plain := keying{nasSecret, answeredAuthenticator(t, room.Wire)}.revealed(answer.Attributes)
	if got, want := vendorValue(plain, number{vendorMicrosoft, 26}), "\x07"+login.success(); string(got) != want {
		t.Errorf("MS-CHAP2-Success: want %q, got %q", want, got)
	}
	send, recv := login.keys()
	expectKey(t, "MS-MPPE-Send-Key", vendorValue(plain, number{vendorMicrosoft, 16}), send)
	expectKey(t, "MS-MPPE-Recv-Key", vendorValue(plain, number{vendorMicrosoft, 17}), recv)

	login.password = "wrong"
	if answer := exchange(t, nas, login.request(nas)); answer.Code != codeAccessReject || answer.Value(radiustest.FilterID) != "" {
		t.Errorf("want a bare Reject for a wrong password, got %+v", answer)
	}
	expectLastReject(t, room)
	keepSeeds(t, "mschap2", room.Wire)
}

// request is the login as a NAS sends it.
func (m msCHAP2) request(nas *radiustest.NAS) []byte {
	const ident = "\x07"
	response := ident + "\x00" + string(m.peer) + "\x00\x00\x00\x00\x00\x00\x00\x00" + string(m.response())
	return nas.Request(codeAccessRequest, radiustest.Attr(radiustest.UserName, m.user), tokyoNAS,
		radiustest.Vendor(vendorMicrosoft, 11, string(m.challenge)), radiustest.Vendor(vendorMicrosoft, 25, response))
}

// answeredAuthenticator is the Request Authenticator of the NAS's last request.
func answeredAuthenticator(t testing.TB, wire *Wire) []byte {
	t.Helper()
	wire.Settle(t)
	requests := wire.To(sekishoAuthPort, codeAccessRequest)
	return requests[len(requests)-1].Raw[4:20]
}

// vendorValue finds the first value of a vendor's attribute.
func vendorValue(attributes []radiustest.Attribute, which number) []byte {
	for _, a := range attributes {
		subs, _ := vendorSubs(a.Value)
		for _, sub := range subs {
			if a.Type == radiustest.VendorSpecific && bytes.Equal(a.Value[:4], radiustest.Number(0, which.vendor).Value) && sub.Type == which.typ {
				return sub.Value
			}
		}
	}
	return nil
}

// expectKey wants a key behind its length, and nothing but padding after it.
func expectKey(t testing.TB, name string, got, want []byte) {
	t.Helper()
	if len(got) < 1+len(want) || int(got[0]) != len(want) || !bytes.Equal(got[1:1+len(want)], want) {
		t.Errorf("%s: want %x, got %x", name, want, got)
	}
}

// expectLastReject wants the AAA server's last Reject untouched at the NAS.
func expectLastReject(t *testing.T, room *Room) {
	t.Helper()
	out := lastAnswer(t, room.Wire)
	rejects := room.Wire.From(aaaAuthPort, codeAccessReject)
	if len(rejects) == 0 || out.Code() != codeAccessReject {
		t.Fatalf("want a Reject from the AAA server and one at the NAS, got %v and %v", rejects, out)
	}
	in := rejects[len(rejects)-1]
	expectSameBody(t, "the Reject", in, out)
	if len(in.Values(18)) != 2 {
		t.Errorf("the AAA server's Reject has no Reply-Messages to keep: %v", in)
	}
}

// TestMSCHAP1: radclient reads MS-CHAP-MPPE-Keys in the Accept, which hold the hash of
// the NT hash.
func TestMSCHAP1(t *testing.T) {
	Need(t, wireParts()...)
	room, nas, s := roomWithBlockedLine(t)
	r := nas.Auth(t, credentials(s.Login(), "MS-CHAP-Password", s.Password())...)
	expectAccept(t, "MS-CHAP", r, filter)
	want := fmt.Sprintf("0x%016x%x", 0, md4(ntHash(s.Password())))
	if got := r.Get("MS-CHAP-MPPE-Keys"); got != want {
		t.Errorf("MS-CHAP-MPPE-Keys: want %s, got %s", want, got)
	}
	if wrong := nas.Auth(t, credentials(s.Login(), "MS-CHAP-Password", "wrong")...); wrong.Code != "Access-Reject" || wrong.Has("Filter-Id") {
		t.Errorf("want a bare Reject for a wrong password, got\n%s", wrong)
	}
	expectLastReject(t, room)
	keepSeeds(t, "mschap1", room.Wire)
}
