//go:build realparts

package realparts

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The stage that 15 May 2007 brings at ASAHI Net, seen from both sides.
const (
	beforeStage2 = "2007-05-14T23:30:00+09:00"
	afterStage2  = "2007-05-15T00:30:00+09:00"
)

// A stageCase is a subscriber with the Filter-Ids expected before and after.
type stageCase struct {
	Subscriber
	before, after string
}

// stageCases are ASAHI Net's courses on both sides of 15 May 2007. The planned stage
// that covers every other course is never in force here.
var stageCases = []stageCase{
	{Subscriber{Account: "uf100at001c", Course: "ADSLアッカ"}, "", filter},
	{Subscriber{Account: "uf100at002c", Course: "ADSLアッカコース"}, "", filter},
	{Subscriber{Account: "uf100at003c", Course: "ADSLアッカ", FixedLogin: true}, "", filter}, // the prefix proves nothing on ADSL
	{Subscriber{Account: "uf100at004c", Course: "TEPCOひかりホーム"}, filter, filter},
	{Subscriber{Account: "uf100at005c", Course: "ADSLトーカー", FixedLogin: true}, filter, filter},
	{Subscriber{Account: "uf100at006c", Course: "Bフレッツファミリー", Options: "fixed-ip", FixedLogin: true}, "", ""},
	{Subscriber{Account: "uf100at006c", Course: "Bフレッツファミリー", Options: "fixed-ip"}, "", ""},
	{Subscriber{Account: "uf100at007c", Course: "Bフレッツファミリー", FixedLogin: true}, "", ""},
	{Subscriber{Account: "uf100at008c", Course: "Bフレッツベーシック"}, "", ""},
	{Subscriber{Account: "uf100at009c", Unknown: true}, "", ""},
}

func stageSubscribers() []Subscriber {
	var list []Subscriber
	for _, c := range stageCases {
		list = append(list, c.Subscriber)
	}
	return list
}

// tokyo is the only NAS of most tests.
var tokyo = []SiteNAS{{Name: "bras-1", Source: "127.0.0.1", NASIP: "192.0.2.1", Secret: nasSecret, Area: "tokyo", Profile: "filter-id"}}

// TestFreeRADIUSStages logs every kind of subscriber in with PAP and CHAP on both
// sides of a stage's first midnight.
func TestFreeRADIUSStages(t *testing.T) {
	Need(t, wireParts()...)
	room := NewRoom(t, "asahi-net", tokyo, aaaUsers(stageSubscribers()))
	nas := room.RADClient("192.0.2.1")
	room.Sekisho.Serve(t, beforeStage2)
	room.Sekisho.Import(t, contracts(stageSubscribers())...)
	for _, c := range stageCases {
		expectLogin(t, "before", nas, c.Subscriber, c.before)
	}
	room.Sekisho.Rehearse(t, afterStage2)
	for _, c := range stageCases {
		expectLogin(t, "after", nas, c.Subscriber, c.after)
	}
}

// expectLogin logs in with PAP and CHAP and wants this Filter-Id, or none.
func expectLogin(t *testing.T, when string, nas NAS, s Subscriber, want string) {
	t.Helper()
	expectAccept(t, when+", PAP, "+s.String(), nas.PAP(t, s.Login(), s.Password()), want)
	expectAccept(t, when+", CHAP, "+s.String(), nas.CHAP(t, s.Login(), s.Password()), want)
}

// expectAccept wants an Accept with exactly this Filter-Id, or none, and with what
// the AAA server said itself.
func expectAccept(t *testing.T, what string, r Reply, want string) {
	t.Helper()
	var filters []string
	if want != "" {
		filters = []string{want}
	}
	if r.Code != "Access-Accept" || !slices.Equal(r.All("Filter-Id"), filters) || r.Get("Class") != "0x636c617373" {
		t.Errorf("%s: want Access-Accept with Filter-Id %q and the AAA server's Class, got\n%s", what, filters, r)
	}
}

// TestFreeRADIUSMidnight rehearses a stage's first midnight live: the daemon runs
// across it, and the filter appears then and not before.
func TestFreeRADIUSMidnight(t *testing.T) {
	Need(t, wireParts()...)
	const toMidnight = 5 * time.Second
	s := Subscriber{Account: "uf100at001c", Course: "ADSLアッカ"}
	room := NewRoom(t, "asahi-net", tokyo, aaaUsers([]Subscriber{s}))
	nas := room.RADClient("192.0.2.1")
	room.Sekisho.Serve(t, beforeStage2)
	room.Sekisho.Import(t, contracts([]Subscriber{s})...)

	started := time.Now()
	room.Sekisho.Rehearse(t, "2007-05-14T23:59:55+09:00")
	ready := time.Now()
	expectAccept(t, "seconds before midnight", nas.PAP(t, s.Login(), s.Password()), "")
	var flipped time.Time
	Eventually(t, 30*time.Second, "the filter of the new day", func() error {
		r := nas.PAP(t, s.Login(), s.Password())
		flipped = time.Now()
		if r.Code != "Access-Accept" || r.Get("Filter-Id") != filter {
			return fmt.Errorf("got %s with Filter-Id %q", r.Code, r.Get("Filter-Id"))
		}
		return nil
	})
	if early := toMidnight - flipped.Sub(started); early > 0 {
		t.Errorf("the filter came %v before midnight", early)
	}
	if late := flipped.Sub(ready) - toMidnight; late > time.Second {
		t.Errorf("the filter came %v after midnight", late)
	}
	expectAccept(t, "after midnight", nas.CHAP(t, s.Login(), s.Password()), filter)
}

// TestFreeRADIUSWrongPassword: a Reject stays a Reject and carries no filter.
func TestFreeRADIUSWrongPassword(t *testing.T) {
	Need(t, wireParts()...)
	room, nas, s := roomWithBlockedLine(t)
	logins := map[string]Reply{
		"PAP":          nas.PAP(t, s.Login(), "wrong"),
		"CHAP":         nas.CHAP(t, s.Login(), "wrong"),
		"unknown user": nas.PAP(t, "nobody@atson.net", "wrong"),
	}
	for how, r := range logins {
		if r.Code != "Access-Reject" || r.Has("Filter-Id") {
			t.Errorf("%s with a wrong password: want a bare Access-Reject, got\n%s", how, r)
		}
	}
	for _, p := range room.Wire.From(sekishoAuthPort, codeAccessReject) {
		expectAuthenticatorFirst(t, p)
	}
}

// roomWithBlockedLine is a room whose daemon runs, with one subscriber who is blocked.
func roomWithBlockedLine(t *testing.T) (*Room, NAS, Subscriber) {
	t.Helper()
	s := Subscriber{Account: "uf100at004c", Course: "TEPCOひかりホーム"}
	room := NewRoom(t, "asahi-net", tokyo, aaaUsers([]Subscriber{s}))
	room.Sekisho.Serve(t, afterStage2)
	room.Sekisho.Import(t, contracts([]Subscriber{s})...)
	return room, room.RADClient("192.0.2.1"), s
}

// expectAuthenticatorFirst wants a Message-Authenticator at the head of a packet.
func expectAuthenticatorFirst(t *testing.T, p WirePacket) {
	t.Helper()
	if types := p.Types(); len(types) == 0 || types[0] != attrMessageAuthenticator {
		t.Errorf("Message-Authenticator is not the first attribute of %v", p)
	}
}

// TestFreeRADIUSRequests looks at what reaches the AAA server: signed again, hidden
// again with the other secret, with the NAS's own words unchanged.
func TestFreeRADIUSRequests(t *testing.T) {
	Need(t, wireParts()...)
	room, nas, s := roomWithBlockedLine(t)
	marked := []string{"NAS-Identifier = marked", "Calling-Station-Id = 0312345678"}
	expectAccept(t, "PAP", nas.PAP(t, s.Login(), s.Password(), marked...), filter)
	expectAccept(t, "CHAP", nas.CHAP(t, s.Login(), s.Password(), marked...), filter)

	requests := room.AAA.Requests(t)
	if len(requests) != 2 {
		t.Fatalf("want 2 requests at the AAA server, got %d: %v", len(requests), requests)
	}
	for _, r := range requests {
		expectForwarded(t, r, s)
	}
	if pap := requests[0]; pap.Get("User-Password") != s.Password() || pap.Has("CHAP-Challenge") {
		t.Errorf("the PAP login reached the AAA server as %v", pap)
	}
	if chap := requests[1]; !chap.Has("CHAP-Password") || len(chap.All("CHAP-Challenge")) != 1 {
		t.Errorf("the CHAP login reached the AAA server as %v", chap)
	}
	expectChallengeAdded(t, room.Wire)
	for _, p := range room.Wire.From(sekishoAuthPort, codeAccessAccept) {
		expectAuthenticatorFirst(t, p)
		if p.Has(attrProxyState) {
			t.Errorf("the NAS got a Proxy-State it never sent: %v", p)
		}
	}
}

// expectForwarded wants a request as the AAA server wrote it down to hold the NAS's
// words and what a proxy adds.
func expectForwarded(t *testing.T, r Attributes, s Subscriber) {
	t.Helper()
	want := map[string]string{
		"User-Name": s.Login(), "NAS-IP-Address": "192.0.2.1", "NAS-Port": "7",
		"NAS-Identifier": "marked", "Calling-Station-Id": "0312345678",
	}
	for name, value := range want {
		if got := r.All(name); !slices.Equal(got, []string{value}) {
			t.Errorf("%s at the AAA server: want %q, got %q", name, value, got)
		}
	}
	for _, name := range []string{"Message-Authenticator", "Proxy-State"} {
		if len(r.All(name)) != 1 {
			t.Errorf("want one %s at the AAA server, got %q", name, r.All(name))
		}
	}
}

// expectChallengeAdded wants the one CHAP login on the wire to have left the NAS
// without a CHAP-Challenge, and to have reached the AAA server with the NAS's
// request authenticator as challenge.
func expectChallengeAdded(t *testing.T, wire *Wire) {
	t.Helper()
	isCHAP := func(p WirePacket) bool { return p.Has(attrCHAPPassword) }
	in := slices.DeleteFunc(wire.To(sekishoAuthPort, codeAccessRequest), func(p WirePacket) bool { return !isCHAP(p) })
	out := slices.DeleteFunc(wire.To(aaaAuthPort, codeAccessRequest), func(p WirePacket) bool { return !isCHAP(p) })
	if len(in) != 1 || len(out) != 1 {
		t.Fatalf("want one CHAP login on each side, got %v and %v", in, out)
	}
	if in[0].Has(attrCHAPChallenge) {
		t.Errorf("radclient sent a CHAP-Challenge, the test proves nothing: %v", in[0])
	}
	challenges := out[0].Values(attrCHAPChallenge)
	if len(challenges) != 1 || !bytes.Equal(challenges[0], in[0].Raw[4:20]) {
		t.Errorf("CHAP-Challenge at the AAA server: want the NAS's authenticator %x, got %x", in[0].Raw[4:20], challenges)
	}
	if bytes.Equal(out[0].Raw[4:20], in[0].Raw[4:20]) {
		t.Errorf("the request authenticator of the NAS was used again towards the AAA server")
	}
}

// TestFreeRADIUSProxyState: the states of a proxy in front of us go to the AAA
// server and come back as they were, in their order.
func TestFreeRADIUSProxyState(t *testing.T) {
	Need(t, wireParts()...)
	room, nas, s := roomWithBlockedLine(t)
	states := []string{"0x0102030405", "0xfeed"}
	r := nas.PAP(t, s.Login(), s.Password(), "Proxy-State = "+states[0], "Proxy-State = "+states[1])
	expectAccept(t, "with Proxy-State", r, filter)
	if got := r.All("Proxy-State"); !slices.Equal(got, states) {
		t.Errorf("Proxy-State back at the NAS: want %q, got %q", states, got)
	}
	seen := room.AAA.Requests(t)[0].All("Proxy-State")
	if len(seen) != 3 || !slices.Equal(seen[:2], states) {
		t.Errorf("Proxy-State at the AAA server: want %q and one of sekisho's, got %q", states, seen)
	}
}

// TestFreeRADIUSStrangers: who is not in the site file, or does not know the secret,
// gets no answer it could use, and its request reaches nobody as a valid login.
func TestFreeRADIUSStrangers(t *testing.T) {
	Need(t, wireParts()...)
	room, nas, s := roomWithBlockedLine(t)
	stranger := nas
	stranger.Source, stranger.Timeout, stranger.Tries = "127.0.0.9", "1", "1"
	if r := stranger.PAP(t, s.Login(), s.Password()); r.Code != "" {
		t.Errorf("an address that is no NAS was answered:\n%s", r)
	}
	if seen := room.AAA.Requests(t); len(seen) != 0 {
		t.Errorf("its request went to the AAA server: %v", seen)
	}
	liar := nas
	liar.Secret, liar.Timeout, liar.Tries = "not-the-secret-of-this-nas", "1", "1"
	if r := liar.PAP(t, s.Login(), s.Password()); r.Code == "Access-Accept" {
		t.Errorf("a NAS with another secret got an Accept:\n%s", r)
	}
	expectAccept(t, "the NAS itself", nas.PAP(t, s.Login(), s.Password()), filter)
}

// TestFreeRADIUSAccounting: a session's records pass through, and while the AAA
// server is away nobody claims to have kept them.
func TestFreeRADIUSAccounting(t *testing.T) {
	Need(t, wireParts()...)
	room, nas, s := roomWithBlockedLine(t)
	session := []string{
		fmt.Sprintf("User-Name = %q", s.Login()), `Acct-Session-Id = "0000001A"`,
		"Framed-IP-Address = 203.0.113.8", "Class = 0x636c617373",
	}
	for _, status := range []string{"Start", "Interim-Update", "Stop"} {
		r := nas.Acct(t, append([]string{"Acct-Status-Type = " + status}, session...)...)
		if r.Code != "Accounting-Response" {
			t.Errorf("accounting %s: want Accounting-Response, got\n%s", status, r)
		}
		record := room.AAA.WaitAccounting(t, status, func(a Attributes) bool { return a.Get("Acct-Session-Id") == "0000001A" })
		if record.Get("User-Name") != s.Login() || record.Get("Framed-IP-Address") != "203.0.113.8" || record.Get("NAS-IP-Address") != "192.0.2.1" {
			t.Errorf("accounting %s reached the AAA server as %v", status, record)
		}
	}
	if records := room.AAA.Accounting(t); len(records) != 3 {
		t.Errorf("want 3 records at the AAA server, got %v", records)
	}
	room.AAA.Stop()
	impatient := nas
	impatient.Timeout, impatient.Tries = "2", "1"
	if r := impatient.Acct(t, append([]string{"Acct-Status-Type = Start"}, session...)...); r.Code != "" {
		t.Errorf("accounting was answered while the AAA server was stopped:\n%s", r)
	}
	if answers := room.Wire.From(sekishoAcctPort, codeAcctResponse); len(answers) != 3 {
		t.Errorf("want 3 Accounting-Responses on the wire, got %v", answers)
	}
}

// TestFreeRADIUSReturns: while the AAA server is away no login is answered, and after
// its return logins work again.
func TestFreeRADIUSReturns(t *testing.T) {
	Need(t, wireParts()...)
	room, nas, s := roomWithBlockedLine(t)
	expectAccept(t, "at first", nas.PAP(t, s.Login(), s.Password()), filter)
	room.AAA.Stop()
	impatient := nas
	impatient.Timeout, impatient.Tries = "1", "1"
	if r := impatient.PAP(t, s.Login(), s.Password()); r.Code != "" {
		t.Errorf("a login was answered while the AAA server was stopped:\n%s", r)
	}
	room.AAA.Restart(t)
	Eventually(t, time.Minute, "logins after the AAA server's return", func() error {
		if r := impatient.PAP(t, s.Login(), s.Password()); r.Code != "Access-Accept" {
			return fmt.Errorf("got %q", r.Code)
		}
		return nil
	})
	expectAccept(t, "at last", nas.PAP(t, s.Login(), s.Password()), filter)
}

// TestFreeRADIUSNoSecretsInLogs: neither passwords nor secrets stand in sekisho's log.
func TestFreeRADIUSNoSecretsInLogs(t *testing.T) {
	Need(t, wireParts()...)
	room, nas, s := roomWithBlockedLine(t)
	nas.PAP(t, s.Login(), s.Password())
	nas.PAP(t, s.Login(), "mistyped-password")
	room.Sekisho.Stop()
	log, err := os.ReadFile(room.Sekisho.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{s.Password(), "mistyped-password", nasSecret, aaaSecret} {
		if strings.Contains(string(log), secret) {
			t.Errorf("%q stands in sekisho's log", secret)
		}
	}
}
