package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sekisho/engine/yamldoc"
)

const guardedSite = `listen: {auth: "127.0.0.1:0"}
policy: asahi-net
nas: {tokyo: {source: 192.0.2.1, SECRET}}
aaa:
  servers: {home: {address: 192.0.2.9, SECRET}}
  pools: {main: {servers: home}}
  realms: {"*": main}
`

// TestFilesWithSecretsAreForTheDaemonOnly holds that of files which others may
// read those with secrets are warned of.
func TestFilesWithSecretsAreForTheDaemonOnly(t *testing.T) {
	t.Parallel()
	const inline, named = "secret: 0123456789abcdef0123456789abcdef", "secret-file: key"
	for _, tt := range []struct {
		secret    string
		site, key os.FileMode
		warnings  int
	}{
		{inline, 0o600, 0o600, 0},
		{inline, 0o640, 0o600, 0},
		{inline, 0o644, 0o600, 1},
		{inline, 0o660, 0o600, 1},
		{named, 0o644, 0o640, 0},
		{named, 0o644, 0o644, 2},
	} {
		dir := t.TempDir()
		for name, file := range map[string]struct {
			text string
			mode os.FileMode
		}{
			"site.yaml": {strings.ReplaceAll(guardedSite, "SECRET", tt.secret), tt.site},
			"key":       {"0123456789abcdef0123456789abcdef\n", tt.key},
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(file.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(dir, name), file.mode); err != nil {
				t.Fatal(err)
			}
		}
		_, problems := Load(filepath.Join(dir, "site.yaml"))
		said := 0
		for _, p := range problems {
			if strings.Contains(p.String(), "others may use it") {
				said++
			}
		}
		if problems.Err() != nil || said != tt.warnings {
			t.Errorf("%+v: got %v", tt, problems)
		}
	}
}

// loadCheckout is Load of a file that everybody may read, as in a checkout.
func loadCheckout(file string) (*Config, yamldoc.Problems) {
	c, problems := Load(file)
	return c, slices.DeleteFunc(problems, func(p yamldoc.Problem) bool { return strings.Contains(p.Text, "others may use it") })
}
