package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// directoryMemory is how many bytes of a batch are held before they go to disk.
const directoryMemory = 16 << 20

// DirectoryBatch collects what a directory says, until it is compared and
// applied, in memory that does not grow with it. Each entry is told at most
// once. It is for one goroutine, and its directory for one batch at a time.
type DirectoryBatch struct {
	store   *Store
	source  string
	row     directoryRow // as it was at the beginning
	known   bool         // the store has entries of this directory
	claims  *sorter      // account: claim
	ids     *sorter      // id: its accounts, where they are not what they were; none: the entry is gone
	waiting []saying
	entries int
}

// saying is what was told of one entry.
type saying struct {
	id   EntryID
	what verdict
	rows []row // accounts and contracts
}

// verdict is what becomes of an entry's claim on an account.
type verdict byte

const (
	claimed verdict = iota // the entry has the account, with this contract
	stays                  // it is there and has what it had
	gone                   // it is not there any more
	dropped                // it is there, and has the account no more
)

// NewDirectoryBatch begins a batch of what a directory says. Close it.
func (s *Store) NewDirectoryBatch(source string) (*DirectoryBatch, error) {
	r, err := s.openDirectory(source)
	if err != nil {
		return nil, fmt.Errorf("directory %s: %w", source, err)
	}
	dir, limit := filepath.Dir(s.path), min(s.sortMemory, directoryMemory)
	return &DirectoryBatch{
		store: s, source: source, row: r, known: r.Entries > 0,
		claims: &sorter{dir: dir, limit: limit}, ids: &sorter{dir: dir, limit: limit},
	}, nil
}

// Close gives back what the batch holds.
func (b *DirectoryBatch) Close() {
	b.claims.close()
	b.ids.close()
}

// Entries tells how many entries were put or kept.
func (b *DirectoryBatch) Entries() int { return b.entries }

// Put says that an entry is there and has these contracts, one for each of its
// accounts. FieldErrors say that one of them cannot be stored: then nothing was
// taken, and the entry should be kept.
func (b *DirectoryBatch) Put(id EntryID, contracts []engine.Contract) error {
	said := saying{id: id, what: claimed}
	for _, c := range contracts {
		r, err := contractAsRow(c)
		if err != nil {
			return err
		}
		said.rows = append(said.rows, r)
	}
	slices.SortFunc(said.rows, func(x, y row) int { return bytes.Compare(x.key, y.key) })
	said.rows = slices.CompactFunc(said.rows, func(x, y row) bool { return bytes.Equal(x.key, y.key) })
	b.entries++
	return b.say(said)
}

// Keep says that an entry is there and as it was, or cannot be read: its
// contracts stay.
func (b *DirectoryBatch) Keep(id EntryID) error {
	b.entries++
	return b.say(saying{id: id, what: stays})
}

// Delete says that an entry is gone.
func (b *DirectoryBatch) Delete(id EntryID) error { return b.say(saying{id: id, what: gone}) }

func (b *DirectoryBatch) say(said saying) error {
	b.waiting = append(b.waiting, said)
	if len(b.waiting) < walkRows {
		return nil
	}
	return b.flush()
}

// flush sorts what was told by accounts, for which it looks up what accounts
// the entries had.
func (b *DirectoryBatch) flush() error {
	had := make([][]byte, len(b.waiting))
	if b.known {
		err := b.store.view(func(tx *bolt.Tx) error {
			ids := tx.Bucket(b.row.IDs)
			for i := range b.waiting {
				had[i] = bytes.Clone(ids.Get(b.waiting[i].id[:]))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for i := range b.waiting {
		if err := b.sort(&b.waiting[i], had[i]); err != nil {
			return err
		}
	}
	b.waiting = b.waiting[:0]
	return nil
}

func (b *DirectoryBatch) sort(said *saying, had []byte) error {
	keys := make([][]byte, len(said.rows))
	for i, r := range said.rows {
		keys[i] = r.key
		if err := b.claim(r.key, said.id, claimed, r.value); err != nil {
			return err
		}
	}
	if had != nil {
		for old := range bytes.SplitSeq(had, []byte{0}) {
			if slices.ContainsFunc(keys, func(key []byte) bool { return bytes.Equal(key, old) }) {
				continue
			}
			what := said.what
			if what == claimed {
				what = dropped
			}
			if err := b.claim(old, said.id, what, nil); err != nil {
				return err
			}
		}
	}
	return b.index(said, had, joinAccounts(keys))
}

// index notes what accounts an entry has now, if that is not what it had.
func (b *DirectoryBatch) index(said *saying, had, has []byte) error {
	if said.what != claimed || had == nil && has == nil || had != nil && bytes.Equal(had, has) {
		return nil
	}
	return b.ids.add(said.id[:], has, b.ids.n)
}

func (b *DirectoryBatch) claim(account []byte, id EntryID, what verdict, contract []byte) error {
	value := append(append(make([]byte, 0, 17+len(contract)), byte(what)), id[:]...)
	return b.claims.add(account, append(value, contract...), b.claims.n)
}

// claim is what an entry says of an account.
type claim struct {
	id       EntryID
	what     verdict
	contract []byte
}

func readClaim(value []byte) claim {
	return claim{what: verdict(value[0]), id: EntryID(value[1:17]), contract: value[17:]}
}

// finish ends the telling.
func (b *DirectoryBatch) finish() error {
	if err := b.flush(); err != nil {
		return err
	}
	return b.claims.finish()
}

func appendUint64(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(b, n) }
func bigEndian(b []byte) uint64              { return binary.BigEndian.Uint64(b) }
