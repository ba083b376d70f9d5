//go:build realparts

package realparts

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"
)

// freeradiusDictionaries is where Debian keeps the attribute names.
const freeradiusDictionaries = "/usr/share/freeradius"

// startDeadline is how long a daemon may take to become ready.
const startDeadline = 20 * time.Second

//go:embed assets/radiusd.conf.tmpl
var radiusdConf string

// An AAAUser is an entry of FreeRADIUS's users file.
type AAAUser struct {
	Name     string
	Password string
	Reply    []string // attributes of the Access-Accept, e.g. "Framed-IP-Address = 203.0.113.7"
}

// AAAConfig says how a FreeRADIUS is set up.
type AAAConfig struct {
	Address            string // where it listens; 127.0.0.1 when empty
	AuthPort, AcctPort int
	Client             string // the only client it answers; 127.0.0.1 when empty
	Secret             string // shared with that client
	Users              []AAAUser
	EAP                *TLSFiles // what EAP needs; without it there is no EAP
	Modules, PostAuth  string    // further configuration of these sections
}

// A FreeRADIUS is a running AAA server.
type FreeRADIUS struct {
	*Process
	dir    string
	netns  *Netns
	config AAAConfig
}

// StartFreeRADIUS starts Debian's freeradius in the namespace, with a configuration
// of its own. It answers its client only when a request carries a valid
// Message-Authenticator.
func StartFreeRADIUS(t testing.TB, n *Netns, config AAAConfig) *FreeRADIUS {
	t.Helper()
	if config.Address == "" {
		config.Address = "127.0.0.1"
	}
	if config.Client == "" {
		config.Client = "127.0.0.1"
	}
	f := &FreeRADIUS{dir: WorkDir(t, "freeradius"), netns: n, config: config}
	t.Cleanup(func() { ShowOnFailure(t, filepath.Join(f.dir, "radius.log")) })
	f.writeConfig(t)
	f.start(t)
	return f
}

// Restart starts the server again after Stop, with the files it had.
func (f *FreeRADIUS) Restart(t testing.TB) {
	t.Helper()
	f.Stop()
	if err := os.Truncate(filepath.Join(f.dir, "radius.log"), 0); err != nil {
		t.Fatal(err)
	}
	f.start(t)
}

func (f *FreeRADIUS) start(t testing.TB) {
	t.Helper()
	f.Process = Start(t, f.dir, "freeradius", f.netns.Command("freeradius", "-f", "-n", "radiusd",
		"-d", f.dir, "-D", freeradiusDictionaries, "-l", filepath.Join(f.dir, "radius.log")))
	f.WaitLog(t, startDeadline, "Ready to process requests", filepath.Join(f.dir, "radius.log"))
}

// writeConfig writes the server's directory.
func (f *FreeRADIUS) writeConfig(t testing.TB) {
	t.Helper()
	var conf strings.Builder
	err := template.Must(template.New("radiusd.conf").Parse(radiusdConf)).Execute(&conf, struct {
		AAAConfig
		Dir string
	}{f.config, f.dir})
	if err != nil {
		t.Fatal(err)
	}
	WriteFile(t, f.dir, "radiusd.conf", conf.String())
	WriteFile(t, f.dir, "users", usersFile(f.config.Users))
	WriteFile(t, f.dir, "dictionary", "")
}

// usersFile is the text of FreeRADIUS's users file.
func usersFile(users []AAAUser) string {
	var b strings.Builder
	for _, user := range users {
		fmt.Fprintf(&b, "%q Cleartext-Password := %s\n", user.Name, quoteOctets(user.Password))
		if len(user.Reply) > 0 {
			fmt.Fprintf(&b, "\t%s\n", strings.Join(user.Reply, ",\n\t"))
		}
	}
	return b.String()
}

// quoteOctets writes text as FreeRADIUS reads it: what is no plain character in octal.
func quoteOctets(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || strings.IndexByte(`"\%`, c) >= 0 {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return `"` + b.String() + `"`
}

// Requests lists the Access-Requests that the server has seen and found valid.
func (f *FreeRADIUS) Requests(t testing.TB) []Attributes { return f.detail(t, "detail-auth") }

// Accounting lists the accounting records that the server has written.
func (f *FreeRADIUS) Accounting(t testing.TB) []Attributes { return f.detail(t, "detail-acct") }

// WaitAccounting waits for a record of a session in the state and answers it.
func (f *FreeRADIUS) WaitAccounting(t testing.TB, status string, has func(Attributes) bool) Attributes {
	t.Helper()
	var found Attributes
	Eventually(t, 15*time.Second, "accounting "+status+" at the AAA server", func() error {
		records := f.Accounting(t)
		for _, record := range records {
			if record.Get("Acct-Status-Type") == status && has(record) {
				found = record
				return nil
			}
		}
		return fmt.Errorf("not among %d records", len(records))
	})
	return found
}

// detail reads a file of the detail module.
func (f *FreeRADIUS) detail(t testing.TB, name string) []Attributes {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return parseDetail(string(raw))
}

// parseDetail reads records: a line with the time, indented attributes, a blank line.
func parseDetail(text string) []Attributes {
	var records []Attributes
	for _, block := range strings.Split(text, "\n\n") {
		if record := parseAttributes(block); len(record) > 0 {
			records = append(records, record)
		}
	}
	return records
}
