package daemon

import (
	"maps"
	"os"
	"slices"

	"sekisho/cmd/internal/admin"
	"sekisho/radius"
)

// Status tells how the daemon is.
func (d *Daemon) Status() admin.Status {
	c, stats := d.config.Load(), d.proxy.Stats()
	status := admin.Status{
		Version:  d.options.Version,
		PID:      os.Getpid(),
		Started:  d.started,
		Clock:    d.options.Clock().In(c.Policy.Location),
		Timezone: c.Policy.Location.String(),
		Config:   c.File,
		Policy:   c.Policy.Name,
		Reload:   *d.last.Load(),
		Held:     stats.Held,
	}
	for _, action := range c.Policy.Actions {
		status.Actions = append(status.Actions, action.Name)
	}
	status.Auth, status.Acct = d.Addresses()
	if d.keeper.relay != nil {
		status.CoA = printed(d.keeper.relay.Addresses())
	}
	status.Contracts, _ = d.store.Count() // a closed store shows as none
	status.Sessions = d.live.status()
	for _, n := range c.Radius.NAS {
		status.NAS = append(status.NAS, nasStatus(n, stats.NAS[n.Name]))
	}
	for _, name := range slices.Sorted(maps.Keys(stats.AAA)) {
		status.AAA = append(status.AAA, aaaStatus(name, stats.AAA[name]))
	}
	return status
}

func nasStatus(n radius.NAS, s radius.NASStats) admin.NASStatus {
	status := admin.NASStatus{
		Name:        n.Name,
		Area:        n.Area,
		Received:    byName(s.Received),
		Answered:    byName(s.Answered),
		Dropped:     s.Dropped,
		Injections:  s.Injections,
		Outstanding: s.Outstanding,
	}
	if n.Profile != nil {
		status.Profile = n.Profile.Name
	}
	return status
}

func aaaStatus(name string, s radius.AAAStats) admin.AAAStatus {
	ports := map[string]string{}
	for _, p := range s.Ports {
		ports[p.Address.String()] = p.State
	}
	return admin.AAAStatus{
		Name:        name,
		Ports:       ports,
		Sent:        byName(s.Sent),
		Received:    byName(s.Received),
		Dropped:     s.Dropped,
		Sockets:     s.Sockets,
		Outstanding: s.Outstanding,
	}
}

func byName(codes map[byte]uint64) map[string]uint64 {
	names := map[string]uint64{}
	for code, n := range codes {
		names[radius.CodeName(code)] = n
	}
	return names
}
