package store

import (
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Rehearsal checks changes of overrides as the store does, and makes none.
type Rehearsal struct{ store *Store }

// Rehearsal gives what can be asked what would come of a change.
func (s *Store) Rehearsal() Rehearsal { return Rehearsal{s} }

// AddOverride is what Store.AddOverride would give. The ID of a new one is of
// no use.
func (r Rehearsal) AddOverride(by By, o Override) (made Override, existed bool, err error) {
	o, bad := tidyOverride(o)
	if err = bad.orNil(); err == nil {
		err = r.try(func(tx *bolt.Tx) error {
			made, existed, err = r.store.addOverride(tx, by, o)
			return err
		})
	}
	if err != nil {
		return Override{}, false, fmt.Errorf("override on %s: %w", o.Account, err)
	}
	return made, existed, nil
}

// RenewOverride is what Store.RenewOverride would give.
func (r Rehearsal) RenewOverride(by By, id string, version int, until time.Time, reason string) (Override, error) {
	return r.change(by, id, version, reason, r.store.renewal(by, until))
}

// RevokeOverride is what Store.RevokeOverride would give.
func (r Rehearsal) RevokeOverride(by By, id string, version int, reason string) (Override, error) {
	return r.change(by, id, version, reason, revocation(by))
}

func (r Rehearsal) change(by By, id string, version int, reason string, change func(*Override, time.Time, string) error) (o Override, err error) {
	reason, bad := tidyReason(reason)
	if err = bad.orNil(); err == nil {
		err = r.try(func(tx *bolt.Tx) (err error) {
			o, err = r.store.changed(tx, by, id, version, "override.rehearse", func(o *Override, now time.Time) error { return change(o, now, reason) })
			return err
		})
	}
	if err != nil {
		return Override{}, fmt.Errorf("override %s: %w", id, err)
	}
	return o, nil
}

var errRehearsed = errors.New("rehearsed")

// try runs change in a transaction that is rolled back.
func (r Rehearsal) try(change func(*bolt.Tx) error) error {
	err := r.store.update(func(tx *bolt.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		return errRehearsed
	})
	if errors.Is(err, errRehearsed) {
		return nil
	}
	return err
}
