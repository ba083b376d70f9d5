package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// What the store keeps of a directory is which of its entries each account
// belongs to. The contracts themselves lie with all others. An account that no
// entry of the directory has ever had is not the directory's, and stays.

// EntryID names an entry of a directory for good, whatever its DN becomes: the
// octets of its entryUUID (RFC 4530) or objectGUID.
type EntryID [16]byte

// String is the id in the form of RFC 4122.
func (id EntryID) String() string {
	h := hex.EncodeToString(id[:])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// Cookie is how far a directory has been followed. What is in it only who asks
// the directory knows.
type Cookie struct {
	Value  []byte // nil: not at all, so that all of it has to be compared
	Server string // that gave it
}

// DirectoryState is what the store knows of a directory.
type DirectoryState struct {
	Cookie
	Loaded  time.Time // when all of it was compared last; zero: never
	Applied time.Time // when something of it was applied last
	Entries int       // that are known, with those that are gone and in their grace
	Missing int       // contracts whose entry is gone, in their grace
	Doubles int       // entries whose account belongs to another one
	Held    *Held     // nil: nothing is held
}

// Held is what a guard has refused, kept until it is approved, dropped or no
// longer what the directory says.
type Held struct {
	ID     string // a ULID
	At     time.Time
	Guard  GuardError
	Report DirectoryReport // what it would do
	Full   bool            // all of the directory was compared
}

// ErrHeldChanged says that contracts are not as they were when the changes were
// held.
var ErrHeldChanged = errors.New("contracts have changed since these changes were held: sync again")

// The buckets. Those of a directory's accounts and entries are generations, as
// those of the contracts are.
var (
	directoriesBucket = []byte("directories")         // source: directoryRow
	doublesBucket     = []byte("directories-doubles") // source 0 account 0 id: contractRow
	directoryPrefix   = []byte("directory/")          // accounts: ownerRow; entries by id: their accounts; held changes
)

func createDirectories(tx *bolt.Tx) error {
	for _, name := range [][]byte{directoriesBucket, doublesBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// directoryRow is how a directory lies in the file; see contractRow.
type directoryRow struct {
	Accounts []byte    `cbor:"1,keyasint"` // names of buckets
	IDs      []byte    `cbor:"2,keyasint"`
	Cookie   []byte    `cbor:"3,keyasint,omitempty"`
	Server   string    `cbor:"4,keyasint,omitempty"`
	Loaded   int64     `cbor:"5,keyasint,omitempty"`
	Applied  int64     `cbor:"6,keyasint,omitempty"`
	Entries  int       `cbor:"7,keyasint,omitempty"`
	Missing  int       `cbor:"8,keyasint,omitempty"`
	Doubles  int       `cbor:"9,keyasint,omitempty"`
	Held     *heldRow  `cbor:"10,keyasint,omitempty"`
	Steps    []stepRow `cbor:"11,keyasint,omitempty"`
}

// Directory tells what the store knows of a directory, nothing at all of one
// that it has never seen.
func (s *Store) Directory(source string) (state DirectoryState, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		r, err := directoryIn(tx, source)
		state = r.state()
		return err
	})
	if err != nil {
		return state, fmt.Errorf("directory %s: %w", source, err)
	}
	return state, nil
}

func (r directoryRow) state() DirectoryState {
	state := DirectoryState{
		Cookie: Cookie{r.Cookie, r.Server}, Loaded: fromNanos(r.Loaded), Applied: fromNanos(r.Applied),
		Entries: r.Entries, Missing: r.Missing, Doubles: r.Doubles,
	}
	if r.Held != nil {
		held := r.Held.held()
		state.Held = &held
	}
	return state
}

// directoryIn reads the row of a directory; a zero one where there is none.
func directoryIn(tx *bolt.Tx, source string) (r directoryRow, err error) {
	v := tx.Bucket(directoriesBucket).Get([]byte(source))
	if v == nil {
		return r, nil
	}
	if err := cbor.Unmarshal(v, &r); err != nil {
		return r, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return r, nil
}

func putDirectory(tx *bolt.Tx, source string, r directoryRow) error {
	value, err := cbor.Marshal(r)
	if err != nil {
		return err
	}
	return tx.Bucket(directoriesBucket).Put([]byte(source), value)
}

// openDirectory makes the buckets of a directory that is new.
func (s *Store) openDirectory(source string) (r directoryRow, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		r, err = directoryIn(tx, source)
		return err
	})
	if err != nil || r.Accounts != nil {
		return r, err
	}
	err = s.update(func(tx *bolt.Tx) error {
		if r, err = directoryIn(tx, source); err != nil || r.Accounts != nil {
			return err
		}
		for _, name := range []*[]byte{&r.Accounts, &r.IDs} {
			if *name, _, err = newBucket(tx, directoryPrefix); err != nil {
				return err
			}
		}
		return putDirectory(tx, source, r)
	})
	return r, err
}

// buckets are those that the row names.
func (r directoryRow) buckets() [][]byte {
	names := [][]byte{r.Accounts, r.IDs}
	if r.Held != nil {
		names = append(names, r.Held.Changes, r.Held.IDs)
	}
	return names
}

// owner is whom an account belongs to: the entry, and since when that is gone,
// 0 where it is there.
type owner struct {
	id      EntryID
	missing int64 // nanoseconds since 1970
}

const ownerLen = len(EntryID{}) + 8

func (o owner) encode() []byte {
	return appendUint64(slices.Clone(o.id[:]), uint64(o.missing))
}

func decodeOwner(account, value []byte) (o owner, err error) {
	if len(value) != ownerLen {
		return o, fmt.Errorf("owner of account %s: %w", account, ErrDamaged)
	}
	o.missing = int64(bigEndian(value[copy(o.id[:], value):]))
	return o, nil
}

// joinAccounts gives the accounts of an entry as they lie in the file.
func joinAccounts(keys [][]byte) []byte {
	var text []byte
	for i, key := range keys {
		if i > 0 {
			text = append(text, 0)
		}
		text = append(text, key...)
	}
	return text
}

// CheckContract says why a contract cannot be stored: FieldErrors, or nil.
func CheckContract(c engine.Contract) error {
	_, bad := tidy(c)
	return bad.orNil()
}
