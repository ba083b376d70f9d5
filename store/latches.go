package store

import bolt "go.etcd.io/bbolt"

// latchesBucket holds what the proxy has learned for good, by name: that a
// NAS or an AAA server signs its packets. There are as many as names in the
// site file.
var latchesBucket = []byte("latches")

func createLatches(tx *bolt.Tx) error {
	_, err := tx.CreateBucketIfNotExists(latchesBucket)
	return err
}

// Latched reports whether a latch is set.
func (s *Store) Latched(name string) (set bool, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		set = tx.Bucket(latchesBucket).Get([]byte(name)) != nil
		return nil
	})
	return set, err
}

// Latch sets a latch; it is on disk when this returns.
func (s *Store) Latch(name string) error {
	return s.update(func(tx *bolt.Tx) error {
		return tx.Bucket(latchesBucket).Put([]byte(name), []byte{1})
	})
}

// Unlatch takes a latch off; one that is not set is no error.
func (s *Store) Unlatch(name string) error {
	return s.update(func(tx *bolt.Tx) error {
		return tx.Bucket(latchesBucket).Delete([]byte(name))
	})
}
