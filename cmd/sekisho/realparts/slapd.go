//go:build realparts

package realparts

import (
	"crypto/x509"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/go-ldap/ldap/v3"
)

//go:embed assets/slapd.ldif.tmpl
var slapdLDIF string

// slapdParts are what a test with a real directory needs.
func slapdParts() []Requirement {
	return []Requirement{
		Program("slapd", "slapd"), Program("slapadd", "slapd"), Program("ldapsearch", "ldap-utils"),
		File("/etc/ldap/schema/core.ldif", "slapd"),
	}
}

// SlapdConfig says how a slapd is set up.
type SlapdConfig struct {
	SessionLog int    // writes that it remembers for syncrepl; 1000 when 0
	SizeLimit  string // of a search; unlimited when empty
	Refuses    bool   // answers a cookie that is too old by "refresh required"
	Mirror     string // the URL of another server to be a copy of
	ServerID   int    // tells mirrors apart
	Port       int    // 0: a free one
}

// A Slapd is a directory of contracts below ou=contracts,o=isp. It can be killed
// and started again.
type Slapd struct {
	*Process
	SlapdConfig
	Dir, URL, Socket, Secure string // URL is ldap://, Secure ldaps://, Socket ldapi://
	TLS                      TLSFiles
	ClientCert, ClientKey    string
}

// freePort is one that nobody listens on at this moment: slapd takes no 0.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// NewSlapd makes the directory with LDIF in it; Serve starts it.
func NewSlapd(t testing.TB, config SlapdConfig, ldif ...string) *Slapd {
	t.Helper()
	dir := WorkDir(t, "slapd")
	s := &Slapd{SlapdConfig: config, Dir: dir}
	if s.SessionLog == 0 {
		s.SessionLog = 1000
	}
	s.SizeLimit = or(s.SizeLimit, "unlimited")
	s.certificates(t)
	s.address(t)
	for _, sub := range []string{"conf", "db"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var text strings.Builder
	if err := template.Must(template.New("slapd.ldif").Parse(slapdLDIF)).Execute(&text, s); err != nil {
		t.Fatal(err)
	}
	all := text.String()
	if s.ServerID != 0 {
		all = strings.Replace(all, "cn: config\n", fmt.Sprintf("cn: config\nolcServerID: %d\n", s.ServerID), 1)
	}
	Run(t, exec.Command("slapadd", "-n", "0", "-F", filepath.Join(dir, "conf"), "-l", WriteFile(t, dir, "config.ldif", all)))
	if config.Mirror == "" || len(ldif) > 0 {
		s.Load(t, append([]string{slapdTree}, ldif...)...)
	}
	return s
}

// slapdTree is what stands above the contracts.
const slapdTree = `dn: o=isp
objectClass: organization
o: isp

dn: ou=contracts,o=isp
objectClass: organizationalUnit
ou: contracts

dn: ou=apps,o=isp
objectClass: organizationalUnit
ou: apps

dn: cn=sekisho,ou=apps,o=isp
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: sekisho
userPassword: secret
`

// Load adds entries while the server does not run.
func (s *Slapd) Load(t testing.TB, ldif ...string) {
	t.Helper()
	file := WriteFile(t, s.Dir, "data.ldif", strings.Join(ldif, "\n"))
	Run(t, exec.Command("slapadd", "-q", "-n", "1", "-F", filepath.Join(s.Dir, "conf"), "-l", file))
}

func (s *Slapd) address(t testing.TB) {
	port := s.Port
	if port == 0 {
		port = freePort(t)
	}
	s.Port = port
	s.URL, s.Secure = fmt.Sprintf("ldap://127.0.0.1:%d", port), fmt.Sprintf("ldaps://127.0.0.1:%d", freePort(t))
	s.Socket = "ldapi://" + filepath.Join(s.Dir, "socket")
}

// certificates makes an authority, a server for 127.0.0.1 only and a client
// named sekisho.
func (s *Slapd) certificates(t testing.TB) {
	authority := template509("Test Authority")
	authority.IsCA, authority.BasicConstraintsValid, authority.KeyUsage = true, true, x509.KeyUsageCertSign
	authorityKey := newKey(t)
	s.TLS.CA = WriteFile(t, s.Dir, "ca.pem", pemText("CERTIFICATE", issue(t, authority, authority, authorityKey, authorityKey)))
	leaf := func(name string, usage x509.ExtKeyUsage) (certificate, key string) {
		c := template509(name)
		c.IPAddresses, c.ExtKeyUsage = []net.IP{net.IPv4(127, 0, 0, 1)}, []x509.ExtKeyUsage{usage}
		k := newKey(t)
		der, err := x509.MarshalECPrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return WriteFile(t, s.Dir, name+".pem", pemText("CERTIFICATE", issue(t, c, authority, k, authorityKey))),
			WriteFile(t, s.Dir, name+".key", pemText("EC PRIVATE KEY", der))
	}
	s.TLS.Certificate, s.TLS.Key = leaf("server", x509.ExtKeyUsageServerAuth)
	s.ClientCert, s.ClientKey = leaf("sekisho", x509.ExtKeyUsageClientAuth)
}

// Serve starts the server and waits until it answers.
func (s *Slapd) Serve(t testing.TB) {
	t.Helper()
	listeners := strings.Join([]string{s.URL, s.Secure, "ldapi://" + strings.ReplaceAll(strings.TrimPrefix(s.Socket, "ldapi://"), "/", "%2F")}, " ")
	s.Process = Start(t, s.Dir, "slapd", exec.Command("slapd", "-F", filepath.Join(s.Dir, "conf"), "-h", listeners, "-d", "0"))
	Eventually(t, startDeadline, "slapd", func() error {
		if s.Exited() {
			t.Fatal("slapd ended")
		}
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "ldap://"))
		if err == nil {
			_ = conn.Close()
		}
		return err
	})
}

// Admin is a connection that may write.
func (s *Slapd) Admin(t testing.TB) *ldap.Conn {
	t.Helper()
	conn, err := ldap.DialURL(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.Bind("cn=admin,o=isp", "admin"); err != nil {
		t.Fatal(err)
	}
	conn.SetTimeout(20 * time.Second)
	return conn
}

// An ISPEntry is an entry of the directory.
type ISPEntry struct {
	ID, Login, Course, Address, Status, Segment string
	Options                                     []string
}

// DN is where it stands.
func (e ISPEntry) DN() string { return "ispContractId=" + e.ID + ",ou=contracts,o=isp" }

func (e ISPEntry) attributes() [][2]string {
	all := [][2]string{
		{"ispContractId", e.ID}, {"ispLogin", e.Login}, {"ispCourse", e.Course}, {"ispAddressType", e.Address},
		{"ispStatus", or(e.Status, "active")}, {"ispSegment", or(e.Segment, "personal")},
	}
	for _, o := range e.Options {
		all = append(all, [2]string{"ispOption", o})
	}
	return all
}

// LDIF is the entry as slapadd reads it.
func (e ISPEntry) LDIF() string {
	var b strings.Builder
	fmt.Fprintf(&b, "dn: %s\nobjectClass: ispContract\n", e.DN())
	for _, a := range e.attributes() {
		if a[1] != "" {
			fmt.Fprintf(&b, "%s:: %s\n", a[0], base64.StdEncoding.EncodeToString([]byte(a[1])))
		}
	}
	return b.String() + "\n"
}

// AddTo adds the entry to a running server.
func (e ISPEntry) AddTo(t testing.TB, conn *ldap.Conn) {
	t.Helper()
	r := ldap.NewAddRequest(e.DN(), nil)
	r.Attribute("objectClass", []string{"ispContract"})
	values := map[string][]string{}
	for _, a := range e.attributes() {
		if a[1] != "" {
			values[a[0]] = append(values[a[0]], a[1])
		}
	}
	for name, v := range values {
		r.Attribute(name, v)
	}
	if err := conn.Add(r); err != nil {
		t.Fatalf("add %s: %v", e.DN(), err)
	}
}

// Site are the sections of a site file that follow this directory by its socket,
// which is there in every network namespace.
func (s *Slapd) Site(sync string) string {
	return fmt.Sprintf(`ldap:
  servers: %q
  external: true
  base: ou=contracts,o=isp
  filter: (objectClass=ispContract)
  attributes: {account: ispLogin, course: ispCourse, address: ispAddressType, segment: ispSegment, options: ispOption, status: ispStatus}
sync: {%s}
`, s.Socket, sync)
}

// Hold changes a contract and waits until the daemon holds the change; it answers
// the id.
func (s *Slapd) Hold(t testing.TB, daemon *Sekisho) string {
	t.Helper()
	modify := ldap.NewModifyRequest(ISPEntry{ID: "C1"}.DN(), nil)
	modify.Replace("ispCourse", []string{fmt.Sprint("course ", time.Now().UnixNano())})
	if err := s.Admin(t).Modify(modify); err != nil {
		t.Fatal(err)
	}
	client := admin.Dial(daemon.socket)
	defer client.Close()
	id := ""
	Eventually(t, 20*time.Second, "a held change", func() error {
		page, err := client.HeldSync(t.Context(), "", 1)
		if err == nil && page.Held == nil {
			err = errors.New("nothing is held")
		}
		if err == nil {
			id = page.Held.ID
		}
		return err
	})
	return id
}
