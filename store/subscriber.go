package store

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// endedKept is for how long the overrides that have ended go on being read with
// an account, so that a trace can say that there was one until last night.
const endedKept = 24 * time.Hour

// Subscriber fills in what the store knows of an account: f.Contract, nil where
// there is none, and f.Overrides, those that are not revoked and have not ended
// a day ago. All of it is of one instant. It is meant for the path of a packet:
// one short read, which waits for no writer and allocates nothing where f is used
// again (see engine.Facts.Know). After an error f has neither.
func (s *Store) Subscriber(account string, f *engine.Facts) error {
	f.Contract, f.Overrides = nil, nil
	if err := s.subscriber(engine.Fold(account), f); err != nil {
		f.Contract, f.Overrides = nil, nil
		return fmt.Errorf("looking up account %s: %w", account, err)
	}
	return nil
}

func (s *Store) subscriber(folded string, f *engine.Facts) error {
	if r := s.readers.take(); r != nil {
		defer r.mu.Unlock()
		return r.subscriber(s, folded, f)
	}
	return s.subscriberApart(folded, f)
}

// subscriberApart looks in a transaction of its own, while somebody writes.
func (s *Store) subscriberApart(folded string, f *engine.Facts) error {
	return s.view(func(tx *bolt.Tx) error {
		c, err := contractOf(tx, folded)
		if err != nil {
			return err
		}
		if c != nil {
			f.Know(c, c.Account)
		}
		f.Overrides, err = overridesOf(tx, folded, s.now().Add(-endedKept))
		return err
	})
}

func contractOf(tx *bolt.Tx, folded string) (*engine.Contract, error) {
	b, err := contractsIn(tx)
	if err != nil {
		return nil, err
	}
	v := b.Get([]byte(folded))
	if v == nil {
		return nil, nil
	}
	c, err := decodeContract(folded, v)
	return &c, err
}

// overridesOf reads those that end after since.
func overridesOf(tx *bolt.Tx, folded string, since time.Time) (found []engine.Override, err error) {
	if strings.Contains(folded, "\x00") { // what a packet says may be anything
		return nil, nil
	}
	prefix := accountPrefix(folded)
	c := tx.Bucket(standingBucket).Cursor()
	for k, _ := c.Seek(untilKey(folded, since)); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		o, err := factOf(tx, k[len(prefix):])
		if err != nil {
			return nil, err
		}
		found = append(found, o)
	}
	return found, nil
}

// factOf reads of an override what a decision asks.
func factOf(tx *bolt.Tx, key []byte) (engine.Override, error) {
	if len(key) != 24 {
		return engine.Override{}, fmt.Errorf("standing override: %w: a key of %d bytes", ErrDamaged, len(key))
	}
	id := idOf(key)
	var r struct {
		Action string `cbor:"3,keyasint"`
		Reason string `cbor:"4,keyasint"`
		From   int64  `cbor:"7,keyasint"`
		Until  int64  `cbor:"8,keyasint"`
		Area   string `cbor:"9,keyasint"`
		NAS    string `cbor:"10,keyasint"`
	}
	if err := cbor.Unmarshal(tx.Bucket(overridesBucket).Get(id[:]), &r); err != nil {
		return engine.Override{}, fmt.Errorf("override %s: %w: %w", id, ErrDamaged, err)
	}
	return engine.Override{
		ID: id.String(), Action: r.Action, Reason: r.Reason, From: fromNanos(r.From), Until: fromNanos(r.Until), Area: r.Area, NAS: r.NAS,
	}, nil
}
