//go:build realparts

package realparts

import (
	"fmt"
	"os"
	"testing"
)

// TestMain builds the program under test once.
func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sekisho-realparts-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// Daemons live in sbin, which a root without a login shell may not search.
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/local/sbin:/usr/sbin:/sbin"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if sekishoBinary, err = buildSekisho(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	sweepNetns()
	return m.Run()
}
