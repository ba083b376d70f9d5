package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// auditTag begins what is hashed, so that no other record of ours, and no later
// form of this one, has the same hash.
const auditTag = "sekisho audit 1"

// digest is the SHA-256 of auditTag and then, each after its length in eight
// octets, most significant first: Seq and At (nanoseconds since 1970) in eight
// octets each, Who, From, Why, Op, Subject, Before, After and Prev. Before and
// After are as canonicalJSON writes them, empty for nothing.
func (e *Entry) digest() [32]byte {
	parts := [][]byte{
		seqKey(e.Seq), seqKey(uint64(e.At.UnixNano())), []byte(e.Who), []byte(e.From), []byte(e.Why),
		[]byte(e.Op), []byte(e.Subject), e.Before, e.After, e.Prev[:],
	}
	text := []byte(auditTag)
	for _, p := range parts {
		text = append(binary.BigEndian.AppendUint64(text, uint64(len(p))), p...)
	}
	return sha256.Sum256(text)
}

// entryRow is how an entry lies in the file; see contractRow.
type entryRow struct {
	Seq     uint64 `cbor:"1,keyasint"` // again, to tell a moved entry from an edited one
	At      int64  `cbor:"2,keyasint"`
	Who     string `cbor:"3,keyasint"`
	From    string `cbor:"4,keyasint,omitempty"`
	Why     string `cbor:"5,keyasint,omitempty"`
	Op      string `cbor:"6,keyasint"`
	Subject string `cbor:"7,keyasint,omitempty"`
	Before  []byte `cbor:"8,keyasint,omitempty"`
	After   []byte `cbor:"9,keyasint,omitempty"`
	Prev    []byte `cbor:"10,keyasint"`
	Hash    []byte `cbor:"11,keyasint"`
}

func encodeEntry(e Entry) ([]byte, error) {
	return cbor.Marshal(entryRow{
		Seq: e.Seq, At: e.At.UnixNano(), Who: e.Who, From: e.From, Why: e.Why, Op: e.Op, Subject: e.Subject,
		Before: e.Before, After: e.After, Prev: e.Prev[:], Hash: e.Hash[:],
	})
}

func decodeEntry(value []byte) (e Entry, err error) {
	var r entryRow
	if err := cbor.Unmarshal(value, &r); err != nil {
		return Entry{}, fmt.Errorf("audit entry: %w: %w", ErrDamaged, err)
	}
	if len(r.Prev) != len(e.Prev) || len(r.Hash) != len(e.Hash) {
		return Entry{}, fmt.Errorf("audit entry: %w: hashes of %d and %d bytes", ErrDamaged, len(r.Prev), len(r.Hash))
	}
	return Entry{
		Seq: r.Seq, At: time.Unix(0, r.At).UTC(), By: By{r.Who, r.From, r.Why}, Op: r.Op, Subject: r.Subject,
		Before: r.Before, After: r.After, Prev: [32]byte(r.Prev), Hash: [32]byte(r.Hash),
	}, nil
}
