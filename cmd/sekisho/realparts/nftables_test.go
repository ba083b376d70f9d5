//go:build realparts

package realparts

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A crossing is a subscriber, a router with nftables and the network beyond, in
// both address families.
type crossing struct {
	subscriber, router *Netns
	foreign, own       map[bool]*Mailhost // by whether it is IPv6
}

// crossingPolicy is Asama Internet's, with its server where it stands here.
func crossingPolicy(t *testing.T) string {
	return policyWith(t, "asama-internet", `mail.asama.example: [192.0.2.25, "2001:db8::25"]`, `mail.asama.example: [198.51.100.25, "2001:db8:f::25"]`)
}

func newCrossing(t *testing.T) *crossing {
	t.Helper()
	subscriber, router, net := NewNetns(t, "sub"), NewNetns(t, "nft"), NewNetns(t, "net")
	Veth(t, subscriber, "line", router, "ppp0")
	Veth(t, router, "uplink", net, "mail")
	address := func(n *Netns, prefix, dev string) {
		n.IP(t, append([]string{"addr", "add", prefix, "dev", dev}, strings.Fields(map[bool]string{true: "nodad"}[strings.Contains(prefix, ":")])...)...)
	}
	for _, prefix := range []string{"203.0.113.7/24", "2001:db8:a::7/64"} {
		address(subscriber, prefix, "line")
	}
	for _, prefix := range []string{"203.0.113.1/24", "2001:db8:a::1/64"} {
		address(router, prefix, "ppp0")
	}
	for _, prefix := range []string{"198.51.100.1/24", "2001:db8:f::1/64"} {
		address(router, prefix, "uplink")
	}
	for _, prefix := range []string{"198.51.100.2/24", "198.51.100.25/24", "2001:db8:f::2/64", "2001:db8:f::25/64"} {
		address(net, prefix, "mail")
	}
	router.Sysctl(t, "net/ipv4/ip_forward", "1")
	router.Sysctl(t, "net/ipv6/conf/all/forwarding", "1")
	subscriber.IP(t, "route", "add", "default", "via", "203.0.113.1")
	subscriber.IP(t, "-6", "route", "add", "default", "via", "2001:db8:a::1")
	net.IP(t, "route", "add", "default", "via", "198.51.100.1")
	net.IP(t, "-6", "route", "add", "default", "via", "2001:db8:f::1")
	return &crossing{
		subscriber: subscriber, router: router,
		foreign: map[bool]*Mailhost{false: StartMailhost(t, net, "198.51.100.2", smtp, smtps, submission), true: StartMailhost(t, net, "2001:db8:f::2", smtp, smtps, submission)},
		own:     map[bool]*Mailhost{false: StartMailhost(t, net, "198.51.100.25", smtp, submission), true: StartMailhost(t, net, "2001:db8:f::25", smtp, submission)},
	}
}

// load has the real nft read a text.
func (x *crossing) load(t *testing.T, text string) {
	t.Helper()
	file := WriteFile(t, WorkDir(t, "nft"), "sekisho.nft", text)
	Run(t, x.router.Command("nft", "-f", file))
}

// nft runs a command of nft on the router.
func (x *crossing) nft(t *testing.T, command ...string) {
	t.Helper()
	Run(t, x.router.Command("nft", command...))
}

// reaches tries a port from the subscriber's side; whoever is turned away hears
// so at once.
func (x *crossing) reaches(t *testing.T, host *Mailhost, port uint16) bool {
	t.Helper()
	c, err := x.subscriber.Dial("tcp", netip.AddrPortFrom(host.Address, port).String())
	if errors.Is(err, syscall.ECONNREFUSED) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return greeted(t, c)
}

func greeted(t *testing.T, c net.Conn) bool {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(openTimeout)); err != nil {
		t.Fatal(err)
	}
	said, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.HasPrefix(said, "220 ")
}

// prove tries every port that matters, in both families.
func (x *crossing) prove(t *testing.T, when string, foreign25, own25 bool) {
	t.Helper()
	for _, v6 := range []bool{false, true} {
		for _, try := range []struct {
			host *Mailhost
			port uint16
			want bool
		}{
			{x.foreign[v6], smtp, foreign25}, {x.own[v6], smtp, own25},
			{x.foreign[v6], smtps, true}, {x.foreign[v6], submission, true}, {x.own[v6], submission, true},
		} {
			if got := x.reaches(t, try.host, try.port); got != try.want {
				t.Errorf("%s: port %d of %v is reached: %v, want %v", when, try.port, try.host.Address, got, try.want)
			}
		}
	}
}

// proveLimit sends as a mass sender would: so many get through and no more, while
// the ISP's own server takes all.
func (x *crossing) proveLimit(t *testing.T, v6 bool, through int) {
	t.Helper()
	const tries = 20
	foreign, own := 0, 0
	for range tries {
		if x.reaches(t, x.foreign[v6], smtp) {
			foreign++
		}
		if x.reaches(t, x.own[v6], smtp) {
			own++
		}
	}
	if foreign < through || foreign > through+1 || own != tries {
		t.Errorf("of %d connections %d got through to a foreign server, want %d; %d to the own one", tries, foreign, through, own)
	}
	if !x.reaches(t, x.foreign[v6], submission) {
		t.Error("submission is closed too")
	}
}

func nftParts() []Requirement { return []Requirement{Root, Namespaces, Program("nft", "nftables")} }

// TestNftablesOfAccelPPP loads the text for accel-ppp and runs the scripts in it
// as pppd_compat would, at a login and at a CoA.
func TestNftablesOfAccelPPP(t *testing.T) {
	Need(t, nftParts()...)
	x, dir := newCrossing(t), WorkDir(t, "radattr")
	text := RouterText(t, "accel-ppp", crossingPolicy(t), "--connections", "3")
	x.load(t, text)
	change := strings.ReplaceAll(script(t, text, "#!/bin/sh"), "/var/run/radattr", dir+"/radattr")
	told := func(attributes string) {
		WriteFile(t, dir, "radattr.ppp0", attributes)
		Run(t, x.router.Command("sh", "-c", change, "ip-change", "ppp0"))
	}
	x.prove(t, "before a login", true, true)
	told("Framed-IP-Address 203.0.113.7\nCisco-AVPair ip:inacl=op25b\n")
	x.prove(t, "block", false, true)
	told("Cisco-AVPair ip:inacl=op25b-all\n")
	x.prove(t, "block-all", false, false)
	told("Cisco-AVPair ip:inacl=none\n")
	x.prove(t, "open by CoA", true, true)
	WriteFile(t, dir, "radattr.ppp0", "Cisco-AVPair ip:inacl=op25c\n")
	if err := x.router.Command("sh", "-c", change, "ip-change", "ppp0").Run(); err == nil {
		t.Error("a name that is no set is no error: accel-ppp would acknowledge it")
	}
	told("Cisco-AVPair ip:inacl=op25b-limit\n")
	x.proveLimit(t, false, 3)
	told("Class 0x00\n")
	x.prove(t, "open by a login without attributes", true, true)
}

// TestNftablesOfStrongSwan loads the text for strongSwan and runs its script as
// the updown plugin would.
func TestNftablesOfStrongSwan(t *testing.T) {
	Need(t, nftParts()...)
	x := newCrossing(t)
	text := RouterText(t, "strongswan", crossingPolicy(t), "--connections", "3")
	x.load(t, text)
	updown := script(t, text, "address=")
	run := func(way, group string) {
		t.Helper()
		for verb, client := range map[string]string{way + "-client": "203.0.113.7/32", way + "-client-v6": "2001:db8:a::7/128"} {
			cmd := x.router.Command("sh", "-c", updown)
			cmd.Env = append(os.Environ(), "PLUTO_VERB="+verb, "PLUTO_CONNECTION="+group, "PLUTO_PEER_CLIENT="+client)
			Run(t, cmd)
		}
	}
	x.prove(t, "a session without a group", true, true)
	run("up", "op25b")
	x.prove(t, "block", false, true)
	run("down", "op25b")
	x.prove(t, "after it has ended", true, true)
	run("up", "op25b-all")
	x.prove(t, "block-all", false, false)
	run("down", "op25b-all")
	run("up", "op25b-limit")
	x.proveLimit(t, false, 3)
	x.proveLimit(t, true, 3)
}

// TestNftablesOfTheBorder loads the text for the border behind routers that give
// out addresses only.
func TestNftablesOfTheBorder(t *testing.T) {
	Need(t, nftParts()...)
	x := newCrossing(t)
	text := RouterText(t, "address-pool", crossingPolicy(t))
	x.load(t, text)
	x.prove(t, "a range that is in no set", true, true)
	for family, prefix := range map[string]string{"ip": "203.0.113.0/24", "ip6": "2001:db8:a::/64"} {
		x.nft(t, "add", "element", family, "sekisho", "op25b", fmt.Sprintf("{ %s }", prefix))
	}
	x.prove(t, "a range that is blocked", false, true)
	lintRuleset(t, Run(t, x.router.Command("nft", "list", "ruleset")))
	x.load(t, text) // printed anew, loaded anew: nothing of it is left
	x.prove(t, "a text that was loaded again", true, true)
}

// lintRuleset has sekisho find its filters in what nft itself lists.
func lintRuleset(t *testing.T, ruleset string) {
	t.Helper()
	file := WriteFile(t, WorkDir(t, "lint"), "ruleset.nft", ruleset)
	said := Run(t, exec.Command(sekishoBinary, "policy", "lint-acl", file, "--profile", "address-pool", "asama-internet"))
	if strings.Count(said, "IPv4 filter of action") != 3 || strings.Count(said, "IPv6 filter of action") != 3 {
		t.Errorf("lint-acl of what nft lists says\n%s\nof\n%s", said, ruleset)
	}
}
