package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sekisho/radius"
)

// shortSecret is the length up to which a secret is warned of: one that can be
// found by trying (draft-ietf-radext-deprecating-radius).
const shortSecret = 12

// secret reads a shared secret, from the site file or from the file that it
// names. The octets are kept beside the Secret, to compare entries of one
// source.
func (c *compiler) secret(path []any, inline, file string) (*radius.Secret, []byte) {
	var octets []byte
	switch {
	case inline != "" && file != "":
		c.problem(with(path, "secret-file"), "expected secret or secret-file, got both")
		return nil, nil
	case inline != "":
		octets = []byte(inline)
		c.inClear(with(path, "secret"))
	case file != "":
		octets = c.secretFile(with(path, "secret-file"), file)
	default:
		c.problem(path, "expected a shared secret: secret, or secret-file with the name of a file that holds it")
	}
	if len(octets) == 0 {
		return nil, nil
	}
	if len(octets) <= shortSecret {
		c.warning(path, "the shared secret has %d octets; up to %d can be found by trying, use 32 or more", len(octets), shortSecret)
	}
	return radius.NewSecret(octets), octets
}

// secretFile reads a secret without the line end that editors leave. A name
// without a slash is looked for among systemd's credentials first.
func (c *compiler) secretFile(path []any, name string) []byte {
	file, ours := c.path(name), true
	if credentials := os.Getenv("CREDENTIALS_DIRECTORY"); credentials != "" && !strings.Contains(name, "/") {
		file, ours = filepath.Join(credentials, name), false // systemd guards it
	}
	octets, err := readSecret(file)
	if err != nil {
		c.problem(path, "cannot read the secret: %v", err)
		return nil
	}
	if ours {
		c.guarded(path, file)
	}
	octets = bytes.TrimRight(octets, "\r\n")
	if len(octets) == 0 {
		c.problem(path, "%s is empty: a shared secret must not be", file)
	}
	return octets
}

// inClear warns, once, of a site file that holds secrets and that others may
// read.
func (c *compiler) inClear(path []any) {
	if !c.clear {
		c.clear = true
		c.guarded(path, c.file)
	}
}

// forOthers are the modes that a file with secrets must not have. Its group may
// read it: often that is how the daemon does.
const forOthers = 0o027

// guarded warns of a file with secrets that is open to others. One that is not
// there is none.
func (c *compiler) guarded(path []any, file string) {
	info, err := os.Stat(file)
	if err == nil && info.Mode()&forOthers != 0 {
		c.warning(path, "%s holds a secret and has mode %04o: others may use it; chmod 0600, or 0640 with the daemon's group", file, info.Mode().Perm())
	}
}

// maxSecret bounds what a secret file may hold, so that a wrong name is an
// error rather than a long wait.
const maxSecret = 4096

func readSecret(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSecret {
		return nil, fmt.Errorf("%s: expected a file of at most %d bytes", file, maxSecret)
	}
	return os.ReadFile(file)
}

// with extends a path without disturbing others that share its beginning.
func with(path []any, more ...any) []any {
	return append(append([]any(nil), path...), more...)
}
