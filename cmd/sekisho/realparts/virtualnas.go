//go:build realparts

package realparts

import (
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
)

//go:embed assets/virtualnas.conf.tmpl
var virtualNASConf string

// A VirtualNAS is a FreeRADIUS that takes CoA- and Disconnect-Requests as a
// router does. It refuses by Acct-Session-Id: gone… with Error-Cause 503, picky…
// with 404, and a CoA for rigid… without one.
type VirtualNAS struct {
	*Process
	dir string
}

// StartVirtualNAS starts one in the namespace.
func StartVirtualNAS(t testing.TB, n *Netns, secret string, port int) *VirtualNAS {
	t.Helper()
	dir := WorkDir(t, "nas")
	log := filepath.Join(dir, "nas.log")
	t.Cleanup(func() { ShowOnFailure(t, log) })
	var conf strings.Builder
	err := template.Must(template.New("nas.conf").Parse(virtualNASConf)).Execute(&conf, struct {
		Dir, Secret string
		Port        int
	}{dir, secret, port})
	if err != nil {
		t.Fatal(err)
	}
	WriteFile(t, dir, "nas.conf", conf.String())
	WriteFile(t, dir, "dictionary", "")
	v := &VirtualNAS{dir: dir, Process: Start(t, dir, "freeradius",
		n.Command("freeradius", "-f", "-n", "nas", "-d", dir, "-D", freeradiusDictionaries, "-l", log))}
	v.WaitLog(t, startDeadline, "Ready to process requests", log)
	return v
}

// Told lists the requests that it found authentic, in their order.
func (v *VirtualNAS) Told(t testing.TB) []Attributes {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(v.dir, "told"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return parseDetail(string(raw))
}
