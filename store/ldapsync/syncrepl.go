package ldapsync

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/store"
)

// follow is RFC 4533: refresh, then what changes as it changes.
func (v *visit) follow(ctx context.Context) error {
	began := v.cookie
	response := v.conn.Syncrepl(ctx, v.config.request(v.config.Search.Filter), v.cookie)
	err := v.refresh(ctx, response)
	if ldap.IsErrorWithCode(err, ldap.LDAPResultSyncRefreshRequired) && began != nil {
		return errCompare // the server remembers too little: start over without a cookie
	}
	if err != nil {
		return err
	}
	if v.plan.asker != nil && v.plan.asker.dry {
		return nil
	}
	v.plan.asker.answer(nil)
	v.plan.asker = nil
	v.setPhase(Following)
	return v.persist(ctx, response)
}

// refreshing is the first stage: what differs from the cookie, or everything.
type refreshing struct {
	*reading
	cookie  []byte // the last one that was given
	present bool   // what was not named is gone
	done    bool
}

// refresh reads the first stage and applies it.
func (v *visit) refresh(ctx context.Context, response ldap.Response) error {
	r, err := v.newReading()
	if err != nil {
		return err
	}
	defer r.close()
	f := refreshing{reading: r}
	for !f.done && response.Next() {
		if to := response.Referral(); to != "" {
			return referred(to)
		}
		if err := f.take(response.Entry(), response.Controls()); err != nil {
			return err
		}
	}
	if !f.done {
		if err := ended(ctx, v.conn, response); err != nil {
			return err
		}
		return &PartialError{"the server ended the search before all was told"}
	}
	return v.refreshed(ctx, &f)
}

// refreshed applies the first stage. A server that cannot read our cookie may
// send everything and call it the difference, without a word: what it does not
// name is not absent then, but a comparison is due.
func (v *visit) refreshed(ctx context.Context, f *refreshing) error {
	full := v.cookie == nil || f.present
	cookie := f.cookie
	ignored := !full && f.entries > 0 && (cookie == nil || f.entries >= v.known)
	switch {
	case ignored:
		cookie = nil
	case cookie == nil:
		cookie = v.cookie // nothing has changed
	}
	if err := v.apply(ctx, f.reading, full, cookie, true); err != nil {
		return err
	}
	v.cookie = cookie
	if ignored {
		return errCompare
	}
	return nil
}

// take reads one message of the first stage.
func (f *refreshing) take(e *ldap.Entry, controls []ldap.Control) error {
	for _, c := range controls {
		switch c := c.(type) {
		case *ldap.ControlSyncState:
			f.remember(c.Cookie)
			if err := f.entry(e, c); err != nil {
				return err
			}
		case *ldap.ControlSyncInfo:
			if err := f.info(c); err != nil {
				return err
			}
		case *ldap.ControlSyncDone: // a server that does not persist
			f.remember(c.Cookie)
			f.present = f.present || !c.RefreshDeletes
			f.done = true
		}
	}
	return nil
}

func (f *refreshing) remember(cookie []byte) {
	if len(cookie) > 0 {
		f.cookie = bytes.Clone(cookie)
	}
}

func (f *refreshing) entry(e *ldap.Entry, c *ldap.ControlSyncState) error {
	id := store.EntryID(c.EntryUUID)
	switch c.State {
	case ldap.SyncStatePresent:
		return f.keep(id)
	case ldap.SyncStateDelete:
		return f.delete(id)
	}
	if e == nil {
		return &PartialError{"an entry without its attributes"}
	}
	return f.put(id, e) // slapd calls a changed entry new, too
}

func (f *refreshing) info(c *ldap.ControlSyncInfo) error {
	switch {
	case c.NewCookie != nil:
		f.remember(c.NewCookie.Cookie)
	case c.RefreshDelete != nil:
		f.remember(c.RefreshDelete.Cookie)
		f.done = c.RefreshDelete.RefreshDone
	case c.RefreshPresent != nil:
		f.remember(c.RefreshPresent.Cookie)
		f.present, f.done = true, c.RefreshPresent.RefreshDone
	case c.SyncIdSet != nil:
		f.remember(c.SyncIdSet.Cookie)
		return f.set(c.SyncIdSet)
	}
	return nil
}

// set reads ids without anything else: of entries that are gone, or unchanged.
func (f *refreshing) set(c *ldap.ControlSyncInfoSyncIdSet) error {
	for _, uuid := range c.SyncUUIDs {
		var err error
		if c.RefreshDeletes {
			err = f.delete(store.EntryID(uuid))
		} else {
			err = f.keep(store.EntryID(uuid))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// message is one of the second stage.
type message struct {
	entry    *ldap.Entry
	referral string
	controls []ldap.Control
}

// pump reads messages into a channel, which it closes at the end.
func pump(ctx context.Context, response ldap.Response) <-chan message {
	out := make(chan message)
	go func() {
		defer close(out)
		for response.Next() {
			select {
			case out <- message{response.Entry(), response.Referral(), response.Controls()}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// The changes of the second stage are applied when none came for settle, and at
// the latest after patience or when there are many.
const (
	settle     = 50 * time.Millisecond
	patience   = 400 * time.Millisecond
	manyLive   = 1000
	probeEvery = 15 * time.Second
	// maxUnanswered is after how many of those intervals a server that sends
	// anything, but no answer, is given up. Silence ends sooner, see Connect.
	maxUnanswered = 5
)

var errMute = errors.New("connection lost: the server does not answer any more")

// persist applies changes as they come, until a comparison is due or somebody
// asks for something.
func (v *visit) persist(ctx context.Context, response ldap.Response) error {
	state, err := v.store.Directory(Source)
	if err != nil {
		return err
	}
	messages := pump(ctx, response)
	compare := v.clock.After(max(v.compareDue(state), firstWait))
	probe, alive, unanswered := v.clock.After(probeEvery), make(chan error, 1), 0
	live := newLive(v)
	for {
		select {
		case m, ok := <-messages:
			if !ok {
				return v.lost(ctx, response, live)
			}
			if err := live.take(ctx, m); err != nil {
				return err
			}
		case <-live.due:
			if err := live.flush(ctx); err != nil {
				return err
			}
		case <-probe:
			probe = v.clock.After(probeEvery)
			switch unanswered++; unanswered {
			case 1:
				go func() { alive <- v.conn.Probe(ctx) }()
			case maxUnanswered:
				return errMute
			}
		case err := <-alive:
			if err != nil {
				return errors.Join(errLost, err)
			}
			if unanswered = 0; live.empty() {
				v.succeeded(store.DirectoryReport{})
				v.expire(ctx)
			}
		case <-compare:
			return errCompare
		case r := <-v.requests:
			return v.leave(ctx, live, r)
		}
	}
}

// lost ends with what came before the end.
func (v *visit) lost(ctx context.Context, response ldap.Response, live *live) error {
	err := ended(ctx, v.conn, response)
	if err == nil {
		err = errLost
	}
	if ctx.Err() != nil {
		return err
	}
	if ldap.IsErrorWithCode(err, ldap.LDAPResultSyncRefreshRequired) {
		return errCompare
	}
	return errors.Join(err, live.flush(ctx))
}

// leave ends the session for a request.
func (v *visit) leave(ctx context.Context, live *live, r *request) error {
	if err := live.flush(ctx); err != nil {
		r.answer(err)
		return err
	}
	if r.do != nil {
		r.done <- r.do()
		return errInterrupted
	}
	return &asked{r}
}

// asked ends a session for a request that is for the next one.
type asked struct{ *request }

func (*asked) Error() string { return errInterrupted.Error() }
