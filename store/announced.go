package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// announcedBucket holds the sessions whose routers may have been told something
// that their rows do not say: by the key of the row, when that was announced.
// It is made by the first of them, and mostly empty.
var announcedBucket = []byte("announced")

// Announcement says that a router is about to be told something of a session.
type Announcement struct {
	Key   SessionKey
	Stamp int64 // ns since 1970, larger than that of every earlier one
}

// AnnounceSessions writes announcements in one transaction, which those of
// other small changes may share: they are on disk when this returns nil. A
// later one of the same session takes the place of an earlier one.
func (s *Store) AnnounceSessions(all []Announcement) error {
	err := s.write(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(announcedBucket)
		if err != nil {
			return err
		}
		for _, a := range all {
			if err := b.Put(a.Key.bytes(), binary.BigEndian.AppendUint64(nil, uint64(a.Stamp))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("announcing what %d sessions are told: %w", len(all), err)
	}
	return nil
}

// AnnouncedSessions returns the announcements that no batch has settled: at
// the start nobody knows what these routers do. Damaged ones are left out, and
// the error tells of them.
func (s *Store) AnnouncedSessions() (all []Announcement, err error) {
	var damaged []error
	err = s.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(announcedBucket)
		if b == nil {
			return nil
		}
		return b.ForEach(func(key, value []byte) error {
			if k, ok := sessionKey(key); ok && len(value) == 8 {
				all = append(all, Announcement{k, int64(binary.BigEndian.Uint64(value))})
			} else {
				damaged = append(damaged, fmt.Errorf("%w: announcement %x: %x", ErrDamaged, key, value))
			}
			return nil
		})
	})
	if err = errors.Join(append(damaged, err)...); err != nil {
		err = fmt.Errorf("reading which sessions were being told something: %w", err)
	}
	return all, err
}

// settle removes announcements, but for those that have been made anew since.
func settle(tx *bolt.Tx, all []Announcement) error {
	b := tx.Bucket(announcedBucket)
	if b == nil {
		return nil
	}
	for _, a := range all {
		key := a.Key.bytes()
		if v := b.Get(key); len(v) == 8 && int64(binary.BigEndian.Uint64(v)) > a.Stamp {
			continue
		}
		if err := b.Delete(key); err != nil {
			return err
		}
	}
	return nil
}
