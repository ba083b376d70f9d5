package ldapsync

import (
	"bytes"
	"context"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/store"
)

// live collects changes that come one by one, the last one of each entry.
type live struct {
	v       *visit
	changes map[store.EntryID]*ldap.Entry // nil: gone
	cookie  []byte
	first   time.Time
	due     <-chan time.Time
}

func newLive(v *visit) *live { return &live{v: v, changes: map[store.EntryID]*ldap.Entry{}} }

func (l *live) empty() bool { return len(l.changes) == 0 && l.cookie == nil }

// take notes a message.
func (l *live) take(ctx context.Context, m message) error {
	if m.referral != "" {
		return referred(m.referral)
	}
	for _, c := range m.controls {
		switch c := c.(type) {
		case *ldap.ControlSyncState:
			if err := l.entry(m.entry, c); err != nil {
				return err
			}
			l.remember(c.Cookie)
		case *ldap.ControlSyncInfo:
			if err := l.info(c); err != nil {
				return err
			}
		}
	}
	return l.schedule(ctx)
}

func (l *live) entry(e *ldap.Entry, c *ldap.ControlSyncState) error {
	switch c.State {
	case ldap.SyncStateDelete:
		e = nil
	case ldap.SyncStatePresent:
		return nil
	default:
		if e == nil {
			return &PartialError{"an entry without its attributes"}
		}
	}
	l.changes[store.EntryID(c.EntryUUID)] = e
	return nil
}

func (l *live) info(c *ldap.ControlSyncInfo) error {
	switch {
	case c.NewCookie != nil:
		l.remember(c.NewCookie.Cookie)
	case c.SyncIdSet != nil:
		for _, uuid := range c.SyncIdSet.SyncUUIDs {
			if c.SyncIdSet.RefreshDeletes {
				l.changes[store.EntryID(uuid)] = nil
			}
		}
		l.remember(c.SyncIdSet.Cookie)
	case c.RefreshPresent != nil || c.RefreshDelete != nil:
		return errCompare // a refresh in the middle: it is read from its beginning
	}
	return nil
}

func (l *live) remember(cookie []byte) {
	if len(cookie) > 0 {
		l.cookie = bytes.Clone(cookie)
	}
}

// schedule says when to apply.
func (l *live) schedule(ctx context.Context) error {
	now := l.v.clock.Now()
	if l.first.IsZero() {
		l.first = now
	}
	if len(l.changes) >= manyLive || now.Sub(l.first) >= patience {
		return l.flush(ctx)
	}
	l.due = l.v.clock.After(settle)
	return nil
}

// flush applies what came. Without a cookie for it the old one stays, and it
// would come again.
func (l *live) flush(ctx context.Context) error {
	l.due, l.first = nil, time.Time{}
	if l.empty() {
		return nil
	}
	r, err := l.v.newReading()
	if err != nil {
		return err
	}
	defer r.close()
	for id, e := range l.changes {
		if e == nil {
			err = r.delete(id)
		} else {
			err = r.put(id, e)
		}
		if err != nil {
			return err
		}
	}
	if l.cookie != nil {
		l.v.cookie = l.cookie
	}
	if err := l.v.apply(ctx, r, false, l.v.cookie, false); err != nil {
		return err
	}
	clear(l.changes)
	l.cookie = nil
	l.v.setPhase(Following)
	return nil
}
