package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

var (
	// auditBucket holds the entries by their number, eight octets.
	auditBucket = []byte("audit")
	// metaAudit is the number and the hash of the last entry: without it a
	// trail that lost its end would look whole.
	metaAudit = []byte("audit-head")
)

// Entry is one line of the audit: who changed what, from where and why. Each
// holds the hash of the one before, so that none can be edited, taken out or
// moved unseen.
type Entry struct {
	Seq uint64    // from 1, without gaps
	At  time.Time // UTC
	By
	Op      string          // what was done: "override.grant", "config.reload", …
	Subject string          // to what: an account, a token's name, …
	Before  json.RawMessage // nil where there was nothing
	After   json.RawMessage // nil where there is nothing
	Prev    [32]byte        // Hash of the entry before; zero for the first
	Hash    [32]byte        // see digest
}

func createAudit(tx *bolt.Tx) error {
	_, err := tx.CreateBucketIfNotExists(auditBucket)
	return err
}

// Record adds an entry for a change that is not in the store itself, such as a
// reload. Seq, At, Prev and Hash are filled in; Who and Op are required, Before
// and After are JSON or empty. The entry is on disk when this returns.
func (s *Store) Record(e Entry) error {
	if err := s.write(func(tx *bolt.Tx) error { return s.audit(tx, e) }); err != nil {
		return fmt.Errorf("recording %s in the audit: %w", e.Op, err)
	}
	return nil
}

// audit appends an entry in the transaction of the change that it tells of.
func (s *Store) audit(tx *bolt.Tx, e Entry) error {
	e, err := e.tidy()
	if err != nil {
		return err
	}
	seq, prev, err := auditHead(tx)
	if err != nil {
		return err
	}
	e.Seq, e.Prev, e.At = seq+1, prev, s.now()
	e.Hash = e.digest()
	value, err := encodeEntry(e)
	if err != nil {
		return err
	}
	b := tx.Bucket(auditBucket)
	b.FillPercent = 0.9 // keys come in order
	if err := b.Put(seqKey(e.Seq), value); err != nil {
		return err
	}
	return tx.Bucket(metaBucket).Put(metaAudit, append(seqKey(e.Seq), e.Hash[:]...))
}

func (e Entry) tidy() (Entry, error) {
	by, bad := e.By.tidy()
	e.By = by
	for _, f := range []field{{"op", &e.Op, true, maxField}, {"subject", &e.Subject, false, maxField}} {
		*f.value = strings.TrimSpace(*f.value)
		bad = bad.text(f)
	}
	for name, value := range map[string]*json.RawMessage{"before": &e.Before, "after": &e.After} {
		canonical, err := canonicalJSON(*value)
		if err != nil {
			bad = append(bad, FieldError{name, err.Error()})
		}
		*value = canonical
	}
	return e, bad.orNil()
}

// canonicalJSON gives a value the form that encoding/json writes: no blanks,
// "<" and the like escaped. Nothing and null are the same.
func canonicalJSON(value json.RawMessage) (json.RawMessage, error) {
	if len(value) == 0 {
		return nil, nil
	}
	canonical, err := json.Marshal(value)
	if err != nil || bytes.Equal(canonical, []byte("null")) {
		return nil, err
	}
	return canonical, nil
}

// auditHead gives the number and the hash of the last entry, zeros for none.
func auditHead(tx *bolt.Tx) (seq uint64, hash [32]byte, err error) {
	head := tx.Bucket(metaBucket).Get(metaAudit)
	switch len(head) {
	case 0:
		return 0, hash, nil
	case 8 + len(hash):
		copy(hash[:], head[8:])
		return binary.BigEndian.Uint64(head), hash, nil
	}
	return 0, hash, fmt.Errorf("%w: the audit's head is %d bytes long, not %d", ErrDamaged, len(head), 8+len(hash))
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
