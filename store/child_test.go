package store

import (
	"os"
	"os/exec"
	"testing"
)

// children are what this test binary does as a process of its own, by name.
var children = map[string]func() error{
	"full disk": fullDisk,
	"killed":    work,
	"scale":     atScale,
}

// childKey names what a child is to do.
const childKey = "SEKISHO_STORE_CHILD"

func TestMain(m *testing.M) {
	child := children[os.Getenv(childKey)]
	if child == nil {
		os.Exit(m.Run())
	}
	if err := child(); err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

// childCommand runs this binary as one of children, with settings in its
// environment.
func childCommand(t testing.TB, name string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(append(os.Environ(), childKey+"="+name), env...)
	c.Stderr = os.Stderr
	return c
}
