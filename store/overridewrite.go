package store

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// maxStanding is how many overrides may stand on one account: the path of every
// packet of it reads them all.
const maxStanding = 100

// ErrTooMany says that there are 100 overrides standing on the account.
var ErrTooMany = fmt.Errorf("%d overrides stand on the account already: revoke some", maxStanding)

// AddOverride makes an override and gives it as it was stored. Of o it takes
// what the caller says; ID, Author, Created and Version are the store's. Where
// o.Key names an override of the same content, made by whomever, that one comes
// back as it is now, existed is true and nothing changes; of other content, it
// is ErrKeyUsed. Other errors: FieldErrors, ErrTooMany, ErrFull.
func (s *Store) AddOverride(by By, o Override) (made Override, existed bool, err error) {
	o, bad := tidyOverride(o)
	if err := bad.orNil(); err != nil {
		return Override{}, false, fmt.Errorf("override: %w", err)
	}
	err = s.write(func(tx *bolt.Tx) error {
		made, existed, err = s.addOverride(tx, by, o)
		return err
	})
	if err != nil {
		return Override{}, false, fmt.Errorf("override on %s: %w", o.Account, err)
	}
	if !existed {
		s.notify(Changed{Accounts: []string{engine.Fold(o.Account)}})
	}
	return made, existed, nil
}

func (s *Store) addOverride(tx *bolt.Tx, by By, o Override) (made Override, existed bool, err error) {
	if made, existed, err = keyedOverride(tx, &o); existed || err != nil {
		return made, existed, err
	}
	made, err = s.insertOverride(tx, by, o)
	if err != nil {
		return Override{}, false, err
	}
	return made, false, s.auditNew(tx, by, &made)
}

// auditNew tells of a new override; its reason is why, unless the caller gives
// another one.
func (s *Store) auditNew(tx *bolt.Tx, by By, made *Override) error {
	if by.Why == "" {
		by.Why = made.Reason
	}
	return s.audit(tx, Entry{By: by, Op: "override." + made.Kind, Subject: made.Account, After: audited(made)})
}

// keyedOverride finds the override that the key of o belongs to.
func keyedOverride(tx *bolt.Tx, o *Override) (found Override, exists bool, err error) {
	v := tx.Bucket(keysBucket).Get([]byte(o.Key))
	if o.Key == "" || len(v) < len(ulid.ULID{}) {
		return Override{}, false, nil
	}
	id, content := ulid.ULID(v[:16]), o.content()
	if !bytes.Equal(v[16:], content[:]) {
		return Override{}, false, fmt.Errorf("%w: %q, override %s", ErrKeyUsed, o.Key, id)
	}
	found, err = getOverride(tx, id)
	return found, true, err
}

// insertOverride stores a tidy override with all that is found by it.
func (s *Store) insertOverride(tx *bolt.Tx, by By, o Override) (Override, error) {
	now := s.now()
	if err := s.limitsOf(o.Kind).refuseTimes(beginning(o.From, now), o.Until, now).orNil(); err != nil {
		return o, err
	}
	if n := countStanding(tx, o.Account, now); n >= maxStanding {
		return o, ErrTooMany
	}
	id, err := s.ids.next(now)
	if err != nil {
		return o, err
	}
	o.ID, o.Author, o.Created, o.Version, o.Revoked, o.History = id.String(), by.Who, now, 1, nil, nil
	if o.Key != "" {
		content := o.content()
		if err := tx.Bucket(keysBucket).Put([]byte(o.Key), append(id[:], content[:]...)); err != nil {
			return o, err
		}
	}
	return o, putOverride(tx, id, o, nil)
}

// RenewOverride moves the end of an override that stands; a zero until is none.
// version is the one that the caller has seen, 0 for whichever stands. Errors:
// ErrNotFound, ErrVersion, ErrRevoked, ErrEnded, FieldErrors, ErrFull.
func (s *Store) RenewOverride(by By, id string, version int, until time.Time, reason string) (Override, error) {
	return s.changeOverride(by, id, version, "override.renew", reason, s.renewal(by, until))
}

// renewal moves the end of an override.
func (s *Store) renewal(by By, until time.Time) func(o *Override, now time.Time, reason string) error {
	return func(o *Override, now time.Time, reason string) error {
		until := wall(until)
		if until.After(lastTime) || !until.IsZero() && until.Before(firstTime) {
			return FieldErrors{{"until", fmt.Sprintf("%s is not between %d and %d", stamp(until), firstTime.Year(), lastTime.Year())}}
		}
		bad := s.limitsOf(o.Kind).refuseTimes(beginning(o.From, o.Created), until, now)
		if len(bad) == 0 && !until.IsZero() && !o.From.Before(until) {
			bad = FieldErrors{{"until", fmt.Sprintf("%s is not after from, %s", stamp(until), stamp(o.From))}}
		}
		o.History = append(slices.Clip(o.History), Revision{Version: o.Version, Until: o.Until, At: now, Author: by.Who, Reason: reason})
		o.Until = until
		return bad.orNil()
	}
}

// RevokeOverride ends an override at once. version is as for RenewOverride, and
// so are the errors.
func (s *Store) RevokeOverride(by By, id string, version int, reason string) (Override, error) {
	return s.changeOverride(by, id, version, "override.revoke", reason, revocation(by))
}

// revocation ends an override.
func revocation(by By) func(o *Override, now time.Time, reason string) error {
	return func(o *Override, now time.Time, reason string) error {
		o.Revoked = &Revocation{At: now, By: by.Who, Reason: reason}
		return nil
	}
}

func (s *Store) changeOverride(by By, id string, version int, op, reason string, change func(*Override, time.Time, string) error) (o Override, err error) {
	reason, bad := tidyReason(reason)
	if err = bad.orNil(); err == nil {
		err = s.write(func(tx *bolt.Tx) (err error) {
			o, err = s.changed(tx, by, id, version, op, func(o *Override, now time.Time) error { return change(o, now, reason) })
			return err
		})
	}
	if err != nil {
		return Override{}, fmt.Errorf("override %s: %w", id, err)
	}
	s.notify(Changed{Accounts: []string{engine.Fold(o.Account)}})
	return o, nil
}

// changed changes one that stands and tells the audit.
func (s *Store) changed(tx *bolt.Tx, by By, text string, version int, op string, change func(*Override, time.Time) error) (Override, error) {
	before, id, err := findOverride(tx, text)
	if err != nil {
		return before, err
	}
	now := s.now()
	if err := before.refuseChange(version, now); err != nil {
		return before, err
	}
	after := before
	if err = change(&after, now); err == nil {
		after.Version++
		err = putOverride(tx, id, after, &before)
	}
	if err != nil {
		return before, err
	}
	if by.Why == "" {
		by.Why = after.lastReason()
	}
	return after, s.audit(tx, Entry{By: by, Op: op, Subject: after.Account, Before: audited(&before), After: audited(&after)})
}

func (o *Override) refuseChange(version int, now time.Time) error {
	switch state := o.State(now); {
	case version != 0 && version != o.Version:
		return fmt.Errorf("%w: it is at version %d, not %d", ErrVersion, o.Version, version)
	case state == Revoked:
		return fmt.Errorf("%w, at %s by %s", ErrRevoked, stamp(o.Revoked.At), o.Revoked.By)
	case state == Ended:
		return fmt.Errorf("%w, at %s: make a new one", ErrEnded, stamp(o.Until))
	}
	return nil
}

func (o *Override) lastReason() string {
	if o.Revoked != nil {
		return o.Revoked.Reason
	}
	return o.History[len(o.History)-1].Reason
}

func tidyReason(reason string) (string, FieldErrors) {
	reason = strings.TrimSpace(reason)
	return reason, FieldErrors(nil).text(field{"reason", &reason, true, maxField})
}

func countStanding(tx *bolt.Tx, account string, now time.Time) (n int) {
	folded := engine.Fold(account)
	prefix := accountPrefix(folded)
	c := tx.Bucket(standingBucket).Cursor()
	for k, _ := c.Seek(untilKey(folded, now)); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		n++
	}
	return n
}

// standingOn lists the ids of the overrides that stand on an account.
func standingOn(tx *bolt.Tx, account string, now time.Time) (found []string) {
	folded := engine.Fold(account)
	prefix := accountPrefix(folded)
	c := tx.Bucket(standingBucket).Cursor()
	for k, _ := c.Seek(untilKey(folded, now)); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		found = append(found, idOf(k).String())
	}
	return found
}
