package daemon

import (
	"context"
	"time"

	"sekisho/cmd/internal/config"
	"sekisho/cmd/internal/metrics"
	"sekisho/engine"
	"sekisho/radius/coa"
	"sekisho/radius/session"
	"sekisho/store"
)

// keeper is everything that tells routers about live sessions: the client, who
// keeps them at what the policy wants, and the relay of AAA servers' requests.
type keeper struct {
	*coa.Keeper
	client *coa.Client
	relay  *coa.Relay // nil: the site file listens for none
}

// startKeeper begins to keep routers at what the policy wants, as soon as the
// sessions are back. The store must be there.
func (d *Daemon) startKeeper(c *config.Config) error {
	d.keeper = &keeper{client: coa.NewClient(coa.ClientOptions{Log: d.options.Log})}
	d.keeper.Keeper = coa.NewKeeper(coa.Options{
		Sessions: d.live.Table,
		Decider:  decider{d},
		Sender:   d.keeper.client,
		Ledger:   d.store,
		Journal:  d.live.writer,
		Clock:    d.options.Clock,
		Log:      d.options.Log,
	})
	d.keeper.Configure(c.Routers, c.Campaigns)
	if _, err := d.store.Campaigns(); err != nil {
		return err
	}
	if err := d.startRelay(c); err != nil {
		return err
	}
	d.keeper.Start()
	d.live.run(d.takeUp)
	return nil
}

// takeUp takes up the campaigns of the last run when its sessions are back, and
// has all of them decided then: much may have changed, and what changes while
// they come back is seen with the rest.
func (d *Daemon) takeUp(ctx context.Context) {
	select {
	case <-d.live.restored:
	case <-ctx.Done():
		return
	}
	if err := d.keeper.Restore(); err != nil {
		d.options.Log.Error("campaigns of the last run cannot be taken up", "error", err)
	}
	d.store.Watch(d.accountsChanged)
	d.everythingChanged("the daemon has started")
}

func (d *Daemon) startRelay(c *config.Config) (err error) {
	if len(c.Relay.Listen) == 0 {
		return nil
	}
	d.keeper.relay, err = coa.StartRelay(c.Relay, c.Routers, coa.RelayOptions{
		Client:   d.keeper.client,
		Sessions: d.live.Table,
		Decider:  decider{d},
		Held:     d.keeper,
		Passed:   d.keeper.Passed,
		Look:     d.keeper.AccountsChanged,
		Journal:  d.live.writer,
		Ready:    func() bool { return d.live.whole() == nil },
		Account:  func(name string) string { return d.config.Load().Policy.ReadLogin(name).Account },
		Clock:    d.options.Clock,
		Log:      d.options.Log,
	})
	return err
}

// reloadKeeper takes over another configuration, which must be the daemon's already.
func (d *Daemon) reloadKeeper(c *config.Config) {
	d.keeper.Configure(c.Routers, c.Campaigns)
	if d.keeper.relay != nil {
		d.keeper.relay.Configure(c.Relay, c.Routers)
	}
	d.everythingChanged("policy " + c.Policy.Name + " was reloaded")
}

// accountsChanged is told by the store of every change of overrides and
// contracts.
func (d *Daemon) accountsChanged(c store.Changed) {
	if c.All {
		d.everythingChanged("overrides or contracts of very many accounts changed")
		return
	}
	d.keeper.AccountsChanged(c.Accounts)
}

// everythingChanged has all sessions decided anew, each login read as the
// policy of now does.
func (d *Daemon) everythingChanged(why string) {
	d.keeper.EverythingChanged(why, func() { d.live.Reread(d.config.Load().Policy.ReadLogin) })
}

// decider asks the engine about live sessions.
type decider struct{ *Daemon }

// Decide says what the proxy would decide now for an Accept of the session's
// account.
func (d decider) Decide(s *session.Session, now time.Time) (engine.Decision, error) {
	facts := s.Facts()
	if s.Account != "" {
		if err := d.store.Subscriber(s.Account, &facts); err != nil {
			return engine.Decision{}, err
		}
	}
	return engine.Decide(d.config.Load().Policy, &facts, now), nil
}

func (k *keeper) close() {
	if k.relay != nil {
		k.relay.Close()
	}
	k.Close()
	k.client.Close()
}

// liveMetrics is what is counted about telling routers.
func (d *Daemon) liveMetrics() metrics.Live {
	l := metrics.Live{NAS: d.keeper.Stats(), Campaigns: d.keeper.Campaigns(), Dropped: d.keeper.client.Dropped()}
	if d.keeper.relay != nil {
		l.Relay = d.keeper.relay.Stats()
	}
	return l
}
