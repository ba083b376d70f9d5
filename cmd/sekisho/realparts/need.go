//go:build realparts

package realparts

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A Requirement is something of the machine that a test cannot do without. It
// answers the sentence to fail with, or nothing when the machine has it.
type Requirement func() string

// Need fails the test at once, naming everything that is missing and how to get
// it. A test on real parts never skips.
func Need(t testing.TB, wants ...Requirement) {
	t.Helper()
	var missing []string
	for _, want := range wants {
		if sentence := want(); sentence != "" {
			missing = append(missing, sentence)
		}
	}
	if len(missing) > 0 {
		t.Fatalf("this machine cannot run the test:\n  %s", strings.Join(missing, "\n  "))
	}
}

// Root wants the rights to make network namespaces.
func Root() string {
	if os.Geteuid() == 0 {
		return ""
	}
	return "the test does not run as root: run it as root, or in a container with CAP_SYS_ADMIN and CAP_NET_ADMIN"
}

// Namespaces wants a kernel and a sandbox that let root make a network namespace.
func Namespaces() string {
	if sentence := Program("ip", "iproute2")(); sentence != "" {
		return sentence
	}
	out, err := exec.Command("unshare", "--net", "true").CombinedOutput()
	if err == nil {
		return ""
	}
	return fmt.Sprintf("no network namespace can be made (%s): in a container give CAP_SYS_ADMIN and CAP_NET_ADMIN, e.g. docker run --privileged",
		strings.TrimSpace(string(out)))
}

// Tun wants the TUN device, on which l2tpns puts its subscribers.
func Tun() string {
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err == nil {
		f.Close()
		return ""
	}
	return fmt.Sprintf("/dev/net/tun cannot be opened (%v): modprobe tun on the host; in a container add --device /dev/net/tun", err)
}

// Ptrace wants a sandbox that lets User-Mode Linux trace its own processes.
func Ptrace() string {
	scope, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if err != nil || strings.TrimSpace(string(scope)) != "3" {
		return ""
	}
	return "kernel.yama.ptrace_scope is 3, User-Mode Linux cannot trace its processes: set it to 0 or 1"
}

// Program wants a program on the PATH or in an sbin directory, and names the
// Debian package that has it.
func Program(name, pkg string) Requirement {
	return func() string {
		if _, err := exec.LookPath(name); err == nil {
			return ""
		}
		return fmt.Sprintf("program %s not found: apt-get install --no-install-recommends %s", name, pkg)
	}
}

// File wants a file at a fixed place, and names the Debian package that has it.
func File(path, pkg string) Requirement {
	return func() string {
		if _, err := os.Stat(path); err == nil {
			return ""
		}
		return fmt.Sprintf("file %s not found: apt-get install --no-install-recommends %s", path, pkg)
	}
}

// wireParts are what every test between a NAS and an AAA server needs.
func wireParts() []Requirement {
	return []Requirement{
		Root,
		Namespaces,
		Program("freeradius", "freeradius"),
		Program("radclient", "freeradius-utils"),
		File(freeradiusDictionaries+"/dictionary", "freeradius-common"),
	}
}

// lineParts are what a test with a real access router and a real line needs.
func lineParts() []Requirement {
	return append(wireParts(),
		Tun,
		Ptrace,
		Program("l2tpns", "l2tpns"),
		Program("linux.uml", "user-mode-linux"),
		Program("insmod", "kmod"),
		Program("pppd", "ppp"),
		Program("busybox", "busybox-static"),
		Program("setpriv", "util-linux"),
		Program("unshare", "util-linux"),
		Program("gcc", "gcc"),
		File("/usr/include/stdlib.h", "libc6-dev"),
	)
}
