//go:build realparts

package realparts

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// wiredUser is the supplicant's side of a cable.
const wiredUser = `ap_scan=0
network={
	key_mgmt=IEEE8021X
	eap=MD5
	identity=%q
	password=%q
	eapol_flags=0
}
`

// hostapdAsks adds to hostapdConf whom it asks and tells.
const hostapdAsks = `acct_server_addr=127.0.0.1
acct_server_shared_secret=` + nasSecret + `
radius_acct_interim_interval=60
`

// startSwitch starts a hostapd in the room. What it answers plugs a station in,
// which logs in as a customer.
func startSwitch(t *testing.T, room *Room, who Subscriber) (plugIn func() *Process) {
	t.Helper()
	dir, station := WorkDir(t, "switch"), NewNetns(t, "station")
	Veth(t, room.Netns, "port", station, "nic")
	p := Start(t, dir, "hostapd", room.Netns.Command("hostapd", WriteFile(t, dir, "hostapd.conf", hostapdConf+hostapdAsks)))
	p.WaitLog(t, startDeadline, "AP-ENABLED")
	conf := WriteFile(t, dir, "supplicant.conf", fmt.Sprintf(wiredUser, who.Login(), who.Password()))
	return func() *Process {
		return Start(t, dir, "supplicant", station.Command("wpa_supplicant", "-D", "wired", "-i", "nic", "-c", conf))
	}
}

// TestHostapdIsDisconnected restricts a customer who is online at a real hostapd,
// which takes no CoA: the profile has the session ended, and the next login is
// told the filter.
func TestHostapdIsDisconnected(t *testing.T) {
	Need(t, append(wireParts(), Program("hostapd", "hostapd"), Program("wpa_supplicant", "wpasupplicant"))...)
	n := NewNetns(t, "room")
	room := &Room{Netns: n, Wire: TapLoopback(t, n), Site: newSite("asahi-net", []SiteNAS{
		{Name: "sw-1", Source: "127.0.0.1", Secret: nasSecret, Area: "tokyo", Profile: "hostapd", CoA: fmt.Sprintf("port: %d", daePort)},
	})}
	config := newAAAConfig(aaaUsers([]Subscriber{openCustomer}))
	config.EAP = NewTLSFiles(t)
	room.AAA = StartFreeRADIUS(t, n, config)
	room.Sekisho = NewSekisho(t, n, room.Site)
	room.Sekisho.Serve(t, afterStage2)
	room.Sekisho.Import(t, contracts([]Subscriber{openCustomer})...)
	plugIn := startSwitch(t, room, openCustomer)
	station := plugIn()

	filters := func() (said []string) {
		for _, p := range room.Wire.From(sekishoAuthPort, codeAccessAccept) {
			name := ""
			for _, value := range p.Values(attrFilterID) {
				name += string(value)
			}
			said = append(said, name)
		}
		return said
	}
	room.Sekisho.applies(t, "open")
	room.Sekisho.CLI(t, "restrict", openCustomer.Account, "--action", "block", "--reason", "sends spam")
	Eventually(t, promptly, "a Disconnect-ACK", func() error {
		if naks := room.Wire.From(daePort, codeDisconnectNAK); len(naks) > 0 {
			t.Fatalf("hostapd refused: %v", naks)
		}
		if len(room.Wire.From(daePort, codeDisconnectACK)) == 0 {
			return errors.New("none yet")
		}
		return nil
	})
	room.AAA.WaitAccounting(t, "Stop", func(a Attributes) bool { return a.Get("User-Name") == openCustomer.Login() })
	station.Stop() // on a cable nobody tells it that the session is over
	plugIn()
	Eventually(t, startDeadline, "the customer to log in again", func() error {
		if got := strings.Join(filters(), " "); got != " "+filter {
			return fmt.Errorf("the Accepts said %q", got)
		}
		return nil
	})
	room.Sekisho.applies(t, "block")
	if sent := room.Wire.To(daePort, codeCoARequest); len(sent) != 0 {
		t.Errorf("hostapd was sent %v", sent)
	}
	if drift := room.Sekisho.CLI(t, "sessions", "list", "--drift", "-o", "csv"); strings.Count(drift, "\n") > 1 {
		t.Errorf("there is drift:\n%s", drift)
	}
}

// applies waits until the one live session is known to have an action.
func (s *Sekisho) applies(t testing.TB, action string) {
	t.Helper()
	Eventually(t, startDeadline, "one live session with "+action, func() error {
		out := s.CLI(t, "sessions", "list", "-o", "csv")
		if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 2 || !strings.Contains(lines[1], ","+action+",sent,") {
			return errors.New(out)
		}
		return nil
	})
}
