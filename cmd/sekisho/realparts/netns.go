//go:build realparts

package realparts

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	netnsDir    = "/run/netns"
	netnsPrefix = "sekisho-"
)

// netnsCount numbers the namespaces of this process.
var netnsCount atomic.Int32

// A Netns is a network namespace that a test made, with loopback up.
type Netns struct{ name string }

// NewNetns makes a namespace named after this process and the role that lives in
// it; it is removed when the test ends.
func NewNetns(t testing.TB, role string) *Netns {
	t.Helper()
	n := &Netns{name: fmt.Sprintf("%s%d-%d-%s", netnsPrefix, os.Getpid(), netnsCount.Add(1), role)}
	Run(t, exec.Command("ip", "netns", "add", n.name))
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "netns", "del", n.name).CombinedOutput(); err != nil {
			t.Errorf("remove namespace %s: %v: %s", n.name, err, out)
		}
	})
	n.IP(t, "link", "set", "lo", "up")
	return n
}

// IP runs ip(8) in the namespace.
func (n *Netns) IP(t testing.TB, args ...string) string {
	t.Helper()
	return Run(t, exec.Command("ip", append([]string{"-n", n.name}, args...)...))
}

// Sysctl sets a kernel setting of the namespace, e.g. net/ipv4/ip_forward to 1.
func (n *Netns) Sysctl(t testing.TB, name, value string) {
	t.Helper()
	err := n.Do(func() error {
		return os.WriteFile("/proc/sys/"+name, []byte(value), 0o644)
	})
	if err != nil {
		t.Fatalf("sysctl %s: %v", name, err)
	}
}

// Command is a program to be run in the namespace. ip execs it in its own place,
// so the process id is the program's.
func (n *Netns) Command(program string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", n.name, program}, args...)...)
}

// Do runs f on a thread inside the namespace. Sockets that f opens stay in the
// namespace wherever they are used later.
func (n *Netns) Do(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		result <- n.enter(f)
	}()
	return <-result
}

// enter moves the calling thread into the namespace for good and runs f.
func (n *Netns) enter(f func() error) error {
	handle, err := os.Open(filepath.Join(netnsDir, n.name))
	if err != nil {
		return err
	}
	defer handle.Close()
	if err := unix.Setns(int(handle.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter namespace %s: %w", n.name, err)
	}
	return f()
}

// Listen is net.Listen inside the namespace.
func (n *Netns) Listen(network, address string) (l net.Listener, err error) {
	err = n.Do(func() (err error) {
		l, err = net.Listen(network, address)
		return err
	})
	return l, err
}

// Dial is net.Dial inside the namespace.
func (n *Netns) Dial(network, address string) (c net.Conn, err error) {
	err = n.Do(func() (err error) {
		c, err = net.Dial(network, address)
		return err
	})
	return c, err
}

// Veth joins two namespaces with a cable whose ends are named aEnd and bEnd.
func Veth(t testing.TB, a *Netns, aEnd string, b *Netns, bEnd string) {
	t.Helper()
	Run(t, exec.Command("ip", "link", "add", aEnd, "netns", a.name, "type", "veth",
		"peer", "name", bEnd, "netns", b.name))
	a.IP(t, "link", "set", aEnd, "up")
	b.IP(t, "link", "set", bEnd, "up")
}

// sweepNetns removes namespaces that a killed run of these tests left behind.
func sweepNetns() {
	left, _ := filepath.Glob(filepath.Join(netnsDir, netnsPrefix+"*"))
	for _, path := range left {
		name := filepath.Base(path)
		pid, err := strconv.Atoi(strings.SplitN(strings.TrimPrefix(name, netnsPrefix), "-", 2)[0])
		if err != nil || syscall.Kill(pid, 0) == nil {
			continue
		}
		_ = exec.Command("ip", "netns", "del", name).Run() // best effort: a run of its own removes what it made
	}
}
