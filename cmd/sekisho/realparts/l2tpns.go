//go:build realparts

package realparts

import (
	"bytes"
	_ "embed"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"time"
)

//go:embed assets/l2tpns.conf.tmpl
var l2tpnsConf string

// A BRASConfig says how an l2tpns is set up.
type BRASConfig struct {
	Access, Uplink string // interfaces: to the subscribers, to the network
	NASIP          string // what it calls itself in NAS-IP-Address
	Gateway        string // its address on the subscribers' side
	Pool           string // addresses for subscribers to whom the AAA gives none
	Radius         string // address of its RADIUS server; accounting is one port above
	RadiusPort     int
	Secret         string
	DAEPort        int    // where it takes CoA and Disconnect
	Interim        int    // seconds between interim records
	ACL            string // its access lists, in its own language
}

// A BRAS is a running l2tpns: a PPPoE server that asks RADIUS.
type BRAS struct {
	*Process
	netns  *Netns
	config BRASConfig
}

// StartBRAS starts l2tpns in the namespace and waits until it takes subscribers.
func StartBRAS(t testing.TB, n *Netns, config BRASConfig) *BRAS {
	t.Helper()
	dir := WorkDir(t, "l2tpns")
	var conf strings.Builder
	err := template.Must(template.New("startup-config").Parse(l2tpnsConf)).Execute(&conf, struct {
		BRASConfig
		Dir string
	}{config, dir})
	if err != nil {
		t.Fatal(err)
	}
	WriteFile(t, dir, "startup-config", conf.String())
	WriteFile(t, dir, "ip_pool", config.Pool+"\n")
	WriteFile(t, dir, "users", "")
	log := WriteFile(t, dir, "l2tpns.log", "")
	t.Cleanup(func() { ShowOnFailure(t, log) })
	// l2tpns reads ip_pool and users in a fixed place. ip gives what it runs a mount
	// namespace of its own, so this bind mount is seen by l2tpns only.
	script := fmt.Sprintf("mount --bind '%s' /etc/l2tpns && exec l2tpns -c '%s'", dir, filepath.Join(dir, "startup-config"))
	b := &BRAS{netns: n, config: config, Process: Start(t, dir, "stdout", n.Command("sh", "-c", script))}
	b.WaitLog(t, startDeadline, "declaring myself the master", log)
	return b
}

// cliPrompt ends every answer of the command line; its hostname stands in front.
const cliPrompt = "bras> "

// CLI runs a command in l2tpns's own command line and answers what it says.
func (b *BRAS) CLI(t testing.TB, command string) string {
	t.Helper()
	c, err := b.netns.Dial("tcp", "127.0.0.1:23")
	if err != nil {
		t.Fatalf("command line of l2tpns: %v", err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	readPrompt(t, c)
	if _, err := fmt.Fprintf(c, "%s\r\n", command); err != nil {
		t.Fatalf("command line of l2tpns: %v", err)
	}
	return readPrompt(t, c)
}

// readPrompt reads until the prompt comes.
func readPrompt(t testing.TB, c net.Conn) string {
	t.Helper()
	var read bytes.Buffer
	buf := make([]byte, 4096)
	for !bytes.HasSuffix(read.Bytes(), []byte(cliPrompt)) {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatalf("command line of l2tpns after %q: %v", read.String(), err)
		}
		read.Write(buf[:n])
	}
	return strings.TrimSuffix(read.String(), cliPrompt)
}

// ruleHits finds the counter behind a rule of an access list.
var ruleHits = regexp.MustCompile(`(?m)^ *(.+?) \((\d+) matche?s?\)`)

// RuleHits answers how often a rule of an access list has matched.
func (b *BRAS) RuleHits(t testing.TB, list, rule string) int {
	t.Helper()
	for _, found := range ruleHits.FindAllStringSubmatch(b.CLI(t, "show access-list "+list), -1) {
		if found[1] == rule {
			hits, _ := strconv.Atoi(found[2]) // digits only
			return hits
		}
	}
	return 0
}

// Sessions shows the subscribers that are connected.
func (b *BRAS) Sessions(t testing.TB) string {
	t.Helper()
	return b.CLI(t, "show session")
}

// Disconnect has the router cut a subscriber's session, as an operator would.
func (b *BRAS) Disconnect(t testing.TB, login string) {
	t.Helper()
	r := b.dae(t, "disconnect", fmt.Sprintf("User-Name = %q", login))
	if r.Code != "Disconnect-ACK" {
		t.Fatalf("l2tpns did not cut %s:\n%s", login, r)
	}
}

// dae sends the router a CoA or a Disconnect.
func (b *BRAS) dae(t testing.TB, command string, attributes ...string) Reply {
	t.Helper()
	return Radclient(t, b.netns, nil, fmt.Sprintf("127.0.0.1:%d", b.config.DAEPort), command, b.config.Secret, attributes)
}
