package config

import "slices"

// NeedRestart names the keys in which a new configuration differs from this
// one and which a running daemon cannot change.
func (c *Config) NeedRestart(next *Config) []string {
	var keys []string
	changed := map[string]bool{
		"listen.auth":  !slices.Equal(c.Radius.Auth, next.Radius.Auth),
		"listen.coa":   !slices.Equal(c.Relay.Listen, next.Relay.Listen),
		"listen.acct":  !slices.Equal(c.Radius.Acct, next.Radius.Acct),
		"admin.socket": c.Socket != next.Socket || c.Admin.Mode != next.Admin.Mode || c.Admin.Group != next.Admin.Group,
		"admin.listen": c.Admin.Listen != next.Admin.Listen || (c.Admin.Certificate == nil) != (next.Admin.Certificate == nil),
		"store.path":   c.Store != next.Store,
		"sessions": c.Sessions.Join != next.Sessions.Join || c.Sessions.Interim != next.Sessions.Interim || c.Sessions.Missed != next.Sessions.Missed ||
			c.Sessions.MaxQuiet != next.Sessions.MaxQuiet || c.Sessions.History != next.Sessions.History,
		"log": c.LogLevel != next.LogLevel || c.LogJSON != next.LogJSON,
	}
	for key, is := range changed {
		if is {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
