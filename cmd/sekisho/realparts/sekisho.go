//go:build realparts

package realparts

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
)

//go:embed assets/site.yaml.tmpl
var siteYAML string

// sekishoBinary is the program under test; TestMain sets it.
var sekishoBinary string

// buildSekisho compiles sekisho into dir and answers the program, or the one that
// SEKISHO_BINARY names.
func buildSekisho(dir string) (string, error) {
	if installed := os.Getenv("SEKISHO_BINARY"); installed != "" {
		return installed, nil
	}
	program := filepath.Join(dir, "sekisho")
	out, err := exec.Command("go", "build", "-o", program, "sekisho/cmd/sekisho").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build sekisho: %w\n%s", err, out)
	}
	return program, nil
}

// A Site is what a site file says, as far as these tests vary it.
type Site struct {
	AuthPort, AcctPort int    // 1812 and 1813 when zero
	Policy             string // the name of a shipped policy, or a file
	LogLevel           string // debug when empty
	Door               string // where programs with tokens are answered; nowhere when empty
	Roles              string // of users of the socket, as the site file has them; without, only root may open it
	Profiles           string // of the site file's own
	NAS                []SiteNAS
	AAA                []SiteAAA
	More               string // further sections
}

// A SiteNAS is one access router of a site file.
type SiteNAS struct {
	Name, Source, NASIP, Secret, Area, Profile string
	CoA                                        string // what its coa section says; without it live sessions are told nothing
}

// A SiteAAA is one AAA server of a site file.
type SiteAAA struct {
	Name, Address      string
	AuthPort, AcctPort int
	Secret             string
	More               string // keys and values as the site file has them
}

// A Sekisho is an installation: a directory with a site file, a store and a socket.
// Its daemon can be started and stopped any number of times.
type Sekisho struct {
	*Process
	netns               *Netns
	dir, config, socket string
}

// NewSekisho writes the files of an installation; nothing runs yet.
func NewSekisho(t testing.TB, n *Netns, site Site) *Sekisho {
	t.Helper()
	dir := WorkDir(t, "sekisho")
	s := &Sekisho{netns: n, dir: dir, socket: filepath.Join(dir, "admin.sock")}
	s.Configure(t, site)
	return s
}

// Configure writes the site file anew; a running daemon does not hear of it.
func (s *Sekisho) Configure(t testing.TB, site Site) {
	t.Helper()
	if site.AuthPort == 0 {
		site.AuthPort, site.AcctPort = 1812, 1813
	}
	site.LogLevel = or(site.LogLevel, "debug")
	var text strings.Builder
	err := template.Must(template.New("site.yaml").Parse(siteYAML)).Execute(&text, struct {
		Site
		Socket, Store string
	}{site, s.socket, filepath.Join(s.dir, "sekisho.db")})
	if err != nil {
		t.Fatal(err)
	}
	s.config = WriteFile(t, s.dir, "site.yaml", text.String())
}

// Serve starts the daemon and waits until it listens. With a clock (RFC 3339) it
// rehearses: it lives as if it had been started at that moment.
func (s *Sekisho) Serve(t testing.TB, clock string) {
	t.Helper()
	args := []string{"serve", "--config", s.config}
	if clock != "" {
		args = append(args, "--clock", clock)
	}
	log := filepath.Join(s.dir, "sekisho.log")
	if err := os.Remove(log); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	s.Process = Start(t, s.dir, "sekisho", s.netns.Command(sekishoBinary, args...))
	s.WaitLog(t, startDeadline, "ready")
}

// Rehearse stops a running daemon and starts it again at another moment.
func (s *Sekisho) Rehearse(t testing.TB, clock string) {
	t.Helper()
	s.Process.Stop()
	s.Serve(t, clock)
}

// CLI runs a verb of sekisho against the daemon and answers its output; a failing
// verb fails the test.
func (s *Sekisho) CLI(t testing.TB, verb ...string) string {
	t.Helper()
	return Run(t, exec.Command(sekishoBinary, append(verb, "--socket", s.socket)...))
}

// A Contract is one line of the contracts file.
type Contract struct {
	Account, Course, Address, Area, Segment, Options, Status string
}

// contractColumns is the first line of a contracts file.
const contractColumns = "account,course,address,area,segment,options,status"

// Import gives the daemon these contracts.
func (s *Sekisho) Import(t testing.TB, contracts ...Contract) {
	t.Helper()
	lines := []string{contractColumns}
	for _, c := range contracts {
		lines = append(lines, strings.Join([]string{
			c.Account, c.Course, or(c.Address, "dynamic"), c.Area, or(c.Segment, "personal"), c.Options, or(c.Status, "active"),
		}, ","))
	}
	s.CLI(t, "contracts", "import", WriteFile(t, s.dir, "contracts.csv", strings.Join(lines, "\n")+"\n"))
}

// Explain asks the daemon why a login is treated as it is.
func (s *Sekisho) Explain(t testing.TB, login string) string {
	t.Helper()
	return s.CLI(t, "explain", login)
}
