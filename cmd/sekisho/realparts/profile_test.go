//go:build realparts

package realparts

import (
	"fmt"
	"net/netip"
	"testing"

	"sekisho/cmd/internal/config"
	"sekisho/dict"
	"sekisho/engine/policyfile"
)

// TestRealLineObeysTheProfile tells a live session of a real access router one
// action after the other, in the attributes that its profile has for a CoA, and
// tries the ports of the line each time.
func TestRealLineObeysTheProfile(t *testing.T) {
	Need(t, lineParts()...)
	line := asahiToday[0]
	nas := []SiteNAS{{Name: "bras-1", Source: "127.0.0.1", NASIP: brasIP, Secret: nasSecret, Area: "tokyo", Profile: "l2tpns"}}
	street := NewStreet(t, newSite("asahi-net", nas), lineUsers([]LineCase{line}))
	street.Sekisho.Serve(t, "2007-04-02T12:00:00+09:00")
	street.Sekisho.Import(t, lineContracts([]LineCase{line})...)

	street.Guest.Dial(t, 0, line.Login(), line.Password(), line.Options...)
	session := liveSession{profile: asahiProfile(t, "l2tpns"), login: line.Login(), address: street.Guest.Online(t, 0)}
	try := func(when string, foreign, own bool) {
		t.Helper()
		street.proveLive(t, when, session.address, foreign, own)
	}
	try("at login", false, true)
	for _, told := range []struct {
		action       string
		foreign, own bool
	}{{"open", true, true}, {"block", false, true}, {"block-all", false, false}, {"limit", true, true}, {"block", false, true}, {"open", true, true}} {
		if r := street.BRAS.dae(t, "coa", session.coa(t, told.action)...); r.Code != "CoA-ACK" {
			t.Fatalf("%s: %s", told.action, r)
		}
		try(told.action+" by CoA", told.foreign, told.own)
	}
	if r := street.BRAS.dae(t, "disconnect", session.disconnect(t)...); r.Code != "Disconnect-ACK" {
		t.Fatalf("disconnect: %s", r)
	}
	street.Guest.WaitGone(t, 0)
}

// asahiProfile is a shipped profile compiled for the shipped policy of ASAHI Net.
func asahiProfile(t *testing.T, name string) *dict.Profile {
	t.Helper()
	policy, problems := policyfile.Load("asahi-net")
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	spec, _ := dict.ShippedProfile(name)
	profile, errs := dict.CompileProfile(dict.Standard(), name, spec, config.Actions(policy))
	if errs != nil {
		t.Fatal(errs)
	}
	return profile
}

// A liveSession is a session as a router knows it.
type liveSession struct {
	profile *dict.Profile
	login   string
	address netip.Addr
}

// known are the attributes that name the session, as radclient writes them.
func (s liveSession) known(name string) string {
	return map[string]string{
		"User-Name": fmt.Sprintf("%q", s.login), "Framed-IP-Address": s.address.String(), "NAS-IP-Address": brasIP,
		"Acct-Session-Id": `"0000000000000000"`, // a wrong one: l2tpns must not be asked by it
	}[name]
}

// coa is what the profile sends for an action.
func (s liveSession) coa(t *testing.T, action string) []string {
	t.Helper()
	said, ok := s.profile.CoA(action)
	if !ok {
		t.Fatalf("%s: %s", action, s.profile.NoCoA(action))
	}
	return append(s.named(t, s.profile.Identification().ForCoA), said.Text...)
}

// disconnect is what the profile names the session by to end it.
func (s liveSession) disconnect(t *testing.T) []string {
	t.Helper()
	return s.named(t, s.profile.Identification().ForDisconnect)
}

func (s liveSession) named(t *testing.T, pick func(func(dict.Key) bool) ([]dict.Key, bool)) []string {
	t.Helper()
	keys, ok := pick(func(k dict.Key) bool { return s.known(attributeName(k)) != "" })
	if !ok {
		t.Fatal("the profile knows no way to name the session")
	}
	var attributes []string
	for _, k := range keys {
		attributes = append(attributes, attributeName(k)+" = "+s.known(attributeName(k)))
	}
	return attributes
}

// proveLive tries the ports of the one line that is up.
func (s *Street) proveLive(t *testing.T, when string, address netip.Addr, foreign, own bool) {
	t.Helper()
	tries := []try{
		{s.Foreign, smtp, !foreign}, {s.Own, smtp, !own}, {s.Foreign, smtps, false}, {s.Foreign, submission, false}, {s.Own, submission, false},
	}
	var calls []Call
	for _, try := range tries {
		timeout := openTimeout
		if try.blocked {
			timeout = blockedTimeout
		}
		calls = append(calls, Call{Line: 0, To: netip.AddrPortFrom(try.host.Address, try.port), Timeout: timeout})
	}
	for i, said := range s.Guest.Calls(t, calls) {
		want := tries[i].host.greeting(tries[i].port, address)
		if tries[i].blocked {
			want = ""
		}
		if said != want {
			t.Errorf("%s: %v: want %q, got %q", when, calls[i].To, want, said)
		}
	}
}
