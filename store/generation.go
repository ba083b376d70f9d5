package store

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	bolt "go.etcd.io/bbolt"
)

// The contracts lie in a bucket named by meta, a generation. A large import
// writes the next generation beside it, in transactions short enough for the
// other writers, and then lets meta name it: readers see the old contracts or
// the new ones, and memory does not grow with the store.

var generationPrefix = []byte("contracts/")

// chunkRows is how many rows one transaction writes into a new generation.
const chunkRows = 20_000

func createContracts(tx *bolt.Tx) error {
	name, _, err := newGeneration(tx)
	if err != nil {
		return err
	}
	return publish(tx, name, 0)
}

// contractsIn finds the generation that readers use.
func contractsIn(tx *bolt.Tx) (*bolt.Bucket, error) {
	if meta := tx.Bucket(metaBucket); meta != nil {
		if b := tx.Bucket(meta.Get(metaContracts)); b != nil {
			return b, nil
		}
	}
	return nil, fmt.Errorf("%w: it has no contracts bucket", ErrDamaged)
}

func newGeneration(tx *bolt.Tx) (name []byte, b *bolt.Bucket, err error) {
	return newBucket(tx, generationPrefix)
}

// newBucket creates an empty bucket under a name that was never used.
func newBucket(tx *bolt.Tx, prefix []byte) (name []byte, b *bolt.Bucket, err error) {
	meta, err := tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return nil, nil, err
	}
	n, err := meta.NextSequence()
	if err != nil {
		return nil, nil, err
	}
	name = fmt.Appendf(nil, "%s%d", prefix, n)
	b, err = tx.CreateBucket(name)
	return name, b, err
}

// publish makes a generation of n rows the one that readers use.
func publish(tx *bolt.Tx, name []byte, n int) error {
	meta := tx.Bucket(metaBucket)
	if err := putUint64(meta, metaContractsN, uint64(n)); err != nil {
		return err
	}
	return meta.Put(metaContracts, name)
}

// writeGeneration writes rows, which come in key order, to a new generation
// and publishes it, with what record adds. When it fails, the old one stays.
func (s *Store) writeGeneration(ctx context.Context, rows iter.Seq2[row, error], record func(tx *bolt.Tx, n int) error) error {
	var name []byte
	err := s.update(func(tx *bolt.Tx) (err error) {
		name, _, err = newGeneration(tx)
		return err
	})
	if err != nil {
		return err
	}
	n, err := s.fillGeneration(ctx, name, rows)
	if err != nil {
		return err
	}
	return s.updateContracts(nil, func(tx *bolt.Tx) error {
		if err := publish(tx, name, n); err != nil {
			return err
		}
		return record(tx, n)
	})
}

func (s *Store) fillGeneration(ctx context.Context, name []byte, rows iter.Seq2[row, error]) (n int, err error) {
	chunk := make([]row, 0, chunkRows)
	flush := func() error {
		n += len(chunk)
		err := s.appendRows(ctx, name, chunk)
		chunk = chunk[:0]
		return err
	}
	for r, err := range rows {
		if err != nil {
			return n, err
		}
		if chunk = append(chunk, r); len(chunk) == chunkRows {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	return n, flush()
}

func (s *Store) appendRows(ctx context.Context, name []byte, chunk []row) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.update(func(tx *bolt.Tx) error {
		b := tx.Bucket(name)
		b.FillPercent = 0.9 // keys come in order: half empty pages would stay so
		for _, r := range chunk {
			if err := b.Put(r.key, r.value); err != nil {
				return err
			}
		}
		return nil
	})
}

// dropStrayGenerations removes the generations that no reader uses: what an
// interrupted import has left. Other writers wait for it.
func (s *Store) dropStrayGenerations() error {
	stray, err := s.strayGenerations()
	if err != nil || len(stray) == 0 {
		return err
	}
	return s.update(func(tx *bolt.Tx) error {
		for _, name := range stray {
			if err := tx.DeleteBucket(name); err != nil {
				return err
			}
		}
		return nil
	})
}

// drainStrayGenerations does the same in transactions short enough for the
// other writers.
func (s *Store) drainStrayGenerations() error {
	stray, err := s.strayGenerations()
	if err != nil {
		return err
	}
	for _, name := range stray {
		for empty := false; !empty; {
			err := s.update(func(tx *bolt.Tx) (err error) {
				empty, err = drain(tx, name)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// drain deletes the first rows of a bucket, and the bucket after its last.
func drain(tx *bolt.Tx, name []byte) (empty bool, err error) {
	b := tx.Bucket(name)
	c := b.Cursor()
	keys := make([][]byte, 0, chunkRows)
	for k, _ := c.First(); k != nil && len(keys) < chunkRows; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k)) // a delete may move what the page holds
	}
	if len(keys) < chunkRows {
		return true, tx.DeleteBucket(name)
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (s *Store) strayGenerations() (stray [][]byte, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		used := tx.Bucket(metaBucket).Get(metaContracts)
		c := tx.Cursor()
		for k, _ := c.Seek(generationPrefix); bytes.HasPrefix(k, generationPrefix); k, _ = c.Next() {
			if !bytes.Equal(k, used) {
				stray = append(stray, bytes.Clone(k))
			}
		}
		more, err := strayDirectoryBuckets(tx)
		stray = append(stray, more...)
		return err
	})
	return stray, err
}
