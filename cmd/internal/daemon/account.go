package daemon

import (
	"fmt"
	"net/http"

	"sekisho/cmd/internal/admin"
	"sekisho/engine"
	"sekisho/engine/yamldoc"
)

// account finds whom people mean: an account that has a contract, or one that
// the policy reads in a login. Without a contract it is refused, unless force
// says that it is meant all the same.
func (d *Daemon) account(p *engine.Policy, text string, force bool) (string, error) {
	readings := []string{text}
	if read := p.ReadLogin(text).Account; read != "" && read != engine.Fold(text) {
		readings = append(readings, read)
	}
	for _, account := range readings {
		c, found, err := d.store.Contract(account)
		if err != nil {
			return "", err
		}
		if found {
			return c.Account, nil
		}
	}
	meant := readings[len(readings)-1]
	if force {
		return meant, nil
	}
	return "", d.unknown(meant)
}

// unknown says that an account has no contract, and which ones are spelled
// nearly so.
func (d *Daemon) unknown(account string) error {
	near, err := d.near(account)
	if err != nil {
		return err
	}
	detail := fmt.Sprintf("there is no contract of account %q", account)
	if near != "" {
		detail += fmt.Sprintf("; did you mean %q?", near)
	}
	return &admin.Problem{Status: http.StatusNotFound, Detail: detail}
}

// nearby is how many accounts of one beginning are looked at.
const nearby = 200

// near finds the account that is most probably meant among those that begin as
// it does, in as many letters as possible. It reads a few short pages only: of
// ten million accounts most are never looked at.
func (d *Daemon) near(account string) (string, error) {
	letters := []rune(engine.Fold(account))
	for cut := 0; cut <= len(letters)/2; cut++ {
		prefix := string(letters[:len(letters)-cut])
		if prefix == "" {
			break
		}
		found, err := d.store.Contracts(prefix, "", nearby)
		if err != nil {
			return "", err
		}
		var names []string
		for _, c := range found {
			names = append(names, engine.Fold(c.Account))
		}
		if name, ok := yamldoc.Nearest(string(letters), names); ok {
			return name, nil
		}
	}
	return "", nil
}
