package store

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/oklog/ulid/v2"
	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// The kinds of an override. Which actions are looser than the rules' and which
// are tighter only a policy knows.
const (
	Grant    = "grant"
	Restrict = "restrict"
)

// Override is an action set on one account by hand. It is never deleted: what
// is over stays as history.
type Override struct {
	ID          string    // a ULID, from the store
	Account     string    // as it was given; looked up by its folded form
	Kind        string    // Grant or Restrict
	Action      string    // of a policy; the store knows none
	Reason      string    // required
	Ticket      string    // where the reason is written out, if anywhere
	Author      string    // By.Who of whoever made it
	From, Until time.Time // it holds in [From, Until); zero is unbounded
	Area, NAS   string    // narrow it; empty is everywhere
	Key         string    // the caller's idempotency key; empty is none
	Created     time.Time
	Version     int         // 1, and one more with every change
	Revoked     *Revocation // nil while it stands
	History     []Revision  // its renewals, oldest first
}

// Revocation is the early end of an override or a token.
type Revocation struct {
	At         time.Time
	By, Reason string
}

// Revision is a renewal: who moved the end, when and why, and where it was.
type Revision struct {
	Version        int       // that the renewal ended
	Until          time.Time // that it had
	At             time.Time
	Author, Reason string
}

// State tells what an override is at an instant: Revoked, Ended, Pending or
// Active.
func (o *Override) State(at time.Time) State {
	switch {
	case o.Revoked != nil:
		return Revoked
	case !o.Until.IsZero() && !at.Before(o.Until):
		return Ended
	case at.Before(o.From):
		return Pending
	}
	return Active
}

// State is what an override is at an instant.
type State string

// The states. Pending and Active are the overrides that stand.
const (
	Pending State = "pending"
	Active  State = "active"
	Ended   State = "ended"
	Revoked State = "revoked"
)

// The buckets of overrides. Accounts are folded and end in a zero octet, which
// no account has; ids are the 16 octets of the ULID.
var (
	overridesBucket = []byte("overrides")            // id: overrideRow
	byAccountBucket = []byte("overrides-by-account") // account id: nothing; all of them
	// standingBucket is what the path of a packet reads: account until id, for
	// all that are not revoked. Until is eight octets, most significant first,
	// so that those which have ended lie before the others and cost nothing.
	standingBucket = []byte("overrides-standing")
	keysBucket     = []byte("override-keys") // Key: id, SHA-256 of the content
)

func createOverrides(tx *bolt.Tx) error {
	for _, name := range [][]byte{overridesBucket, byAccountBucket, standingBucket, keysBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

func accountKey(account string, id ulid.ULID) []byte {
	return append(accountPrefix(engine.Fold(account)), id[:]...)
}

func standingKey(o *Override, id ulid.ULID) []byte {
	return append(untilKey(engine.Fold(o.Account), o.Until), id[:]...)
}

func accountPrefix(folded string) []byte {
	return append(append(make([]byte, 0, len(folded)+25), folded...), 0)
}

// untilKey is where those that end at until begin; zero is after all others.
func untilKey(folded string, until time.Time) []byte {
	n := uint64(math.MaxUint64)
	if !until.IsZero() {
		n = uint64(until.UnixNano())
	}
	return binary.BigEndian.AppendUint64(accountPrefix(folded), n)
}

// idOf is the id at the end of a key of byAccountBucket or standingBucket.
func idOf(key []byte) ulid.ULID { return ulid.ULID(key[len(key)-len(ulid.ULID{}):]) }

// ids makes ULIDs that grow also within a millisecond. It is used within write
// transactions only, of which there is one at a time.
type ids struct{ entropy *ulid.MonotonicEntropy }

func (i *ids) next(now time.Time) (ulid.ULID, error) {
	if i.entropy == nil {
		i.entropy = ulid.Monotonic(rand.Reader, 0)
	}
	return ulid.New(ulid.Timestamp(now), i.entropy)
}

// Override finds one by its ID, in either case; ErrNotFound.
func (s *Store) Override(id string) (o Override, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		o, _, err = findOverride(tx, id)
		return err
	})
	if err != nil {
		return Override{}, fmt.Errorf("looking up override %q: %w", id, err)
	}
	return o, nil
}

func findOverride(tx *bolt.Tx, text string) (Override, ulid.ULID, error) {
	id, err := ulid.ParseStrict(text)
	if err != nil {
		return Override{}, id, ErrNotFound
	}
	o, err := getOverride(tx, id)
	return o, id, err
}

func getOverride(tx *bolt.Tx, id ulid.ULID) (Override, error) {
	v := tx.Bucket(overridesBucket).Get(id[:])
	if v == nil {
		return Override{}, ErrNotFound
	}
	return decodeOverride(id, v)
}

// putOverride writes o in place of before, which is nil for a new one, with
// what is found by it.
func putOverride(tx *bolt.Tx, id ulid.ULID, o Override, before *Override) error {
	value, err := encodeOverride(o)
	if err != nil {
		return err
	}
	if err := tx.Bucket(overridesBucket).Put(id[:], value); err != nil {
		return err
	}
	if before == nil {
		if err := tx.Bucket(byAccountBucket).Put(accountKey(o.Account, id), []byte{}); err != nil {
			return err
		}
	}
	return moveStanding(tx.Bucket(standingBucket), id, o, before)
}

func moveStanding(b *bolt.Bucket, id ulid.ULID, o Override, before *Override) error {
	key := standingKey(&o, id)
	if before != nil {
		old := standingKey(before, id)
		if o.Revoked == nil && bytes.Equal(old, key) {
			return nil
		}
		if err := b.Delete(old); err != nil {
			return err
		}
	}
	if o.Revoked != nil {
		return nil
	}
	return b.Put(key, []byte{})
}
