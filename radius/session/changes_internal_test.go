package session

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/store"
)

// stubborn is a store that takes nothing while it is full.
type stubborn struct {
	*store.Store
	full bool
}

func (s *stubborn) SaveSessions(b store.SessionBatch) error {
	if s.full {
		return errors.New("disk full")
	}
	return s.Store.SaveSessions(b)
}

func (s *stubborn) AnnounceSessions(all []store.Announcement) error {
	if s.full {
		return errors.New("disk full")
	}
	return s.Store.AnnounceSessions(all)
}

func (s *stubborn) Contract(string) (engine.Contract, bool, error) {
	return engine.Contract{}, false, nil
}

// TestWhatWaitsForAFullDiskIsBounded has sessions come and go while the store
// takes nothing, and holds the store against the table when it does again.
func TestWhatWaitsForAFullDiskIsBounded(t *testing.T) {
	t.Parallel()
	s, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	now := time.Unix(1e9, 0)
	table := NewTable(Options{Clock: func() time.Time { return now }})
	shelf := &stubborn{Store: s}
	w := NewWriter(table, shelf, shelf, 0, nil)
	record := func(status radius.Status, id int) ID {
		r := &radius.Record{Status: status, Sighting: radius.Sighting{NAS: "bras1", At: now, Session: fmt.Sprint(id)}}
		table.Accounting(r)
		return idOf(&r.Sighting)
	}
	const old, brief = 100, 10 * fewOver
	for i := range old {
		record(radius.StatusStart, i)
	}
	w.Flush()
	shelf.full = true
	for i := range old / 2 {
		record(radius.StatusStop, i)
	}
	for i := range brief {
		id := record(radius.StatusStart, old+i)
		w.Announce([]ID{id})
		table.Settled(id)
		now = now.Add(time.Millisecond)
		record(radius.StatusStop, old+i)
		if i%5000 == 0 {
			w.Flush()
		}
	}
	c := &table.changes
	if len(c.dirty) > 2*fewOver || len(c.gone) > old || len(table.announced.all) > 1 {
		t.Errorf("%d changed and %d gone sessions and %d announcements wait to be written", len(c.dirty), len(c.gone), len(table.announced.all))
	}
	if w.Refusal() != "disk full" {
		t.Errorf("refused for %q", w.Refusal())
	}
	shelf.full = false
	w.Flush()
	rows := 0
	for row, err := range s.AllSessions() {
		if _, live := table.Get(ID{row.NAS, row.Box, row.AcctSession}); err != nil || !live {
			t.Errorf("%s is over, its row is not: %v", row.AcctSession, err)
		}
		rows++
	}
	if rows != table.Len() || rows != old/2 || w.Refusal() != "" {
		t.Errorf("%d rows of %d sessions; refused for %q", rows, table.Len(), w.Refusal())
	}
}

// TestWhoHadLooksAtWhatIsNotWritten finds a session that has just ended, and
// one whose end the store does not take, once each.
func TestWhoHadLooksAtWhatIsNotWritten(t *testing.T) {
	t.Parallel()
	s, err := store.Open(filepath.Join(t.TempDir(), "test.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	now := time.Unix(1e9, 0)
	table := NewTable(Options{Clock: func() time.Time { return now }})
	shelf := &stubborn{Store: s}
	w := NewWriter(table, shelf, shelf, 0, nil)
	a := netip.MustParseAddr("198.51.100.1")
	want := func(what string, ended string) {
		t.Helper()
		had, err := w.WhoHad(a, time.Unix(1e9+30, 0))
		if err != nil || len(had) != 1 || had[0].Ended != ended {
			t.Errorf("%s: %+v, %v", what, had, err)
		}
	}
	record := func(status radius.Status) {
		table.Accounting(&radius.Record{Status: status, Sighting: radius.Sighting{NAS: "bras1", At: now, Session: "1A", Address: a}})
	}
	record(radius.StatusStart)
	want("live", "")
	now = now.Add(time.Minute)
	record(radius.StatusStop)
	want("it has just ended", Stopped)
	shelf.full = true
	w.Flush()
	want("the store does not take it", Stopped)
	shelf.full = false
	w.Flush()
	want("it is in the store", Stopped)
	if had, _ := w.WhoHad(a, time.Unix(1e9+61, 0)); had != nil {
		t.Errorf("afterwards: %+v", had)
	}
}
