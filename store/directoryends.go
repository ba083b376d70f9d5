package store

import (
	"bytes"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// ending says why the overrides of an account are over.
type ending struct {
	account string
	reason  string
}

// endOverrides revokes the overrides that stand on accounts whose contract is
// another one now, or gone: they were set on the old one.
func (a *application) endOverrides(tx *bolt.Tx) (n int, err error) {
	if a.keep {
		return 0, nil
	}
	ends, err := a.endings(tx)
	if err != nil {
		return 0, err
	}
	for _, e := range ends {
		for _, id := range standingOn(tx, e.account, a.now()) {
			_, err := a.changed(tx, By{Who: a.by.Who, From: a.by.From}, id, 0, "override.revoke", func(o *Override, now time.Time) error {
				o.Revoked = &Revocation{At: now, By: a.by.Who, Reason: e.reason}
				return nil
			})
			if err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// endings are the accounts whose overrides are over. Where all was written
// anew, millions of accounts may have come to other entries, as after a
// directory was built anew, and few of them have overrides: those are gone
// through instead.
func (a *application) endings(tx *bolt.Tx) (ends []ending, err error) {
	if a.rewritten != nil {
		return a.endingsOf(tx)
	}
	for i := range a.found.kept {
		c := &a.found.kept[i]
		if reason := whyEnded(&c.was, &c.is); reason != "" {
			ends = append(ends, ending{string(c.key), reason})
		}
	}
	return ends, nil
}

// endingsOf compares the owners of all accounts with overrides before and after
// the rewrite.
func (a *application) endingsOf(tx *bolt.Tx) (ends []ending, err error) {
	before, after := tx.Bucket(a.rewritten), tx.Bucket(a.row.Accounts)
	c := tx.Bucket(standingBucket).Cursor()
	for k, _ := c.First(); k != nil; {
		account, _, _ := bytes.Cut(k, []byte{0}) // see accountPrefix
		account = bytes.Clone(account)
		was, err := ownedIn(before, account)
		if err != nil {
			return nil, err
		}
		is, err := ownedIn(after, account)
		if err != nil {
			return nil, err
		}
		if reason := whyEnded(&was, &is); reason != "" {
			ends = append(ends, ending{string(account), reason})
		}
		k, _ = c.Seek(append(account, 1)) // after all of this account
	}
	return ends, nil
}

// ownedIn reads whom an account belongs to.
func ownedIn(owners *bolt.Bucket, account []byte) (st standing, err error) {
	if v := owners.Get(account); v != nil {
		st.owned = true
		st.owner, err = decodeOwner(account, v)
	}
	return st, err
}

// whyEnded is empty where an account is still the same entry's, or was nobody's.
func whyEnded(was, is *standing) string {
	switch {
	case !was.owned || is.owned && is.owner.id == was.owner.id:
		return ""
	case is.owned:
		return fmt.Sprintf("the account belongs to another entry of the directory now: %s, before %s", is.owner.id, was.owner.id)
	}
	return fmt.Sprintf("the account has no contract any more; it was of the entry %s", was.owner.id)
}
