package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"sekisho/engine"
)

// AuditFilter says which entries are meant; empty fields mean any.
type AuditFilter struct {
	From, Until time.Time // At in [From, Until)
	Who         string    // folded, the whole or its beginning
	Op          string    // the whole, or up to a dot: "override"
	Subject     string    // folded, the whole or its beginning
	Newest      bool      // the last ones first
	After       uint64    // the next of the page before; 0 begins
	Limit       int       // of a page; below 1 gives none
}

// Audit lists up to f.Limit entries in their order, or from the last one back.
// next is the After of the next page, 0 at the end.
func (s *Store) Audit(f AuditFilter) (page []Entry, next uint64, err error) {
	if f.Limit < 1 {
		return nil, 0, nil
	}
	for e, err := range s.AllAudit(f) {
		if err != nil {
			return nil, 0, err
		}
		if len(page) == f.Limit {
			return page, page[len(page)-1].Seq, nil
		}
		page = append(page, e)
	}
	return page, 0, nil
}

// AllAudit walks those that f means, beyond f.Limit, in short transactions. An
// error ends the walk.
func (s *Store) AllAudit(f AuditFilter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for r, err := range s.auditRows(f.After, f.Newest) {
			var e Entry
			if err == nil {
				e, err = decodeEntry(r.value)
			}
			if err != nil {
				yield(Entry{}, fmt.Errorf("listing the audit: %w", err))
				return
			}
			e.Seq = binary.BigEndian.Uint64(r.key) // where it lies; VerifyAudit compares
			if f.means(&e) && !yield(e, nil) {
				return
			}
		}
	}
}

func (f *AuditFilter) means(e *Entry) bool {
	return (f.From.IsZero() || !e.At.Before(f.From)) && (f.Until.IsZero() || e.At.Before(f.Until)) &&
		(f.Op == "" || e.Op == f.Op || strings.HasPrefix(e.Op, f.Op+".")) &&
		begins(e.Who, f.Who) && begins(e.Subject, f.Subject)
}

func begins(is, asked string) bool {
	return asked == "" || strings.HasPrefix(engine.Fold(is), engine.Fold(asked))
}

// auditRows walks the entries as they lie in the file, after one of them.
func (s *Store) auditRows(after uint64, newest bool) iter.Seq2[row, error] {
	return inPages(seqKey(after), func(key []byte) ([]row, error) {
		return s.auditPage(binary.BigEndian.Uint64(key), newest)
	})
}

func (s *Store) auditPage(after uint64, newest bool) (page []row, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(auditBucket)
		if b == nil {
			return nil // a file of an older schema, see CheckFile
		}
		c := b.Cursor()
		step := c.Next
		if newest {
			step = c.Prev
		}
		for k, v := seekAudit(c, after, newest); k != nil && len(page) < walkRows; k, v = step() {
			if len(k) != 8 {
				return fmt.Errorf("%w: an audit key of %d bytes", ErrDamaged, len(k))
			}
			page = append(page, row{bytes.Clone(k), bytes.Clone(v)})
		}
		return nil
	})
	return page, err
}

// seekAudit goes to the first entry beyond after in the direction asked.
func seekAudit(c *bolt.Cursor, after uint64, newest bool) (key, value []byte) {
	switch {
	case newest && after == 0:
		return c.Last()
	case newest:
		if k, _ := c.Seek(seqKey(after)); k == nil {
			return c.Last()
		}
		return c.Prev()
	}
	return c.Seek(seqKey(after + 1))
}
