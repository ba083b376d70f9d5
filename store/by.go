package store

import "strings"

// By is who changes something, from where and why. It stands in the audit, and
// comes from the connection, never from what the caller wrote.
type By struct {
	Who  string // "root (uid 0)", "token noc", "sync", "daemon"; required
	From string // "socket", "192.0.2.7", "ldap://…"
	Why  string // free text, as far as the change has no reason of its own
}

// Check says why a By cannot stand in the audit, for changes that are made
// before they are recorded. The error is FieldErrors.
func (b By) Check() error {
	_, bad := b.tidy()
	return bad.orNil()
}

// tidy brings a By into the form that is stored.
func (b By) tidy() (By, FieldErrors) {
	var bad FieldErrors
	for _, f := range []field{
		{"who", &b.Who, true, maxField},
		{"from", &b.From, false, maxField},
		{"reason", &b.Why, false, maxField},
	} {
		*f.value = strings.TrimSpace(*f.value)
		bad = bad.text(f)
	}
	return b, bad
}
