//go:build realparts

package realparts

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"sekisho/radius/radiustest"
)

// Ports of the second AAA server.
const secondAuthPort, secondAcctPort = 12812, 12813

// quickChecks are the times by which these tests' servers are given up and found.
const quickChecks = "response-window: 500ms, zombie-period: 3s, check-interval: 300ms, num-answers-to-alive: 3"

// twoHomes is a room with two AAA servers that know the same users.
func twoHomes(t *testing.T, customers []Subscriber) (room *Room, second *FreeRADIUS) {
	t.Helper()
	n := NewNetns(t, "room")
	room = &Room{Netns: n, Wire: TapLoopback(t, n), Site: newSite("asahi-net", tokyo)}
	room.Site.LogLevel = "info"
	config := newAAAConfig(aaaUsers(customers))
	room.AAA = StartFreeRADIUS(t, n, config)
	config.AuthPort, config.AcctPort = secondAuthPort, secondAcctPort
	second = StartFreeRADIUS(t, n, config)
	room.Site.AAA = append(room.Site.AAA, SiteAAA{
		Name: "second", Address: "127.0.0.1", AuthPort: secondAuthPort, AcctPort: secondAcctPort, Secret: aaaSecret,
	})
	for i := range room.Site.AAA {
		room.Site.AAA[i].More = quickChecks
	}
	room.Sekisho = NewSekisho(t, n, room.Site)
	room.Sekisho.Serve(t, afterStage2)
	room.Sekisho.Import(t, contracts(customers)...)
	return room, second
}

// TestFailover: the first of two AAA servers freezes under load, comes back, and is
// killed; every login is answered rightly within the router's patience. Then the
// second goes too and there is silence, until the first is found alive again.
func TestFailover(t *testing.T) {
	Need(t, wireParts()...)
	room, second := twoHomes(t, []Subscriber{blockedCustomer, openCustomer})
	const perSecond, lasts = 300, 10 * time.Second
	load := NewLoad(t, room.Netns, 4*perSecond, failoverLogins())
	load.Run(perSecond, lasts, map[time.Duration]func(){
		2000 * time.Millisecond: func() { room.AAA.Freeze(t) },
		5000 * time.Millisecond: func() { room.AAA.Thaw(t) },
		8000 * time.Millisecond: room.AAA.Kill,
	})
	load.Expect(t, perSecond*int(lasts/time.Second)/2) // less than all where the machine is busy
	room.Wire.Settle(t)
	if used := len(room.Wire.From(secondAuthPort, codeAccessAccept)); used == 0 || load.repeated == 0 {
		t.Errorf("the second server gave %d Accepts and %d logins needed another try: nothing failed over", used, load.repeated)
	}
	expectPort(t, room, aaaAuthPort, "dead")
	expectPort(t, room, secondAuthPort, "alive")

	second.Kill()
	expectSilence(t, room)
	expectReturn(t, room)
}

// failoverLogins are right and wrong passwords, with and without a stage.
func failoverLogins() []Login {
	return []Login{
		{blockedCustomer.Login(), blockedCustomer.Password(), codeAccessAccept, []string{filter}},
		{openCustomer.Login(), openCustomer.Password(), codeAccessAccept, nil},
		{blockedCustomer.Login(), "wrong", codeAccessReject, nil},
	}
}

// expectSilence wants nothing to come back while no server is there, and both to be
// given up in the end.
func expectSilence(t *testing.T, room *Room) {
	t.Helper()
	room.Wire.Settle(t)
	before := len(room.Wire.filter(toNAS))
	nas := GoNAS(t, room.Netns, sekishoAuthPort, nasSecret)
	ask := func(login Login) {
		if err := nas.Send(nas.Request(codeAccessRequest, append(radiustest.PAP(login.User, login.Password), tokyoNAS)...)); err != nil {
			t.Fatal(err)
		}
	}
	for _, login := range failoverLogins() {
		ask(login)
	}
	expectPort(t, room, secondAuthPort, "zombie")
	expectPort(t, room, secondAuthPort, "dead")
	expectPort(t, room, aaaAuthPort, "dead")
	for _, login := range failoverLogins() {
		ask(login)
	}
	if octets, err := nas.Receive(time.Second); err == nil {
		t.Errorf("with no server left the NAS was told %x", octets)
	}
	room.Wire.Settle(t)
	if after := len(room.Wire.filter(toNAS)); after != before {
		t.Errorf("with no server left %d packets went to NASes", after-before)
	}
}

func toNAS(p WirePacket) bool { return p.From.Port() == sekishoAuthPort }

// expectReturn starts the first server again and wants it to be found by its answers
// to Status-Servers, and used.
func expectReturn(t *testing.T, room *Room) {
	t.Helper()
	asked := func() int { return len(room.Wire.From(aaaAuthPort, codeAccessAccept)) }
	before := asked()
	room.AAA.Restart(t)
	expectPort(t, room, aaaAuthPort, "alive")
	room.Wire.Settle(t)
	if probes := len(room.Wire.To(aaaAuthPort, codeStatusServer)); probes == 0 || asked()-before < 3 {
		t.Errorf("alive after %d Status-Servers in all and %d answers, want 3", probes, asked()-before)
	}
	load := NewLoad(t, room.Netns, 1, failoverLogins())
	for _, login := range failoverLogins() {
		r := <-load.routers
		load.login(r, login)
		load.routers <- r
	}
	load.Expect(t, len(failoverLogins()))
}

// expectPort waits until sekisho believes this of a server's port.
func expectPort(t *testing.T, room *Room, port int, want string) {
	t.Helper()
	address := netip.AddrPortFrom(loopback(port).Addr(), uint16(port)).String()
	Eventually(t, 20*time.Second, fmt.Sprintf("%s to be %s", address, want), func() error {
		out, err := exec.Command(sekishoBinary, "status", "--output", "json", "--socket", room.Sekisho.socket).Output()
		if err != nil {
			return err
		}
		var status struct {
			AAA []struct{ Ports map[string]string }
		}
		if err := json.Unmarshal(out, &status); err != nil {
			return err
		}
		for _, aaa := range status.AAA {
			if state, ok := aaa.Ports[address]; ok && state != want {
				return fmt.Errorf("it is %s", state)
			} else if ok {
				return nil
			}
		}
		return fmt.Errorf("no such port in %s", out)
	})
}
