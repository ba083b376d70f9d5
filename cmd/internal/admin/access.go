package admin

// Access is which role a user of the socket has, from the site file.
type Access struct {
	Own    int             // the uid of the daemon's user, who is an admin as root is
	Logins map[string]Role // by login name
	UIDs   map[int]Role
	GIDs   map[int]Role // by a group's number
}

// RoleOf gives the highest role that the peer has by its name, its number or
// one of its groups.
func (a Access) RoleOf(p Peer) Role {
	if p.UID == 0 || p.UID == a.Own {
		return Admin
	}
	role := max(a.Logins[p.Login], a.UIDs[p.UID], a.GIDs[p.GID])
	for _, gid := range p.Groups {
		role = max(role, a.GIDs[gid])
	}
	return role
}
