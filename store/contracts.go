package store

import (
	"bytes"
	"fmt"
	"iter"

	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// walkRows is how many rows one read transaction of a walk visits: a few
// hundred microseconds.
const walkRows = 1000

// Contract finds the contract of an account, however it is spelled. It is
// meant for the path of a packet: one short read, which waits for no writer.
func (s *Store) Contract(account string) (c engine.Contract, found bool, err error) {
	key := engine.Fold(account)
	err = s.view(func(tx *bolt.Tx) error {
		b, err := contractsIn(tx)
		if err != nil {
			return err
		}
		if v := b.Get([]byte(key)); v != nil {
			found = true
			c, err = decodeContract(key, v)
		}
		return err
	})
	if err != nil {
		return engine.Contract{}, false, fmt.Errorf("looking up contract %s: %w", account, err)
	}
	return c, found, nil
}

// Contracts lists up to limit contracts in the order of their folded accounts:
// those whose account begins with prefix and comes after the account after,
// each unless empty. A limit below 1 gives none.
func (s *Store) Contracts(prefix, after string, limit int) ([]engine.Contract, error) {
	var page []engine.Contract
	if limit < 1 {
		return page, nil
	}
	for c, err := range s.contracts(prefix, after) {
		if err != nil {
			return nil, err
		}
		if page = append(page, c); len(page) == limit {
			break
		}
	}
	return page, nil
}

// AllContracts walks the contracts whose account begins with prefix, in the
// order of their folded accounts. It reads in short transactions: an import
// that ends during the walk shows in what comes after. An error ends the walk.
func (s *Store) AllContracts(prefix string) iter.Seq2[engine.Contract, error] {
	return s.contracts(prefix, "")
}

// Count tells how many contracts there are, without reading them.
func (s *Store) Count() (int, error) {
	var n uint64
	err := s.view(func(tx *bolt.Tx) (err error) {
		n, err = getUint64(tx.Bucket(metaBucket), metaContractsN)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("counting contracts: %w", err)
	}
	return int(n), nil
}

func (s *Store) contracts(prefix, after string) iter.Seq2[engine.Contract, error] {
	return func(yield func(engine.Contract, error) bool) {
		from := walk{prefix: []byte(engine.Fold(prefix)), after: []byte(engine.Fold(after))}
		for r, err := range s.rows(contractsIn, from) {
			var c engine.Contract
			if err == nil {
				c, err = decodeContract(string(r.key), r.value)
			}
			if err != nil {
				yield(c, fmt.Errorf("listing contracts: %w", err))
				return
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// row is a key with its value, both copied out of the file.
type row struct{ key, value []byte }

// walk says where a walk over a bucket begins and ends; both may be empty.
type walk struct{ prefix, after []byte }

// rows walks a bucket in key order, in a transaction per walkRows rows. An
// error ends the walk.
func (s *Store) rows(bucket func(*bolt.Tx) (*bolt.Bucket, error), w walk) iter.Seq2[row, error] {
	return inPages(w.after, func(after []byte) ([]row, error) {
		w.after = after
		return s.page(bucket, w)
	})
}

// inPages walks page after page: page reads the next walkRows after a key, or
// what is left. An error ends the walk.
func inPages(after []byte, page func(after []byte) ([]row, error)) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for after := after; ; {
			rows, err := page(after)
			if err != nil {
				yield(row{}, err)
				return
			}
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
			if len(rows) < walkRows {
				return
			}
			after = rows[len(rows)-1].key
		}
	}
}

func (s *Store) page(bucket func(*bolt.Tx) (*bolt.Bucket, error), w walk) (page []row, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		b, err := bucket(tx)
		if err != nil {
			return err
		}
		c := b.Cursor()
		for k, v := w.seek(c); k != nil && len(page) < walkRows; k, v = c.Next() {
			if !bytes.HasPrefix(k, w.prefix) {
				break
			}
			page = append(page, row{bytes.Clone(k), bytes.Clone(v)})
		}
		return nil
	})
	return page, err
}

func (w walk) seek(c *bolt.Cursor) (key, value []byte) {
	if bytes.Compare(w.after, w.prefix) < 0 {
		return c.Seek(w.prefix)
	}
	key, value = c.Seek(w.after)
	if bytes.Equal(key, w.after) && len(w.after) > 0 {
		return c.Next()
	}
	return key, value
}
