package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"
	bolt "go.etcd.io/bbolt"
)

// historyBucket holds who had which address when: a bucket for each day (UTC)
// on which stretches ended, in it the stretches by address and beginning.
// Whole days are forgotten one after another, a few rows at a time.
var historyBucket = []byte("history")

// dayLayout names the day buckets, so that they sort by date.
const dayLayout = "20060102"

// Stretch is a time during which a session had an address and its router was
// told one thing for one reason.
type Stretch struct {
	Address     netip.Prefix // a single address, or the prefix that the session had
	From, Until time.Time    // [From, Until); zero Until: it has not ended

	NAS, Box, AcctSession string
	Account               string // folded
	UserName              string // octet for octet
	Course                string // of the contract; empty: not known
	Action                string // empty: it is not known what the router was told
	Rule, Override        string // why it was told so
	Ended                 string // why the session was over then; empty: it went on
}

// stretchRow is the value of a row; what is in the key is not repeated.
type stretchRow struct {
	Until    int64  `cbor:"1,keyasint"`
	Account  string `cbor:"2,keyasint,omitempty"`
	UserName Octets `cbor:"3,keyasint,omitempty"`
	Course   string `cbor:"4,keyasint,omitempty"`
	Action   string `cbor:"5,keyasint,omitempty"`
	Rule     string `cbor:"6,keyasint,omitempty"`
	Override string `cbor:"7,keyasint,omitempty"`
	Ended    string `cbor:"8,keyasint,omitempty"`
}

func putStretches(tx *bolt.Tx, past []Stretch) error {
	history := tx.Bucket(historyBucket)
	for i := range past {
		h := &past[i]
		day, err := history.CreateBucketIfNotExists([]byte(h.Until.UTC().Format(dayLayout)))
		if err != nil {
			return err
		}
		value, err := cbor.Marshal(stretchRow{
			h.Until.UnixNano(), h.Account, Octets(h.UserName), h.Course, h.Action, h.Rule, h.Override, h.Ended,
		})
		if err != nil {
			return err
		}
		if err := day.Put(h.key(), value); err != nil {
			return err
		}
	}
	return nil
}

// key is the place of an address, see addressKey, then the beginning and the
// session.
func (h *Stretch) key() []byte {
	key := addressKey(h.Address)
	key = binary.BigEndian.AppendUint64(key, uint64(h.From.UnixNano()))
	return append(key, SessionKey{h.NAS, h.Box, h.AcctSession}.bytes()...)
}

// addressKey is family, length and address, so that all lengths in use can be
// found by seeking.
func addressKey(p netip.Prefix) []byte {
	a := p.Masked().Addr()
	return append([]byte{byte(a.BitLen() / 8), byte(p.Bits())}, a.AsSlice()...)
}

// WhoHad finds the stretches during which somebody had an address, or a prefix
// that contains it, at an instant; the latest first. Stretches that go on are
// not in the store.
func (s *Store) WhoHad(a netip.Addr, at time.Time) ([]Stretch, error) {
	var found []Stretch
	err := s.view(func(tx *bolt.Tx) error {
		history := tx.Bucket(historyBucket)
		days := history.Cursor()
		for name, _ := days.Seek([]byte(at.UTC().Format(dayLayout))); name != nil; name, _ = days.Next() {
			more, err := whoHad(history.Bucket(name).Cursor(), a, at)
			if err != nil {
				return err
			}
			found = append(found, more...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking up who had %s: %w", a, err)
	}
	slices.SortStableFunc(found, func(x, y Stretch) int { return y.From.Compare(x.From) })
	return found, nil
}

// whoHad looks into one day. It seeks from one length of prefixes that occurs
// to the next.
func whoHad(c *bolt.Cursor, a netip.Addr, at time.Time) (found []Stretch, err error) {
	family := byte(a.BitLen() / 8)
	k, _ := c.Seek([]byte{family})
	for len(k) > 1 && k[0] == family {
		bits := k[1]
		p, err := a.Prefix(int(bits))
		if err != nil {
			return nil, fmt.Errorf("%w: history key %x", ErrDamaged, k)
		}
		place := addressKey(p)
		for k, v := c.Seek(place); bytes.HasPrefix(k, place); k, v = c.Next() {
			h, err := decodeStretch(k, v)
			if err != nil {
				return nil, err
			}
			if h.From.After(at) {
				break
			}
			if at.Before(h.Until) {
				found = append(found, h)
			}
		}
		if bits == 0xff {
			break
		}
		k, _ = c.Seek([]byte{family, bits + 1})
	}
	return found, nil
}

func decodeStretch(key, value []byte) (Stretch, error) {
	damaged := fmt.Errorf("%w: history key %x", ErrDamaged, key)
	if len(key) < 2 || key[0] != 4 && key[0] != 16 || len(key) < 2+int(key[0])+8 {
		return Stretch{}, damaged
	}
	a, _ := netip.AddrFromSlice(key[2 : 2+key[0]])
	rest := key[2+key[0]:]
	session, ok := sessionKey(rest[8:])
	p, err := a.Prefix(int(key[1]))
	if !ok || err != nil {
		return Stretch{}, damaged
	}
	var r stretchRow
	if err := cbor.Unmarshal(value, &r); err != nil {
		return Stretch{}, errors.Join(damaged, err)
	}
	return Stretch{
		Address: p, From: time.Unix(0, int64(binary.BigEndian.Uint64(rest))), Until: time.Unix(0, r.Until),
		NAS: session.NAS, Box: session.Box, AcctSession: session.AcctSession,
		Account: r.Account, UserName: string(r.UserName), Course: r.Course,
		Action: r.Action, Rule: r.Rule, Override: r.Override, Ended: r.Ended,
	}, nil
}

// ForgetHistory removes at most limit stretches that ended on days before an
// instant, and returns how many; fewer than limit mean that none are left.
func (s *Store) ForgetHistory(before time.Time, limit int) (n int, err error) {
	err = s.update(func(tx *bolt.Tx) error {
		history := tx.Bucket(historyBucket)
		first := []byte(before.UTC().Format(dayLayout))
		for n < limit {
			day, _ := history.Cursor().First()
			if day == nil || bytes.Compare(day, first) >= 0 {
				return nil
			}
			removed, err := empty(history, day, limit-n)
			if err != nil {
				return err
			}
			n += removed
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("forgetting history: %w", err)
	}
	return n, nil
}

// empty removes rows of a day, and the day with the last of them.
func empty(history *bolt.Bucket, day []byte, limit int) (n int, err error) {
	rows := history.Bucket(day)
	c := rows.Cursor()
	var keys [][]byte
	for k, _ := c.First(); k != nil && len(keys) < limit; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := rows.Delete(k); err != nil {
			return n, err
		}
		n++
	}
	if k, _ := rows.Cursor().First(); k == nil {
		return n, history.DeleteBucket(bytes.Clone(day))
	}
	return n, nil
}
