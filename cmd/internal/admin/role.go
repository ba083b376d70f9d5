package admin

import (
	"fmt"

	"sekisho/engine/yamldoc"
)

// Role is what somebody may do at the door. Each role may do what those before
// it may.
type Role int

// The roles. Anybody is who was not given one, or is not known at all.
const (
	Anybody  Role = iota // ask whether the daemon lives
	Viewer               // read what there is and what is decided
	Support              // grant and restrict, one account at a time
	Operator             // import, reload, read the audit
	Admin                // give tokens, take a backup
)

var roleNames = []string{"anybody", "viewer", "support", "operator", "admin"}

// String gives the name of the role.
func (r Role) String() string {
	if r < 0 || int(r) >= len(roleNames) {
		return fmt.Sprintf("role %d", int(r))
	}
	return roleNames[r]
}

// ParseRole reads the name of a role that can be given: any but anybody.
func ParseRole(name string) (Role, error) {
	for r := Viewer; r <= Admin; r++ {
		if r.String() == name {
			return r, nil
		}
	}
	return Anybody, fmt.Errorf("there is no role %q; %s", name, yamldoc.Suggest(name, roleNames[Viewer:]))
}

// MarshalText and UnmarshalText make the name what travels.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads any role's name.
func (r *Role) UnmarshalText(text []byte) (err error) {
	if string(text) == Anybody.String() {
		*r = Anybody
		return nil
	}
	*r, err = ParseRole(string(text))
	return err
}
