//go:build realparts

package realparts

import (
	"fmt"
	"testing"
)

// filter is what the shipped policies call the filter of the action block.
const filter = "op25b"

const (
	nasSecret = "nas-secret-of-the-access-routers"
	aaaSecret = "aaa-secret-of-the-home-servers"

	sekishoAuthPort, sekishoAcctPort = 1812, 1813
	aaaAuthPort, aaaAcctPort         = 11812, 11813
)

// A Room is one namespace with everything on its loopback: an AAA server, sekisho
// in front of it and a tap on the wire. NASes come as the test likes.
type Room struct {
	Netns   *Netns
	Wire    *Wire
	AAA     *FreeRADIUS
	Site    Site
	Sekisho *Sekisho
}

// NewRoom starts the AAA server with these users and writes sekisho's files for a
// policy and its NASes; the test starts the daemon.
func NewRoom(t testing.TB, policy string, nas []SiteNAS, users []AAAUser) *Room {
	t.Helper()
	n := NewNetns(t, "room")
	r := &Room{Netns: n, Wire: TapLoopback(t, n), Site: newSite(policy, nas)}
	r.AAA = StartFreeRADIUS(t, n, newAAAConfig(users))
	r.Sekisho = NewSekisho(t, n, r.Site)
	return r
}

// newSite is a site with these NASes and one AAA server on loopback.
func newSite(policy string, nas []SiteNAS) Site {
	return Site{
		AuthPort: sekishoAuthPort,
		AcctPort: sekishoAcctPort,
		Policy:   policy,
		NAS:      nas,
		AAA: []SiteAAA{{
			Name: "home", Address: "127.0.0.1", AuthPort: aaaAuthPort, AcctPort: aaaAcctPort, Secret: aaaSecret,
		}},
	}
}

// newAAAConfig is that AAA server's own side.
func newAAAConfig(users []AAAUser) AAAConfig {
	return AAAConfig{AuthPort: aaaAuthPort, AcctPort: aaaAcctPort, Secret: aaaSecret, Users: users}
}

// RADClient is a NAS of the room that sends with radclient and says that it is the
// router with this NAS-IP-Address.
func (r *Room) RADClient(nasIP string) NAS {
	return NAS{
		Netns: r.Netns, Server: "127.0.0.1", AuthPort: sekishoAuthPort, AcctPort: sekishoAcctPort,
		Secret: nasSecret, Identity: []string{"NAS-IP-Address = " + nasIP, "NAS-Port = 7"},
	}
}

// A Subscriber is a customer: what the contract says and how the session logs in.
type Subscriber struct {
	Account, Course, Options string
	FixedLogin               bool // logs in as f.ID
	Unknown                  bool // the ISP's AAA knows the user, sekisho has no contract
}

// Login is the User-Name of the subscriber's session.
func (s Subscriber) Login() string {
	if s.FixedLogin {
		return "f." + s.Account + "@atson.net"
	}
	return s.Account + "@atson.net"
}

// Password is the subscriber's own.
func (s Subscriber) Password() string { return "pw-" + s.Account }

func (s Subscriber) String() string {
	return fmt.Sprintf("%s on %s with options %q", s.Login(), s.Course, s.Options)
}

// aaaUsers are the AAA server's entries for subscribers.
func aaaUsers(subscribers []Subscriber) []AAAUser {
	users := make([]AAAUser, len(subscribers))
	for i, s := range subscribers {
		users[i] = AAAUser{Name: s.Login(), Password: s.Password(), Reply: []string{"Class = 0x636c617373"}}
	}
	return users
}

// contracts are the contracts of subscribers, one for each account.
func contracts(subscribers []Subscriber) []Contract {
	var list []Contract
	seen := map[string]bool{}
	for _, s := range subscribers {
		if s.Unknown || seen[s.Account] {
			continue
		}
		seen[s.Account] = true
		list = append(list, Contract{Account: s.Account, Course: s.Course, Options: s.Options})
	}
	return list
}
