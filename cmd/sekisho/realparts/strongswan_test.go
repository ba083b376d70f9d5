//go:build realparts

package realparts

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
)

// gatewayRADIUS is the section eap-radius of the access server.
const gatewayRADIUS = `filter_id = yes
accounting = yes
accounting_interval = 5
nas_identifier = vpn-1
servers {
	sekisho {
		address = 127.0.0.1
		secret = ` + nasSecret + `
		auth_port = 1812
		acct_port = 1813
	}
}
dae {
	enable = yes
	listen = 127.0.0.1
	port = 3799
	secret = ` + nasSecret + `
}
`

// gatewayConnections are the connections of the access server: one for the group
// op25b with the script that policy acl prints, and one for everybody else.
const gatewayConnections = `connections {
	op25b {
		version = 2
		pools = radius
		local {
			auth = pubkey
			certs = server.pem
			id = aaa.example
		}
		remote {
			auth = eap-radius
			eap_id = %%any
			groups = op25b
		}
		children {
			op25b {
				local_ts = 198.51.100.0/24
				updown = sh %[1]s
			}
		}
	}
	plain {
		version = 2
		pools = radius
		local {
			auth = pubkey
			certs = server.pem
			id = aaa.example
		}
		remote {
			auth = eap-radius
			eap_id = %%any
		}
		children {
			plain {
				local_ts = 198.51.100.0/24
			}
		}
	}
}
`

// roadConnection is the subscriber's side.
const roadConnection = `connections {
	home {
		version = 2
		remote_addrs = 192.0.2.1
		vips = 0.0.0.0
		local {
			auth = eap-mschapv2
			eap_id = %[1]q
		}
		remote {
			auth = pubkey
			id = aaa.example
		}
		children {
			net {
				remote_ts = 198.51.100.0/24
			}
		}
	}
}
secrets {
	eap-subscriber {
		id = %[1]q
		secret = %[2]q
	}
}
`

// A tunnel is a subscriber of a strongSwan whose tunnels sekisho decides about.
type tunnel struct {
	Subscriber
	*Room
	road, gateway *Charon
	subscriber    *Netns
	foreign, own  *Mailhost
}

// tunnelledAddress is what the AAA server gives the subscriber.
const tunnelledAddress = "203.0.113.7"

// vpnSite is a site with the access server under a profile.
func vpnSite(profile string) Site {
	s := newSite("asahi-net", []SiteNAS{
		{Name: "vpn-1", Source: "127.0.0.1", NASIP: brasIP, Secret: nasSecret, Area: "tokyo", Profile: profile, CoA: fmt.Sprintf("port: %d", daePort)},
	})
	// trying tells strongSwan by CoA, which it does not take, and falls back.
	s.Profiles = "{trying: {base: strongswan, open-filter: op25b-off, coa: {by: coa, otherwise: disconnect}}}"
	return s
}

// openTunnel starts everything; the subscriber is not connected yet.
func openTunnel(t *testing.T, who Subscriber) *tunnel {
	t.Helper()
	gateway, road, net := NewNetns(t, "vpn"), NewNetns(t, "road"), NewNetns(t, "net")
	layTunnelCables(t, gateway, road, net)
	config := newAAAConfig([]AAAUser{{
		Name: who.Login(), Password: who.Password(), Reply: []string{"Tunnel-Type := ESP", "Framed-IP-Address = " + tunnelledAddress},
	}})
	config.EAP = NewTLSFiles(t)
	v := &tunnel{
		Subscriber: who, Room: &Room{Netns: gateway, Wire: TapLoopback(t, gateway), Site: vpnSite("trying"), AAA: StartFreeRADIUS(t, gateway, config)},
		subscriber: road, foreign: StartMailhost(t, net, foreignMail, smtp, smtps, submission), own: StartMailhost(t, net, ownMail, smtp, submission),
	}
	v.Sekisho = NewSekisho(t, gateway, v.Site)
	v.Sekisho.Serve(t, afterStage2)
	v.Sekisho.Import(t, contracts([]Subscriber{who})...)

	const own = `mail.asahi-net.or.jp:  [192.0.2.25, "2001:db8::25"]`
	text, dir := RouterText(t, "strongswan", policyWith(t, "asahi-net", own, "mail.asahi-net.or.jp: "+ownMail)), WorkDir(t, "nft")
	Run(t, gateway.Command("nft", "-f", WriteFile(t, dir, "sekisho.nft", text)))
	updown := WriteFile(t, dir, "updown", script(t, text, "address="))
	v.gateway = StartCharon(t, gateway, "gateway", gatewayRADIUS, fmt.Sprintf(gatewayConnections, updown), config.EAP)
	v.road = StartCharon(t, road, "road", "load = no", fmt.Sprintf(roadConnection, who.Login(), who.Password()), config.EAP)
	return v
}

func layTunnelCables(t testing.TB, gateway, road, net *Netns) {
	t.Helper()
	Veth(t, gateway, "access", road, "nic")
	Veth(t, gateway, "uplink", net, "mail")
	for _, a := range []struct {
		n           *Netns
		prefix, dev string
	}{
		{gateway, brasIP + "/24", "access"}, {road, "192.0.2.2/24", "nic"}, {gateway, uplinkIP + "/24", "uplink"},
		{net, foreignMail + "/24", "mail"}, {net, ownMail + "/24", "mail"},
	} {
		a.n.IP(t, "addr", "add", a.prefix, "dev", a.dev)
	}
	net.IP(t, "route", "add", "203.0.113.0/24", "via", uplinkIP)
	gateway.Sysctl(t, "net/ipv4/ip_forward", "1")
	for _, n := range []*Netns{gateway, road} {
		for _, scope := range []string{"all", "default"} {
			n.Sysctl(t, "net/ipv4/conf/"+scope+"/rp_filter", "0")
		}
	}
}

// connects brings the tunnel up and wants the Accept to name a filter, or none,
// and port 25 of foreign servers to be reached accordingly.
func (v *tunnel) connects(t *testing.T, when, wanted string) {
	t.Helper()
	before := len(v.accepts())
	v.road.Connect(t, "net")
	v.Wire.Settle(t)
	if got := v.accepts()[before:]; len(got) != 1 || got[0] != wanted {
		t.Fatalf("%s: the Accepts said %q, want %q", when, got, wanted)
	}
	for _, try := range []struct {
		host *Mailhost
		port uint16
		want bool
	}{
		{v.foreign, smtp, wanted == ""}, {v.foreign, smtps, true}, {v.foreign, submission, true}, {v.own, smtp, true},
	} {
		if got := v.reaches(t, try.host, try.port); got != try.want {
			t.Errorf("%s: port %d of %v is reached: %v, want %v", when, try.port, try.host.Address, got, try.want)
		}
	}
	v.Sekisho.applies(t, map[string]string{"": "open", filter: "block"}[wanted])
}

// accepts are the filters of the Access-Accepts so far.
func (v *tunnel) accepts() (filters []string) {
	for _, p := range v.Wire.From(sekishoAuthPort, codeAccessAccept) {
		name := ""
		for _, value := range p.Values(attrFilterID) {
			name += string(value)
		}
		filters = append(filters, name)
	}
	return filters
}

// reaches tries a port through the tunnel; whoever is turned away hears so at
// once.
func (v *tunnel) reaches(t *testing.T, host *Mailhost, port uint16) bool {
	t.Helper()
	var c net.Conn
	err := v.subscriber.Do(func() (err error) {
		c, err = (&net.Dialer{Timeout: openTimeout}).Dial("tcp", netip.AddrPortFrom(host.Address, port).String())
		return err
	})
	if errors.Is(err, syscall.ECONNREFUSED) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if from := c.LocalAddr().(*net.TCPAddr).IP.String(); from != tunnelledAddress {
		t.Fatalf("the connection comes from %s and not through the tunnel", from)
	}
	return greeted(t, c)
}

// ends waits until the session is over everywhere, and counts what the router
// was sent for it.
func (v *tunnel) ends(t *testing.T, when string, coa, disconnects int) {
	t.Helper()
	Eventually(t, promptly, "no live session, and its Accounting-Stop", func() error {
		if naks := v.Wire.From(daePort, codeDisconnectNAK); len(naks) > 0 {
			t.Fatalf("%s: strongSwan refused to disconnect: %v", when, naks)
		}
		if out := v.Sekisho.CLI(t, "sessions", "list", "-o", "csv"); strings.Count(out, "\n") > 1 {
			return fmt.Errorf("%s%v were sent", out, v.Wire.To(daePort, codeDisconnectRequest))
		}
		if n := v.stops(t); n != disconnects {
			return fmt.Errorf("%d Accounting-Stops, want %d", n, disconnects)
		}
		return nil
	})
	v.road.Gone(t)
	v.Wire.Settle(t)
	for what, n := range map[string][2]int{
		"CoA-Requests":    {len(v.Wire.To(daePort, codeCoARequest)), coa},
		"CoA-NAKs":        {len(v.Wire.From(daePort, codeCoANAK)), coa},
		"CoA-ACKs":        {len(v.Wire.From(daePort, codeCoAACK)), 0},
		"Disconnect-ACKs": {len(v.Wire.From(daePort, codeDisconnectACK)), disconnects},
	} {
		if n[0] != n[1] {
			t.Errorf("%s: %d %s, want %d", when, n[0], what, n[1])
		}
	}
}

func (v *tunnel) stops(t *testing.T) (n int) {
	t.Helper()
	for _, record := range v.AAA.Accounting(t) {
		if record.Get("Acct-Status-Type") == "Stop" && record.Get("User-Name") == v.Login() {
			n++
		}
	}
	return n
}

// TestStrongSwanRefusesCoAAndIsDisconnected changes what is decided for a
// subscriber whose tunnel is up at a real strongSwan. It refuses a CoA with a
// Filter-Id, so its profile has the session ended, and the next login is told.
func TestStrongSwanRefusesCoAAndIsDisconnected(t *testing.T) {
	Need(t, append(wireParts(), Tun,
		Program("swanctl", "strongswan-swanctl"),
		Program("nft", "nftables"),
		File(charonProgram, "strongswan-charon"),
		File("/usr/lib/ipsec/plugins/libstrongswan-eap-radius.so", "libcharon-extra-plugins"),
		File("/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so", "libcharon-extra-plugins"),
		File("/usr/lib/ipsec/plugins/libstrongswan-eap-mschapv2.so", "libcharon-extauth-plugins"),
	)...)
	v := openTunnel(t, blockedCustomer)
	v.connects(t, "at first", filter)

	said := v.Sekisho.CLI(t, "grant", v.Account, "--reason", "own mail server")
	if !strings.Contains(said, v.Login()+" on-line at vpn-1 since ") || !strings.Contains(said, ": it has ended meanwhile; the next login is open\n") {
		t.Errorf("grant said\n%s", said)
	}
	v.ends(t, "granted", 1, 1)
	for _, nak := range v.Wire.From(daePort, codeCoANAK) {
		if nak.Has(attrErrorCause) {
			t.Errorf("the refusal has a cause: %v", nak)
		}
	}
	v.connects(t, "granted", "")
	v.Sekisho.CLI(t, "revoke", v.Account, "--reason", "moved to submission")
	v.ends(t, "revoked", 2, 2)
	v.connects(t, "revoked", filter)

	v.Sekisho.Configure(t, vpnSite("strongswan"))
	v.Sekisho.CLI(t, "reload")
	v.Sekisho.CLI(t, "grant", v.Account, "--reason", "own mail server")
	v.ends(t, "granted with the shipped profile", 2, 3) // which does not try a CoA
	v.connects(t, "granted with the shipped profile", "")
	if drift := v.Sekisho.CLI(t, "sessions", "list", "--drift", "-o", "csv"); strings.Count(drift, "\n") > 1 {
		t.Errorf("there is drift:\n%s", drift)
	}
}
