//go:build realparts

package realparts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// virtualSessions are subscribers who are online at the virtual NAS, open.
var virtualSessions = []struct {
	Subscriber
	session string
	bras    string // NAS-IP-Address
}{
	{Subscriber{Account: "uf100at021c", Course: "Bフレッツファミリー"}, "0000A1", "192.0.2.1"},
	{Subscriber{Account: "uf100at022c", Course: "Bフレッツファミリー"}, "0000A2", "192.0.2.2"},
	{Subscriber{Account: "uf100at023c", Course: "Bフレッツファミリー"}, "gone-1", "192.0.2.1"},
	{Subscriber{Account: "uf100at024c", Course: "Bフレッツファミリー"}, "picky-1", "192.0.2.1"},
	{Subscriber{Account: "uf100at025c", Course: "Bフレッツファミリー"}, "rigid-1", "192.0.2.1"},
	{Subscriber{Account: "uf100at026c", Course: "Bフレッツファミリー"}, "0000A6", "192.0.2.1"},
}

// virtualBRAS are two routers of different make behind one address, which both
// take CoA.
var virtualBRAS = []SiteNAS{
	{Name: "bras-1", Source: "127.0.0.1", NASIP: "192.0.2.1", Secret: nasSecret, Area: "tokyo", Profile: "bng", CoA: fmt.Sprintf("port: %d", daePort)},
	{Name: "bras-2", Source: "127.0.0.1", NASIP: "192.0.2.2", Secret: nasSecret, Area: "tokyo", Profile: "juniper-mx", CoA: fmt.Sprintf("port: %d", daePort)},
}

// virtualRoom is a room with the virtual NAS and those sessions online.
func virtualRoom(t *testing.T) (*Room, *VirtualNAS) {
	t.Helper()
	var customers []Subscriber
	for _, s := range virtualSessions {
		customers = append(customers, s.Subscriber)
	}
	room := NewRoom(t, "asahi-net", virtualBRAS, aaaUsers(customers))
	room.Site.Profiles = "{bng: {base: filter-id, open-filter: op25b-open, coa: {otherwise: disconnect}}}"
	room.Sekisho.Configure(t, room.Site)
	nas := StartVirtualNAS(t, room.Netns, nasSecret, daePort)
	room.Sekisho.Serve(t, afterStage2)
	room.Sekisho.Import(t, contracts(customers)...)
	for _, s := range virtualSessions {
		client := room.RADClient(s.bras)
		session := fmt.Sprintf("Acct-Session-Id = %q", s.session)
		if r := client.PAP(t, s.Login(), s.Password(), session); r.Code != "Access-Accept" || r.Has("Filter-Id") {
			t.Fatalf("%v: %s", s.Subscriber, r)
		}
		client.Acct(t, "Acct-Status-Type = Start", fmt.Sprintf("User-Name = %q", s.Login()), session)
	}
	return room, nas
}

// drift is what sekisho sessions list --drift says of a session; empty for
// nothing.
func (s *Sekisho) drift(t testing.TB, session string) string {
	t.Helper()
	for _, line := range strings.Split(s.CLI(t, "sessions", "list", "--drift", "-o", "csv"), "\n") {
		if strings.Contains(line, ","+session+",") {
			return line
		}
	}
	return ""
}

// TestFreeRADIUSAsARouter restricts subscribers who are online at a router that
// is FreeRADIUS: it finds the requests authentic and reads in them the filter of
// its make, and what it answers is what sekisho does next.
func TestFreeRADIUSAsARouter(t *testing.T) {
	Need(t, wireParts()...)
	room, nas := virtualRoom(t)
	for _, s := range virtualSessions[:5] {
		room.Sekisho.CLI(t, "restrict", s.Account, "--action", "block", "--reason", "sends spam")
	}
	told := func(session string) (all []Attributes) {
		for _, a := range nas.Told(t) {
			if a.Get("Acct-Session-Id") == session {
				all = append(all, a)
			}
		}
		return all
	}
	expect := func(session string, want ...string) {
		t.Helper()
		Eventually(t, promptly, fmt.Sprintf("the router to be told %q of %s", want, session), func() error {
			var got []string
			for _, a := range told(session) {
				got = append(got, saidTo(a))
			}
			if !slices.Equal(got, want) {
				return fmt.Errorf("it was told %q", got)
			}
			return nil
		})
	}
	expect("0000A1", "CoA-Request Filter-Id=op25b")
	expect("0000A2", "CoA-Request ERX-Ingress-Policy-Name=op25b ERX-IPv6-Ingress-Policy-Name=op25b-v6")
	expect("gone-1", "CoA-Request Filter-Id=op25b")
	expect("picky-1", "CoA-Request Filter-Id=op25b")
	expect("rigid-1", "CoA-Request Filter-Id=op25b", "Disconnect-Request")

	room.Sekisho.settles(t, "0000A1", "block,acknowledged")
	room.Sekisho.settles(t, "0000A2", "block,acknowledged")
	room.Sekisho.settles(t, "gone-1", "")
	room.Sekisho.settles(t, "rigid-1", "")
	room.Sekisho.settles(t, "picky-1", "CoA-NAK 404 Invalid-Request")
	if line := room.Sekisho.drift(t, "0000A1"); line != "" {
		t.Errorf("there is drift: %s", line)
	}
	if line := room.Sekisho.drift(t, "picky-1"); !strings.Contains(line, "404 Invalid-Request") {
		t.Errorf("of a refusal the list says %q", line)
	}

	room.Sekisho.CLI(t, "revoke", virtualSessions[0].Account, "--reason", "cleaned up")
	expect("0000A1", "CoA-Request Filter-Id=op25b", "CoA-Request Filter-Id=op25b-open")
	room.Sekisho.CLI(t, "sessions", "disconnect", virtualSessions[5].Account)
	expect("0000A6", "Disconnect-Request")
	room.Sekisho.settles(t, "0000A6", "")
}

// saidTo is the packet that a router read and the filter in it.
func saidTo(a Attributes) string {
	said := []string{a.Get("Packet-Type")}
	for _, name := range []string{"Filter-Id", "ERX-Ingress-Policy-Name", "ERX-IPv6-Ingress-Policy-Name"} {
		for _, value := range a.All(name) {
			said = append(said, name+"="+value)
		}
	}
	return strings.Join(said, " ")
}

// settles waits until the line of a session in sessions list has a text; no text
// is for a session that is over.
func (s *Sekisho) settles(t testing.TB, session, want string) {
	t.Helper()
	Eventually(t, promptly, fmt.Sprintf("%s to be %q", session, want), func() error {
		for _, line := range strings.Split(s.CLI(t, "sessions", "list", "-o", "csv"), "\n") {
			switch {
			case !strings.Contains(line, ","+session+","):
			case want == "" || !strings.Contains(line, want):
				return errors.New(line)
			default:
				return nil
			}
		}
		if want != "" {
			return errors.New("it is over")
		}
		return nil
	})
}
