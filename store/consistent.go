package store

import (
	"bytes"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// consistency compares what is kept twice: counts, and what things are found by.
type consistency struct {
	tx    *bolt.Tx
	found FileReport
	errs  []error
}

// consistent tells what the store holds, and all that does not fit together. A
// file of an older schema has fewer buckets.
func consistent(tx *bolt.Tx) (FileReport, []error) {
	c := consistency{tx: tx}
	c.contracts()
	if tx.Bucket(overridesBucket) != nil {
		c.overrides()
	}
	if tx.Bucket(tokensBucket) != nil {
		c.tokens()
	}
	return c.found, c.errs
}

func (c *consistency) fault(format string, args ...any) {
	if len(c.errs) < maxImportErrors {
		c.errs = append(c.errs, fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...))
	}
}

// keys counts the rows of a bucket.
func (c *consistency) keys(b *bolt.Bucket) (n int) {
	cursor := b.Cursor()
	for k, _ := cursor.First(); k != nil; k, _ = cursor.Next() {
		n++
	}
	return n
}

func (c *consistency) contracts() {
	b, err := contractsIn(c.tx)
	if err != nil {
		c.errs = append(c.errs, err)
		return
	}
	n, err := getUint64(c.tx.Bucket(metaBucket), metaContractsN)
	if err != nil {
		c.errs = append(c.errs, err)
		return
	}
	if c.found.Contracts = c.keys(b); uint64(c.found.Contracts) != n {
		c.fault("%d contracts, where %d were counted", c.found.Contracts, n)
	}
}

func (c *consistency) overrides() {
	standing, keyed := 0, 0
	cursor := c.tx.Bucket(overridesBucket).Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		if len(k) != 16 {
			c.fault("override: a key of %d bytes", len(k))
			continue
		}
		c.found.Overrides++
		o, err := decodeOverride([16]byte(k), v)
		if err != nil {
			c.errs = append(c.errs, err)
			continue
		}
		if c.tx.Bucket(byAccountBucket).Get(accountKey(o.Account, [16]byte(k))) == nil {
			c.fault("override %s is not found by its account", o.ID)
		}
		if isThere := c.tx.Bucket(standingBucket).Get(standingKey(&o, [16]byte(k))) != nil; isThere == (o.Revoked != nil) {
			c.fault("override %s: revoked %v, among those that stand %v", o.ID, o.Revoked != nil, isThere)
		}
		if o.Revoked == nil {
			standing++
		}
		if o.Key != "" {
			keyed++
			c.key(&o, k)
		}
	}
	c.same("overrides by account", byAccountBucket, c.found.Overrides)
	c.same("overrides that stand", standingBucket, standing)
	c.same("keys of overrides", keysBucket, keyed)
}

func (c *consistency) key(o *Override, id []byte) {
	if v := c.tx.Bucket(keysBucket).Get([]byte(o.Key)); !bytes.HasPrefix(v, id) {
		c.fault("override %s is not found by its key %q", o.ID, o.Key)
	}
}

func (c *consistency) same(what string, bucket []byte, want int) {
	if n := c.keys(c.tx.Bucket(bucket)); n != want {
		c.fault("%d %s, of %d", n, what, want)
	}
}

func (c *consistency) tokens() {
	standing := 0
	cursor := c.tx.Bucket(tokensBucket).Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		c.found.Tokens++
		t, err := decodeToken(v)
		if err != nil {
			c.errs = append(c.errs, err)
			continue
		}
		if t.Revoked != nil {
			continue
		}
		standing++
		if !bytes.Equal(c.tx.Bucket(tokenHashesBucket).Get(t.Hash[:]), k) {
			c.fault("token %q is not found by its hash", t.Name)
		}
	}
	c.same("hashes of tokens", tokenHashesBucket, standing)
}
