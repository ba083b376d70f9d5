// Package daemon is the running whole: the site file's configuration, the
// store, the proxy and the operators' door, started, reloaded and stopped
// together. It decides nothing and speaks no RADIUS.
package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/radius"
	"sekisho/store"
)

// Options are what a Daemon is told beside its site file.
type Options struct {
	Version string
	Clock   func() time.Time // what time it is for the policy; nil: time.Now
	Log     *slog.Logger
	Debug   io.Writer // where every packet's way is written; nil: nowhere
	Memory  int64     // up to how many bytes of the store to bring into memory before they are asked for
}

// Daemon is a running sekisho.
type Daemon struct {
	options Options
	started time.Time
	store   *store.Store
	live    *sessions
	keeper  *keeper
	pulse   *pulse // of the store
	proxy   *radius.Proxy
	door    *admin.Server
	after   func(time.Duration) <-chan time.Time // time.After, but in tests

	directory directory

	config atomic.Pointer[config.Config]
	reload sync.Mutex
	last   atomic.Pointer[admin.Reload]
}

// Start brings everything up, or nothing.
func Start(c *config.Config, o Options) (*Daemon, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &Daemon{options: o, started: time.Now(), after: time.After}
	d.config.Store(c)
	d.last.Store(&admin.Reload{OK: true})
	if err := d.start(c); err != nil {
		return nil, errors.Join(err, d.close(context.Background()))
	}
	return d, nil
}

func (d *Daemon) start(c *config.Config) (err error) {
	if d.store, err = store.Open(c.Store, store.Options{Clock: d.options.Clock, Log: d.options.Log}); err != nil {
		return err
	}
	d.live = startSessions(c.Sessions, d.store, d.options.Clock, d.options.Log)
	d.pulse = newPulse(d.probe)
	d.limit(c)
	d.proxy, err = radius.Start(c.Radius, radius.Options{
		Subscribers: d.store,
		Latches:     d.store,
		Sessions:    d.live.feed,
		Clock:       d.options.Clock,
		Log:         d.options.Log,
		Healthy:     d.answersStatus,
	})
	if err != nil {
		return err
	}
	d.proxy.SetDebug(d.options.Debug)
	if err := d.startKeeper(c); err != nil {
		return err
	}
	d.warnOfVoid(d.last.Load()) // nobody asks for it yet
	if d.door, err = admin.Serve(d.routes(), d.doorOptions(c)); err != nil {
		return err
	}
	d.follow(c)
	d.store.KeepWarm(d.options.Memory) // last: it reads much, and answers must not wait for it
	return nil
}

// Addresses tells where the proxy listens.
func (d *Daemon) Addresses() (auth, acct []string) {
	a, b := d.proxy.Addresses()
	return printed(a), printed(b)
}

func printed(addresses []netip.AddrPort) (all []string) {
	for _, addr := range addresses {
		all = append(all, addr.String())
	}
	return all
}

// Reload reads the site file anew and works by it from the next packet on. If
// it has errors the old configuration stays. The audit tells who asked for it.
func (d *Daemon) Reload(by store.By) (admin.Reload, error) {
	d.reload.Lock()
	defer d.reload.Unlock()
	before := d.config.Load()
	err := d.reloadFile()
	result := &admin.Reload{At: time.Now(), OK: err == nil}
	if err != nil {
		result.Error = err.Error()
		d.options.Log.Error("reload refused: the old configuration stays", "config", before.File, "error", err)
	} else {
		d.warnOfVoid(result)
		d.recordReload(by, before)
		d.options.Log.Info("reloaded", "config", before.File, "policy", d.config.Load().Policy.Name)
	}
	d.last.Store(result)
	return *result, err
}

// recordReload tells the audit. A reload that cannot be told stands all the
// same: the packets already go by it.
func (d *Daemon) recordReload(by store.By, before *config.Config) {
	policy := func(c *config.Config) json.RawMessage {
		text, _ := json.Marshal(map[string]string{"policy": c.Policy.Name}) // a text can always be written
		return text
	}
	err := d.store.Record(store.Entry{By: by, Op: "config.reload", Subject: before.File, Before: policy(before), After: policy(d.config.Load())})
	if err != nil {
		d.options.Log.Error("the reload does not stand in the audit", "error", err)
	}
}

func (d *Daemon) reloadFile() error {
	old := d.config.Load()
	c, problems := config.Load(old.File)
	if err := problems.Err(); err != nil {
		return err
	}
	for _, warning := range problems {
		d.options.Log.Warn(warning.String())
	}
	for _, key := range old.NeedRestart(c) {
		d.options.Log.Warn("a changed key takes effect at the next start only", "key", key)
	}
	d.proxy.Reload(c.Radius)
	d.limit(c)
	d.config.Store(c)
	d.reloadKeeper(c)
	d.follow(c)
	return nil
}

// limit sets what the house allows of overrides.
func (d *Daemon) limit(c *config.Config) {
	d.store.SetOverrideLimits(store.OverrideLimits(c.Grants), store.OverrideLimits(c.Restrictions))
}

// Shutdown takes no more requests, lets those under way finish until the
// context ends, and closes everything.
func (d *Daemon) Shutdown(ctx context.Context) error {
	if err := d.close(ctx); err != nil {
		return fmt.Errorf("shutting down: %w", err)
	}
	return nil
}

// close closes what was opened, the proxy first: it uses the others.
func (d *Daemon) close(ctx context.Context) error {
	var errs []error
	if d.proxy != nil {
		errs = append(errs, d.proxy.Shutdown(ctx))
	}
	if d.door != nil {
		errs = append(errs, d.door.Shutdown(ctx))
	}
	d.directory.close()
	if d.keeper != nil {
		d.keeper.close()
	}
	if d.live != nil {
		d.live.close()
	}
	if d.pulse != nil {
		d.pulse.stop()
	}
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	return errors.Join(errs...)
}
