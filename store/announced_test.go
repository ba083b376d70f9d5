package store

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

func leftOver(t *testing.T, s *Store) []Announcement {
	t.Helper()
	all, err := s.AnnouncedSessions()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAnnouncementsStandUntilTheyAreSettled(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	if all := leftOver(t, s); all != nil {
		t.Errorf("at first: %v", all)
	}
	a, b := Announcement{SessionKey{"bras1", "", "1A"}, 7}, Announcement{SessionKey{"bras1", "\x00box\xff", "1A"}, 8}
	if err := s.AnnounceSessions([]Announcement{a, b}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Announcement{a, b}, leftOver(t, s)); diff != "" {
		t.Error(diff)
	}
	save(t, s, SessionBatch{Put: []Session{{NAS: "bras1", AcctSession: "1A"}}}) // for another reason
	save(t, s, SessionBatch{Settled: []Announcement{b, {SessionKey{"bras2", "", "1A"}, 9}}})
	if diff := cmp.Diff([]Announcement{a}, leftOver(t, s)); diff != "" {
		t.Error(diff)
	}
}

// TestALaterAnnouncementIsNotSettledByAnEarlierRow holds for a row that was
// made ready before the router was told once more, and written afterwards.
func TestALaterAnnouncementIsNotSettledByAnEarlierRow(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	earlier, later := Announcement{SessionKey{"bras1", "", "1A"}, 7}, Announcement{SessionKey{"bras1", "", "1A"}, 8}
	for _, a := range []Announcement{earlier, later} {
		if err := s.AnnounceSessions([]Announcement{a}); err != nil {
			t.Fatal(err)
		}
	}
	save(t, s, SessionBatch{Settled: []Announcement{earlier}})
	if diff := cmp.Diff([]Announcement{later}, leftOver(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestADamagedAnnouncementDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	if err := s.AnnounceSessions([]Announcement{{SessionKey{"bras1", "", "1A"}, 7}}); err != nil {
		t.Fatal(err)
	}
	err := s.update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(announcedBucket)
		return errors.Join(err, b.Put([]byte{200, 1}, nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := s.AnnouncedSessions(); !errors.Is(err, ErrDamaged) || len(all) != 1 {
		t.Errorf("%d announcements, error %v", len(all), err)
	}
}
