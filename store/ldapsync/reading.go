package ldapsync

import (
	"errors"

	"github.com/go-ldap/ldap/v3"

	"sekisho/store"
)

// reading is what is read of a directory until it is applied.
type reading struct {
	s        *Syncer
	batch    *store.DirectoryBatch
	entries  int  // read in full
	named    bool // others were only named
	findings findings
}

func (s *Syncer) newReading() (*reading, error) {
	batch, err := s.store.NewDirectoryBatch(Source)
	if err != nil {
		return nil, err
	}
	s.progress(0)
	return &reading{s: s, batch: batch, findings: newFindings()}, nil
}

// progressEvery is how many entries are read between two notes of it.
const progressEvery = 500

// put takes an entry as it is now.
func (r *reading) put(id store.EntryID, e *ldap.Entry) error {
	if r.entries++; r.entries%progressEvery == 0 {
		r.s.progress(r.entries)
	}
	contracts, err := r.s.config.Mapping.Contracts(e)
	if err == nil {
		if err = r.batch.Put(id, contracts); err == nil {
			r.findings.mapped(id, contracts, r.s.config.KnownCourse)
			return nil
		}
		if bad := (store.FieldErrors)(nil); !errors.As(err, &bad) {
			return err
		}
	}
	r.findings.unmapped(id, e.DN, err)
	return r.batch.Keep(id) // it is there: what is known of it stays
}

// putEntry takes an entry that shows its id. One that does not might be any that
// we know: nothing can be said to be absent then.
func (r *reading) putEntry(e *ldap.Entry) error {
	id, err := entryID(e)
	if err != nil {
		return &PartialError{e.DN + ": " + err.Error()}
	}
	return r.put(id, e)
}

func (r *reading) keep(id store.EntryID) error {
	r.named = true
	return r.batch.Keep(id)
}

func (r *reading) delete(id store.EntryID) error {
	r.findings.gone(id)
	return r.batch.Delete(id)
}

func (r *reading) close() { r.batch.Close() }
