//go:build realparts

package realparts

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// charonProgram is strongSwan's daemon, which is on no PATH.
const charonProgram = "/usr/lib/ipsec/charon"

// charonConf is strongswan.conf. ESP is done in user space on a TUN device: the
// kernel of a test machine need not know it.
const charonConf = `charon {
	load = random nonce x509 pubkey pem pkcs1 pkcs8 openssl aes hmac kdf md5 sha1 sha2 eap-identity eap-mschapv2 eap-radius kernel-libipsec kernel-netlink socket-default vici updown
	filelog {
		stdout {
			default = 1
			flush_line = yes
		}
	}
	plugins {
		vici {
			socket = unix://%[1]s/vici
		}
		eap-radius {
%[2]s
		}
	}
}
swanctl {
	load = random x509 pubkey pem pkcs1 pkcs8 openssl
}
`

// A Charon is a running IKE daemon of strongSwan.
type Charon struct {
	*Process
	dir string
}

// StartCharon starts one in the namespace with a section eap-radius and a file of
// swanctl, and lets it have an authority, a certificate and its key.
func StartCharon(t testing.TB, n *Netns, name, eapRadius, swanctl string, files *TLSFiles) *Charon {
	t.Helper()
	dir := WorkDir(t, name)
	c := &Charon{dir: dir}
	WriteFile(t, dir, "strongswan.conf", fmt.Sprintf(charonConf, dir, eapRadius))
	WriteFile(t, dir, "swanctl.conf", swanctl)
	for sub, file := range map[string]string{"x509ca": files.CA, "x509": files.Certificate, "private": files.Key} {
		copyInto(t, filepath.Join(dir, sub), file)
	}
	run := filepath.Join(dir, "run")
	if err := os.Mkdir(run, 0o755); err != nil {
		t.Fatal(err)
	}
	// The process id is kept in a fixed place. ip gives what it runs a mount namespace of its own, so each has its own /run.
	script := fmt.Sprintf("mount --bind '%s' /run && STRONGSWAN_CONF='%s/strongswan.conf' exec %s", run, dir, charonProgram)
	c.Process = Start(t, dir, name, n.Command("sh", "-c", script))
	Eventually(t, startDeadline, name+" to take its configuration", func() error {
		if c.Exited() {
			t.Fatalf("%s ended: %v", name, c.cmd.ProcessState)
		}
		out, err := c.swanctl("--load-all", "--noprompt", "--file", filepath.Join(dir, "swanctl.conf"))
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	return c
}

func copyInto(t testing.TB, dir, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.Mkdir(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	WriteFile(t, dir, filepath.Base(file), string(text))
}

// swanctl gives the daemon a command. Its socket is a file, so it is reached from
// every namespace.
func (c *Charon) swanctl(command string, args ...string) (string, error) {
	cmd := exec.Command("swanctl", append([]string{command, "--uri", "unix://" + c.dir + "/vici"}, args...)...)
	cmd.Env = append(os.Environ(), "STRONGSWAN_CONF="+c.dir+"/strongswan.conf", "SWANCTL_DIR="+c.dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Connect brings up the tunnel of a child of the configuration.
func (c *Charon) Connect(t testing.TB, child string) {
	t.Helper()
	if out, err := c.swanctl("--initiate", "--child", child, "--timeout", "15"); err != nil {
		t.Fatalf("connect: %v\n%s", err, out)
	}
}

// Gone waits until no tunnel is left.
func (c *Charon) Gone(t testing.TB) {
	t.Helper()
	Eventually(t, promptly, "the tunnel to go down", func() error {
		out, err := c.swanctl("--list-sas")
		if err != nil || strings.TrimSpace(out) != "" {
			return errors.Join(err, errors.New(out))
		}
		return nil
	})
}
