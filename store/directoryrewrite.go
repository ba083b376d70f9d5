package store

import (
	"bytes"
	"context"
	"iter"

	bolt "go.etcd.io/bbolt"
)

// rewrite makes new generations of the contracts, of the accounts and of the
// entries, and publishes them together.
func (a *application) rewrite(ctx context.Context, before int) error {
	err := a.writeGenerations(ctx, before)
	// Published or given up, some generations have no reader now. If they cannot
	// be removed here, the next Open does it.
	if err := a.drainStrayGenerations(); err != nil {
		a.log.Warn("removing old contracts", "file", a.path, "err", err)
	}
	return err
}

func (a *application) writeGenerations(ctx context.Context, before int) error {
	var contracts, owners, ids []byte
	err := a.update(func(tx *bolt.Tx) (err error) {
		if contracts, _, err = newGeneration(tx); err != nil {
			return err
		}
		if owners, _, err = newBucket(tx, directoryPrefix); err != nil {
			return err
		}
		ids, _, err = newBucket(tx, directoryPrefix)
		return err
	})
	if err != nil {
		return err
	}
	p := pairWriter{a: a, ctx: ctx, contracts: contracts, owners: owners}
	if err := p.writeAll(); err != nil {
		return err
	}
	entries, err := a.fillGeneration(ctx, ids, overlay(a.rows(named(a.row.IDs), walk{}), a.ids()))
	if err != nil {
		return err
	}
	old := a.row.Accounts
	return a.updateContracts(nil, func(tx *bolt.Tx) error {
		a.rewritten, a.row.Accounts, a.row.IDs = old, owners, ids
		if err := publish(tx, contracts, p.n); err != nil {
			return err
		}
		return a.conclude(tx, entries, before)
	})
}

// overlay gives the old rows with the changes made, both in key order; a
// change without a value takes its key out.
func overlay(old, changes iter.Seq2[row, error]) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		next, stop := iter.Pull2(changes)
		defer stop()
		c, err, more := next()
		put := func() bool { // the change
			gone := len(c.value) == 0
			if r := c; !gone && !yield(r, nil) {
				return false
			}
			c, err, more = next()
			return true
		}
		for o, e := range old {
			if e != nil {
				yield(row{}, e)
				return
			}
			for more && err == nil && bytes.Compare(c.key, o.key) < 0 {
				if !put() {
					return
				}
			}
			if more && err != nil {
				break
			}
			if more && bytes.Equal(c.key, o.key) {
				if !put() {
					return
				}
			} else if !yield(o, nil) {
				return
			}
		}
		for more && err == nil {
			if !put() {
				return
			}
		}
		if err != nil {
			yield(row{}, err)
		}
	}
}

// pairWriter writes contracts and the owners of their accounts side by side.
type pairWriter struct {
	a                 *application
	ctx               context.Context
	contracts, owners []byte // names of buckets
	chunk             [2][]row
	n                 int // contracts
}

// writeAll gives every old row and every change its place.
func (p *pairWriter) writeAll() error {
	contract := newPuller(p.a.rows(contractsIn, walk{}))
	defer contract.stop()
	owner := newPuller(p.a.rows(named(p.a.row.Accounts), walk{}))
	defer owner.stop()
	for c, err := range p.a.changes() {
		if err != nil {
			return err
		}
		if p.a.first {
			p.a.found.add(c)
		}
		if err := p.pass(c.key, contract, 0); err != nil {
			return err
		}
		if err := p.pass(c.key, owner, 1); err != nil {
			return err
		}
		if c.after != nil {
			p.chunk[0] = append(p.chunk[0], row{c.key, c.after})
		}
		if c.is.owned {
			p.chunk[1] = append(p.chunk[1], row{c.key, c.is.owner.encode()})
		}
		if err := p.flush(chunkRows); err != nil {
			return err
		}
	}
	if err := p.pass(nil, contract, 0); err != nil {
		return err
	}
	if err := p.pass(nil, owner, 1); err != nil {
		return err
	}
	return p.flush(1)
}

// pass takes over the old rows before a key, or all of them, and leaves out the
// one of that key.
func (p *pairWriter) pass(key []byte, old *puller, which int) error {
	for old.more && old.err == nil && (key == nil || bytes.Compare(old.row.key, key) < 0) {
		p.chunk[which] = append(p.chunk[which], old.row)
		if err := p.flush(chunkRows); err != nil {
			return err
		}
		old.advance()
	}
	if old.err == nil && old.more && bytes.Equal(old.row.key, key) {
		old.advance()
	}
	return old.err
}

// flush writes what is there when it is enough.
func (p *pairWriter) flush(enough int) error {
	if max(len(p.chunk[0]), len(p.chunk[1])) < enough {
		return nil
	}
	if err := p.ctx.Err(); err != nil {
		return err
	}
	p.n += len(p.chunk[0])
	err := p.a.update(func(tx *bolt.Tx) error {
		for i, name := range [][]byte{p.contracts, p.owners} {
			b := tx.Bucket(name)
			b.FillPercent = 0.9 // keys come in order: half empty pages would stay so
			for _, r := range p.chunk[i] {
				if err := b.Put(r.key, r.value); err != nil {
					return err
				}
			}
		}
		return nil
	})
	clear(p.chunk[0])
	clear(p.chunk[1])
	p.chunk = [2][]row{p.chunk[0][:0], p.chunk[1][:0]}
	return err
}

// puller stands at the next row of a sequence.
type puller struct {
	next func() (row, error, bool)
	stop func()
	row  row
	err  error
	more bool
}

func newPuller(rows iter.Seq2[row, error]) *puller {
	p := &puller{}
	p.next, p.stop = iter.Pull2(rows)
	p.advance()
	return p
}

func (p *puller) advance() { p.row, p.err, p.more = p.next() }
