package store

import (
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/fxamacker/cbor/v2"
	bolt "go.etcd.io/bbolt"
)

// sessionsBucket holds the sessions that were live when they were last
// written: a copy of what the daemon has in memory, a moment old.
var sessionsBucket = []byte("sessions")

// Octets are octets as a NAS sent them, which need not be UTF-8.
type Octets = cbor.ByteString

// Session is a live session as it is kept. Times are ns since 1970, 0 for
// never; addresses are as netip writes them, empty for none. The numbers are
// never reused; readers pass over those that they do not know.
type Session struct {
	NAS, Box, AcctSession string `cbor:"-"` // the key

	Area      string      `cbor:"1,keyasint,omitempty"`
	Account   string      `cbor:"2,keyasint,omitempty"`
	UserName  Octets      `cbor:"3,keyasint,omitempty"`
	Name      Octets      `cbor:"4,keyasint,omitempty"` // only where it is not UserName
	Realm     string      `cbor:"5,keyasint,omitempty"`
	Form      string      `cbor:"6,keyasint,omitempty"`
	Started   int64       `cbor:"7,keyasint,omitempty"`
	Updated   int64       `cbor:"8,keyasint,omitempty"`
	Since     int64       `cbor:"9,keyasint,omitempty"`
	Interval  int64       `cbor:"10,keyasint,omitempty"`
	Addresses [][]byte    `cbor:"11,keyasint,omitempty"` // prefixes
	Interface uint64      `cbor:"12,keyasint,omitempty"`
	Identity  Octets      `cbor:"13,keyasint,omitempty"`
	Request   [][2]Octets `cbor:"14,keyasint,omitempty"`
	Applied   string      `cbor:"15,keyasint,omitempty"`
	Rule      string      `cbor:"16,keyasint,omitempty"` // why that was applied
	Override  string      `cbor:"17,keyasint,omitempty"`
	AppliedAt int64       `cbor:"18,keyasint,omitempty"`
	Proof     uint8       `cbor:"19,keyasint,omitempty"`
	Wanted    string      `cbor:"20,keyasint,omitempty"`
	WantedBy  string      `cbor:"21,keyasint,omitempty"`
	WantedFor string      `cbor:"22,keyasint,omitempty"` // the override
	Until     int64       `cbor:"23,keyasint,omitempty"`
	Course    string      `cbor:"24,keyasint,omitempty"`
	Exempt    string      `cbor:"25,keyasint,omitempty"`
	Why       string      `cbor:"26,keyasint,omitempty"`
	Flags     uint8       `cbor:"27,keyasint,omitempty"`
	Event     int64       `cbor:"28,keyasint,omitempty"` // of the Start, by the clock of the NAS; s
	Words     string      `cbor:"29,keyasint,omitempty"` // in which Applied was said
}

// SessionKey names a session.
type SessionKey struct{ NAS, Box, AcctSession string }

// SessionBatch is what has changed since the last one.
type SessionBatch struct {
	Put     []Session
	Delete  []SessionKey
	Past    []Stretch      // into the history
	Settled []Announcement // of which the rows say by now what became of them
}

// Len counts what is in a batch.
func (b *SessionBatch) Len() int { return len(b.Put) + len(b.Delete) + len(b.Past) + len(b.Settled) }

func createSessions(tx *bolt.Tx) error {
	_, err := tx.CreateBucketIfNotExists(sessionsBucket)
	if err == nil {
		_, err = tx.CreateBucketIfNotExists(historyBucket)
	}
	return err
}

// SaveSessions writes a batch in one transaction: it is on disk when this
// returns. Other writers wait for it, so a batch should be of a few thousand
// at most.
func (s *Store) SaveSessions(b SessionBatch) error {
	err := s.update(func(tx *bolt.Tx) error {
		sessions := tx.Bucket(sessionsBucket)
		for _, k := range b.Delete {
			if err := sessions.Delete(k.bytes()); err != nil {
				return err
			}
		}
		for i := range b.Put {
			if err := putSession(sessions, &b.Put[i]); err != nil {
				return err
			}
		}
		if err := settle(tx, b.Settled); err != nil {
			return err
		}
		return putStretches(tx, b.Past)
	})
	if err != nil {
		return fmt.Errorf("saving %d changes of sessions: %w", b.Len(), err)
	}
	return nil
}

func putSession(b *bolt.Bucket, s *Session) error {
	value, err := cbor.Marshal(s)
	if err != nil {
		return err
	}
	return b.Put(SessionKey{s.NAS, s.Box, s.AcctSession}.bytes(), value)
}

// AllSessions walks the sessions that were saved. A row that cannot be read
// comes as an error and does not end the walk.
func (s *Store) AllSessions() iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		in := func(tx *bolt.Tx) (*bolt.Bucket, error) { return tx.Bucket(sessionsBucket), nil }
		for r, err := range s.rows(in, walk{}) {
			var row Session
			if err == nil {
				row, err = decodeSession(r.key, r.value)
			}
			if err != nil {
				err = fmt.Errorf("reading sessions: %w", err)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// Session returns one session that was saved; found is false when there is none
// of that name.
func (s *Store) Session(k SessionKey) (row Session, found bool, err error) {
	err = s.view(func(tx *bolt.Tx) (err error) {
		key := k.bytes()
		value := tx.Bucket(sessionsBucket).Get(key)
		if found = value != nil; found {
			row, err = decodeSession(key, value)
		}
		return err
	})
	if err != nil {
		return Session{}, false, fmt.Errorf("reading a session: %w", err)
	}
	return row, found, nil
}

// CountSessions tells how many sessions are saved. It looks at every page of
// them.
func (s *Store) CountSessions() (n int, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		n = tx.Bucket(sessionsBucket).Stats().KeyN
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("counting sessions: %w", err)
	}
	return n, nil
}

// decodeSession reads a row; damaged ones are errors.
func decodeSession(key, value []byte) (Session, error) {
	var s Session
	k, ok := sessionKey(key)
	if !ok {
		return s, fmt.Errorf("%w: session key %x", ErrDamaged, key)
	}
	if err := cbor.Unmarshal(value, &s); err != nil {
		return Session{}, fmt.Errorf("session %q of %s: %w: %w", k.AcctSession, k.NAS, ErrDamaged, err)
	}
	s.NAS, s.Box, s.AcctSession = k.NAS, k.Box, k.AcctSession
	return s, nil
}

// bytes makes the key of a row: the two names with their lengths, since a box
// may contain any octet.
func (k SessionKey) bytes() []byte {
	b := make([]byte, 0, len(k.NAS)+len(k.Box)+len(k.AcctSession)+4)
	b = append(binary.AppendUvarint(b, uint64(len(k.NAS))), k.NAS...)
	b = append(binary.AppendUvarint(b, uint64(len(k.Box))), k.Box...)
	return append(b, k.AcctSession...)
}

func sessionKey(b []byte) (k SessionKey, ok bool) {
	if k.NAS, b, ok = lengthened(b); !ok {
		return k, false
	}
	k.Box, b, ok = lengthened(b)
	k.AcctSession = string(b)
	return k, ok
}

func lengthened(b []byte) (text string, rest []byte, ok bool) {
	n, at := binary.Uvarint(b)
	if at <= 0 || n > uint64(len(b)-at) {
		return "", nil, false
	}
	end := at + int(n)
	return string(b[at:end]), b[end:], true
}
