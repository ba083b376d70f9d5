package config

import (
	"crypto/tls"
	"io/fs"
	"net/netip"
	"os/user"
	"strconv"
	"strings"
	"time"

	"sekisho/engine/yamldoc"
)

// Admin is the operators' door.
type Admin struct {
	Mode        fs.FileMode // of the socket
	Group       int         // gid of the socket; 0: the daemon's own
	Roles       Roles
	Listen      netip.AddrPort   // for programs with tokens; not valid: nowhere
	Certificate *tls.Certificate // nil: Listen is plain, and a loopback address
}

// Roles are the roles of users of the socket, as words of the site file:
// viewer, support, operator or admin. The highest one counts.
type Roles struct {
	Logins map[string][]string // by login name
	UIDs   map[int][]string
	GIDs   map[int][]string
}

// OverrideLimits are what the house allows of one kind of override.
type OverrideLimits struct {
	MaxLength    time.Duration // 0: unlimited
	RequireUntil bool
}

func (s overrideSpec) limits() OverrideLimits {
	return OverrideLimits{time.Duration(s.MaxDays) * 24 * time.Hour, s.RequireUntil}
}

func (c *compiler) admin() Admin {
	s := c.spec.Admin
	a := Admin{Mode: 0o600, Group: c.gid([]any{"admin", "socket-group"}, s.SocketGroup), Roles: c.roles(), Listen: s.Listen.AddrPort}
	if mode, err := strconv.ParseUint(s.SocketMode, 8, 12); err == nil {
		a.Mode = fs.FileMode(mode)
	}
	if a.Mode == 0o600 && len(a.Roles.Logins)+len(a.Roles.UIDs)+len(a.Roles.GIDs) > 0 {
		c.warning([]any{"admin", "roles"}, "nobody but root and the user that runs the daemon can open the socket: say socket-mode, 0660 with a socket-group or 0666")
	}
	a.Certificate = c.certificate(s)
	if a.Listen.IsValid() && a.Certificate == nil && !a.Listen.Addr().IsLoopback() {
		c.problem([]any{"admin", "listen"}, "%s is not a loopback address: tokens would cross the network in the clear, say tls-cert and tls-key", a.Listen)
	}
	return a
}

func (c *compiler) certificate(s adminSpec) *tls.Certificate {
	switch {
	case s.TLSCert == "" && s.TLSKey == "":
		return nil
	case s.TLSKey == "":
		c.problem([]any{"admin", "tls-cert"}, "expected tls-key as well")
		return nil
	case s.TLSCert == "":
		c.problem([]any{"admin", "tls-key"}, "expected tls-cert as well")
		return nil
	case !s.Listen.IsValid():
		c.problem([]any{"admin", "tls-cert"}, "expected listen as well: on the unix socket there is no TLS")
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.path(s.TLSCert), c.path(s.TLSKey))
	if err != nil {
		c.problem([]any{"admin", "tls-cert"}, "cannot use the certificate: %v", err)
		return &tls.Certificate{} // there is one, so that listen is not refused for want of it
	}
	return &pair
}

func (c *compiler) roles() Roles {
	r := Roles{Logins: map[string][]string{}, UIDs: map[int][]string{}, GIDs: map[int][]string{}}
	s := c.spec.Admin.Roles
	for role, names := range map[string]yamldoc.Strings{"viewer": s.Viewer, "support": s.Support, "operator": s.Operator, "admin": s.Admin} {
		for i, name := range names {
			c.role(r, []any{"admin", "roles", role, i}, role, name)
		}
	}
	return r
}

// role gives a role to a user or a group. Groups become numbers here: what the
// kernel tells of who asks are numbers.
func (c *compiler) role(r Roles, path []any, role, name string) {
	if group, ok := strings.CutPrefix(name, "@"); ok {
		if group == "" {
			c.problem(path, "expected the name of a group after @")
		}
		if gid := c.gid(path, group); gid > 0 {
			r.GIDs[gid] = append(r.GIDs[gid], role)
		}
		return
	}
	if uid, err := strconv.Atoi(name); err == nil && uid >= 0 {
		r.UIDs[uid] = append(r.UIDs[uid], role)
		return
	}
	if _, err := user.Lookup(name); err != nil || name == "" {
		c.warning(path, "there is no user %q on this machine; a group is @NAME", name)
	}
	r.Logins[name] = append(r.Logins[name], role)
}

// gid reads a group's name or number; 0 is none, or one that is not there.
func (c *compiler) gid(path []any, name string) int {
	if name == "" {
		return 0
	}
	if gid, err := strconv.Atoi(name); err == nil && gid > 0 {
		return gid
	}
	group, err := user.LookupGroup(name)
	if err != nil {
		c.problem(path, "there is no group %q on this machine", name)
		return 0
	}
	gid, err := strconv.Atoi(group.Gid)
	if err != nil || gid == 0 {
		c.problem(path, "the group %q is none that a role or a socket can be given to", name)
	}
	return gid
}
