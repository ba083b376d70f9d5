package daemon

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/cmd/internal/metrics"
	"sekisho/radius/session"
)

// routes is everything that the door serves.
func (d *Daemon) routes() *admin.Routes {
	r := admin.NewRoutes()
	admin.MountContracts(r, d.store)
	admin.MountOverrides(r, d.store, d.store.Rehearsal(), d)
	admin.MountAudit(r, d.store, func() *time.Location { return d.config.Load().Policy.Location })
	admin.MountBackup(r, d.store, func() string { return filepath.Dir(d.store.Path()) })
	admin.MountTokens(r, d.store, d.Now)
	admin.MountSessions(r, d.table(), d, d, func() *time.Location { return d.config.Load().Policy.Location })
	admin.MountExplain(r, d)
	admin.MountPlans(r, d)
	admin.MountDecide(r, d)
	admin.MountCampaigns(r, d)
	admin.MountSync(r, d.directorySyncer, d.store, d.Now)
	admin.MountProbe(r, d)
	admin.MountControl(r, d)
	admin.MountMetrics(r, metrics.Handler(metrics.Source{
		Version:  d.options.Version,
		Proxy:    d.proxy.Stats,
		ReloadOK: func() bool { return d.last.Load().OK },
		Sessions: func() (session.Stats, uint64) { return d.live.stats(), d.live.feed.Dropped() },
		Live:     d.liveMetrics,
		Sync:     d.directoryStatus,
		Now:      d.Now,
	}))
	return r
}

// Operations is the table of what the door serves, and for whom.
func Operations() []admin.Operation { return new(Daemon).routes().Table() }

// Door tells where programs with tokens are answered; empty: nowhere.
func (d *Daemon) Door() string {
	if addr := d.door.TCP(); addr != nil {
		return addr.String()
	}
	return ""
}

// OpenAPI is the document of everything that the door serves, as YAML.
func OpenAPI() ([]byte, error) { return new(Daemon).routes().OpenAPI() }

func (d *Daemon) doorOptions(c *config.Config) admin.Options {
	o := admin.Options{
		Socket: c.Socket,
		Mode:   c.Admin.Mode,
		Group:  c.Admin.Group,
		Access: d.access,
		TCP:    c.Admin.Listen,
		Tokens: d.store,
		Log:    d.options.Log,
	}
	if c.Admin.Certificate != nil {
		o.Certificate = func() *tls.Certificate { return d.config.Load().Admin.Certificate }
	}
	return o
}

// access tells who may do what, by the configuration of the moment.
func (d *Daemon) access() admin.Access {
	roles := d.config.Load().Admin.Roles
	return admin.Access{Own: os.Getuid(), Logins: highest(roles.Logins), UIDs: highest(roles.UIDs), GIDs: highest(roles.GIDs)}
}

// highest reads the names of roles, which the site file's schema has checked.
func highest[K comparable](given map[K][]string) map[K]admin.Role {
	roles := make(map[K]admin.Role, len(given))
	for who, names := range given {
		for _, name := range names {
			role, _ := admin.ParseRole(name)
			roles[who] = max(roles[who], role)
		}
	}
	return roles
}

// Ready tells why no NAS is answered now; nil: they are.
func (d *Daemon) Ready() error {
	_, err := d.store.Count()
	return err
}
