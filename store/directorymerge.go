package store

import (
	"bytes"
	"context"
	"iter"

	bolt "go.etcd.io/bbolt"
)

// told is an account with all that was said of it.
type told struct {
	account []byte
	claims  []claim
}

// maxClaims is how many claims on one account are looked at, those of the least
// ids: where there are more, the wrong attribute was taken for the account.
const maxClaims = 64

// grouped gives what was claimed, an account at a time.
func (b *DirectoryBatch) grouped() iter.Seq2[told, error] {
	return func(yield func(told, error) bool) {
		var t told
		for r, err := range b.claims.all() {
			if err != nil {
				yield(told{}, err)
				return
			}
			if !bytes.Equal(r.key, t.account) {
				if t.account != nil && !yield(t, nil) {
					return
				}
				t = told{account: r.key}
			}
			t.add(readClaim(r.value))
		}
		if t.account != nil {
			yield(t, nil)
		}
	}
}

func (t *told) add(c claim) {
	if len(t.claims) < maxClaims {
		t.claims = append(t.claims, c)
		return
	}
	most := 0
	for i := range t.claims {
		if bytes.Compare(t.claims[i].id[:], t.claims[most].id[:]) > 0 {
			most = i
		}
	}
	if bytes.Compare(c.id[:], t.claims[most].id[:]) < 0 {
		t.claims[most] = c
	}
}

// concerned gives the accounts that have to be settled: those of which
// something was said, and in a full comparison those that belong to entries.
func (b *DirectoryBatch) concerned(full bool) iter.Seq2[told, error] {
	if !full || !b.known {
		return b.grouped()
	}
	return func(yield func(told, error) bool) {
		next, stop := iter.Pull2(b.grouped())
		defer stop()
		t, err, more := next()
		for r, e := range b.store.rows(named(b.row.Accounts), walk{}) {
			if e != nil {
				yield(told{}, e)
				return
			}
			for ; more && err == nil && bytes.Compare(t.account, r.key) < 0; t, err, more = next() {
				if !yield(t, nil) {
					return
				}
			}
			one := told{account: r.key}
			if more && err == nil && bytes.Equal(t.account, r.key) {
				one = t
				t, err, more = next()
			}
			if err != nil {
				break
			}
			if !yield(one, nil) {
				return
			}
		}
		for ; more && err == nil; t, err, more = next() {
			if !yield(t, nil) {
				return
			}
		}
		if err != nil {
			yield(told{}, err)
		}
	}
}

// named finds a bucket by its name.
func named(name []byte) func(*bolt.Tx) (*bolt.Bucket, error) {
	return func(tx *bolt.Tx) (*bolt.Bucket, error) {
		if b := tx.Bucket(name); b != nil {
			return b, nil
		}
		return nil, ErrDamaged
	}
}

// settled compares what was told with the store, in the order of accounts.
func (b *DirectoryBatch) settled(ctx context.Context, r rules) iter.Seq2[settlement, error] {
	return func(yield func(settlement, error) bool) {
		page := make([]told, 0, walkRows)
		flush := func() bool {
			settlements, err := b.settle(ctx, r, page)
			page = page[:0]
			for i := range settlements {
				if !yield(settlements[i], nil) {
					return false
				}
			}
			return err == nil || yield(settlement{}, err) && false
		}
		for t, err := range b.concerned(r.full) {
			if err != nil {
				yield(settlement{}, err)
				return
			}
			if page = append(page, t); len(page) == walkRows && !flush() {
				return
			}
		}
		flush()
	}
}

func (b *DirectoryBatch) settle(ctx context.Context, r rules, page []told) (settlements []settlement, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	settlements = make([]settlement, 0, len(page))
	err = b.store.view(func(tx *bolt.Tx) error {
		look, err := b.lookIn(tx)
		if err != nil {
			return err
		}
		for _, t := range page {
			st, err := look.standing(t.account)
			if err != nil {
				return err
			}
			settlements = append(settlements, r.settle(st, t.claims))
		}
		return nil
	})
	return settlements, err
}

// looker reads what stands.
type looker struct {
	source    string
	contracts *bolt.Bucket
	owners    *bolt.Bucket
	doubles   *bolt.Cursor // nil: there are none
}

func (b *DirectoryBatch) lookIn(tx *bolt.Tx) (l looker, err error) {
	l.source = b.source
	if l.contracts, err = contractsIn(tx); err != nil {
		return l, err
	}
	if l.owners, err = named(b.row.Accounts)(tx); err != nil {
		return l, err
	}
	if b.row.Doubles > 0 {
		l.doubles = tx.Bucket(doublesBucket).Cursor()
	}
	return l, nil
}

func (l looker) standing(account []byte) (st standing, err error) {
	if st, err = ownedIn(l.owners, account); err != nil {
		return st, err
	}
	st.account = account
	st.contract = bytes.Clone(l.contracts.Get(account))
	if l.doubles == nil {
		return st, nil
	}
	prefix := doublePrefix(l.source, account)
	for k, v := l.doubles.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = l.doubles.Next() {
		if len(k) == len(prefix)+len(EntryID{}) {
			st.doubles = append(st.doubles, double{EntryID(k[len(prefix):]), bytes.Clone(v)})
		}
	}
	return st, nil
}

func doublePrefix(source string, account []byte) []byte {
	return append(append(append([]byte(source), 0), account...), 0)
}

func (d double) key(source string, account []byte) []byte {
	return append(doublePrefix(source, account), d.id[:]...)
}
