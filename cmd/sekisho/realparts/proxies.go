//go:build realparts

package realparts

import (
	_ "embed"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
)

//go:embed assets/radproxy.conf.tmpl
var radproxyConf string

// A ProxyConfig says how somebody else's proxy is set up.
type ProxyConfig struct {
	AuthPort, AcctPort         int
	Secret                     string // shared with its clients
	HomeAuthPort, HomeAcctPort int
	HomeSecret                 string // shared with the home server
	Filter                     string // Filter-Id that FreeRADIUS puts into Accepts; none when empty
}

// StartFreeRADIUSProxy starts Debian's freeradius as a proxy.
func StartFreeRADIUSProxy(t testing.TB, n *Netns, config ProxyConfig) *Process {
	t.Helper()
	dir := WorkDir(t, "radproxy")
	var conf strings.Builder
	err := template.Must(template.New("radiusd.conf").Parse(radproxyConf)).Execute(&conf, struct {
		ProxyConfig
		Dir string
	}{config, dir})
	if err != nil {
		t.Fatal(err)
	}
	WriteFile(t, dir, "radiusd.conf", conf.String())
	WriteFile(t, dir, "dictionary", "")
	log := filepath.Join(dir, "radius.log")
	t.Cleanup(func() { ShowOnFailure(t, log) })
	p := Start(t, dir, "radproxy", n.Command("freeradius", "-f", "-n", "radiusd",
		"-d", dir, "-D", freeradiusDictionaries, "-l", log))
	p.WaitLog(t, startDeadline, "Ready to process requests", log)
	return p
}

// radsecproxyConf forwards everything to one home server, all over UDP.
const radsecproxyConf = `ListenUDP 127.0.0.1:%d
ListenUDP 127.0.0.1:%d
LogLevel 2
client nas {
	host 127.0.0.1
	type udp
	secret %s
}
server home-auth {
	host 127.0.0.1
	port %d
	type udp
	secret %s
}
server home-acct {
	host 127.0.0.1
	port %d
	type udp
	secret %s
}
realm * {
	server home-auth
	accountingServer home-acct
}
`

// StartRadsecproxy starts radsecproxy between a NAS and a home server.
func StartRadsecproxy(t testing.TB, n *Netns, c ProxyConfig) *Process {
	t.Helper()
	dir := WorkDir(t, "radsecproxy")
	conf := WriteFile(t, dir, "radsecproxy.conf", fmt.Sprintf(radsecproxyConf,
		c.AuthPort, c.AcctPort, c.Secret, c.HomeAuthPort, c.HomeSecret, c.HomeAcctPort, c.HomeSecret))
	p := Start(t, dir, "radsecproxy", n.Command("radsecproxy", "-f", "-c", conf))
	for _, port := range []int{c.AuthPort, c.AcctPort} {
		Eventually(t, startDeadline, fmt.Sprintf("radsecproxy to listen on port %d", port), func() error {
			if p.Exited() {
				t.Fatalf("radsecproxy ended: %v", p.cmd.ProcessState)
			}
			return n.Do(func() error { return bound(port) })
		})
	}
	return p
}

// bound answers an error unless somebody in the namespace of the thread has the port.
func bound(port int) error {
	conn, err := net.ListenPacket("udp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		conn.Close()
		return fmt.Errorf("nobody does")
	}
	return nil
}
