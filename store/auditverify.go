package store

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// maxAuditFaults is how many faults a verification tells; the first one is what
// matters.
const maxAuditFaults = 100

// The faults of a trail.
const (
	AuditEdited    = "edited"    // its hash is not that of its content, or another one stood before it
	AuditMissing   = "missing"   // one or more are not there
	AuditReordered = "reordered" // it lies in the place of another one
	AuditTruncated = "truncated" // the last ones are not there
	AuditDamaged   = "damaged"   // it cannot be read
)

// AuditFault is one place at which a trail is not as it was written.
type AuditFault struct {
	Seq  uint64 // where, from 1
	What string // AuditEdited, …
	Text string // in words
}

// AuditReport is what a verification has found.
type AuditReport struct {
	Entries     uint64   // that were read
	First, Last uint64   // their numbers; 0 where there are none
	Head        [32]byte // the hash of the last one: note it elsewhere, and nobody can write the trail anew
	Faults      []AuditFault
	More        bool // there were more faults than are told
}

// OK tells whether nothing was found.
func (r *AuditReport) OK() bool { return len(r.Faults) == 0 }

// VerifyAudit reads the whole trail and tells where it was edited, cut or
// reordered. Whoever can write the file and knows all of this can make a trail
// that is whole in itself: only a Head noted elsewhere finds that. The error is
// that of reading, not of the trail.
func (s *Store) VerifyAudit() (AuditReport, error) {
	head, hash, err := s.auditHead()
	if err != nil {
		return AuditReport{}, fmt.Errorf("verifying the audit: %w", err)
	}
	v := verifier{next: 1}
	for r, err := range s.auditRows(0, false) {
		if err != nil {
			return AuditReport{}, fmt.Errorf("verifying the audit: %w", err)
		}
		seq := binary.BigEndian.Uint64(r.key)
		if seq > head {
			if now, _, err := s.auditHead(); err == nil && now >= seq {
				break // written since the verification began
			}
		}
		e, err := decodeEntry(r.value)
		v.entry(seq, e, err)
	}
	v.head(head, hash)
	return v.AuditReport, nil
}

func (s *Store) auditHead() (seq uint64, hash [32]byte, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		seq, hash, err = auditHead(tx)
		return err
	})
	return seq, hash, err
}

// verifier follows a trail.
type verifier struct {
	AuditReport
	next    uint64 // the number to come; 0 takes any
	unknown bool   // the hash before cannot be told
}

// entry takes the entry that lies in the place of seq, or what is wrong with it.
func (v *verifier) entry(seq uint64, e Entry, err error) {
	v.Entries++
	if v.next > seq { // what comes after is compared with the last one in order
		v.fault(seq, AuditReordered, "entry %d comes after entry %d", seq, v.Last)
		return
	}
	switch {
	case v.next == 0: // a part may begin anywhere; before the first entry there is nothing
		v.unknown = v.unknown || seq != 1
	case v.next < seq:
		v.unknown = true
		v.fault(v.next, AuditMissing, "entries %d to %d are missing", v.next, seq-1)
	}
	v.content(seq, e, err)
	if v.First == 0 {
		v.First = seq
	}
	// What comes after is compared with what is there, so that one fault is told once.
	v.next, v.Last, v.Head = seq+1, seq, e.Hash
	v.unknown = err != nil || e.Seq != seq
}

// content looks at the entry itself, and at the one before it.
func (v *verifier) content(seq uint64, e Entry, err error) {
	switch {
	case err != nil:
		v.fault(seq, AuditDamaged, "%v", err)
	case e.Seq != seq:
		v.fault(seq, AuditReordered, "entry %d lies in the place of entry %d", e.Seq, seq)
	case e.digest() != e.Hash:
		v.fault(seq, AuditEdited, "the hash of entry %d is not that of its content", seq)
	case !v.unknown && e.Prev != v.Head:
		v.fault(seq, AuditEdited, "entry %d does not follow the entry %d that is there: one of them was written anew", seq, seq-1)
	}
}

// head compares the end of the trail with what was noted of it.
func (v *verifier) head(seq uint64, hash [32]byte) {
	switch {
	case v.Last < seq:
		v.fault(v.Last+1, AuditTruncated, "entries %d to %d are missing at the end", v.Last+1, seq)
	case v.Last > seq:
		v.fault(seq+1, AuditEdited, "entries %d to %d were added past the head", seq+1, v.Last)
	case !v.unknown && v.Head != hash:
		v.fault(seq, AuditEdited, "entry %d is not the one that was last: it was written anew", seq)
	}
}

func (v *verifier) fault(seq uint64, what, format string, args ...any) {
	if len(v.Faults) == maxAuditFaults {
		v.More = true
		return
	}
	v.Faults = append(v.Faults, AuditFault{seq, what, fmt.Sprintf(format, args...)})
}
