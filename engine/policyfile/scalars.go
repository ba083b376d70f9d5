package policyfile

import (
	"errors"
	"time"

	"sekisho/engine/yamldoc"
)

type address = yamldoc.Addr

// A zone is a name of the IANA timezone database.
type zone struct{ *time.Location }

// UnmarshalText refuses what the database does not have; "Local" would mean another thing on every host.
func (z *zone) UnmarshalText(text []byte) error {
	if len(text) == 0 || string(text) == "Local" {
		return errors.New("no timezone")
	}
	loc, err := time.LoadLocation(string(text))
	if err == nil {
		z.Location = loc
	}
	return err
}

// Expected describes the spelling to an operator.
func (zone) Expected() string { return "a timezone such as Asia/Tokyo" }

// A value is of a request attribute, in dictionary spelling or a number.
type value string

// UnmarshalText takes any text.
func (v *value) UnmarshalText(text []byte) error {
	*v = value(text)
	return nil
}

// Expected describes the spelling to an operator.
func (value) Expected() string { return "a value such as ISDN" }

// A moment is a date or date-time on the policy's clock, or planned. Which instant it is depends on the timezone,
// which stands elsewhere in the file.
type moment struct {
	text    string
	planned bool
}

const plannedWord = "planned"

// local are the spellings of a moment on the policy's clock; where that is not meant, an offset is written.
var local = []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05"}

// UnmarshalText checks the spelling; in tells the instant.
func (m *moment) UnmarshalText(text []byte) error {
	v := moment{text: string(text), planned: string(text) == plannedWord}
	if !v.planned {
		if _, err := parseMoment(v.text, time.UTC); err != nil {
			return err
		}
	}
	*m = v
	return nil
}

// Expected describes the spelling to an operator.
func (moment) Expected() string {
	return "a date such as 2007-05-15, a date-time such as 2007-05-15T04:00, or planned"
}

// in is the instant; zero when planned or not said.
func (m moment) in(loc *time.Location) time.Time {
	if m.planned || m.text == "" {
		return time.Time{}
	}
	t, _ := parseMoment(m.text, loc) // checked by UnmarshalText
	return t
}

// ParseInstant reads a date or date-time on the clock of loc, or an instant with an offset, as policies write them.
func ParseInstant(text string, loc *time.Location) (time.Time, error) { return parseMoment(text, loc) }

func parseMoment(text string, loc *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil && t.Year() >= 1 {
		return t, nil
	}
	for _, layout := range local {
		if t, err := time.Parse(layout, text); err == nil && t.Year() >= 1 {
			return firstAt(t, loc), nil
		}
	}
	return time.Time{}, errors.New("no date")
}

// firstAt is the first instant at which a clock shows what wall shows in UTC, or more: some clocks skip midnight on the
// day on which they go forward, and some show it twice.
func firstAt(wall time.Time, loc *time.Location) time.Time {
	var found time.Time
	for _, near := range []time.Time{wall.Add(24 * time.Hour), wall.Add(-24 * time.Hour)} { // the offset before a change wins
		_, offset := near.In(loc).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second).In(loc)
		if _, got := at.Zone(); got == offset {
			found = at
		}
	}
	if !found.IsZero() {
		return found
	}
	_, offset := wall.Add(-24 * time.Hour).In(loc).Zone()
	skipped, _ := wall.Add(-time.Duration(offset) * time.Second).In(loc).ZoneBounds()
	return skipped
}
