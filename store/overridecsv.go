package store

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
)

// overrideColumns are the columns of a file of overrides, in the order of an
// export: what a caller says, and what the store adds.
var overrideColumns = []string{
	"account", "kind", "action", "reason", "ticket", "from", "until", "area", "nas", "key",
	"id", "author", "created", "version", "revoked",
}

// ReadOverrides reads overrides from CSV, as ReadContracts reads contracts. The
// columns are account, kind, action and reason, which must be there, ticket,
// from, until, area, nas and key. Times are RFC 3339, or a date or date-time
// without a zone, which is meant in zone. The other columns of WriteOverrides
// are passed over, for the store makes them anew; but a row that was revoked is
// an error: it must not come back to life. The sequence can be ranged over once.
func ReadOverrides(name string, r io.Reader, zone *time.Location) iter.Seq2[Override, error] {
	t := newTable(name, r, overrideColumns, overrideColumns[:4])
	return readTable(t, func() (Override, []error) { return readOverride(t, zone) })
}

func readOverride(t *table, zone *time.Location) (Override, []error) {
	var o Override
	for _, f := range overrideFields(&o) {
		*f.value = t.value(f.name)
	}
	var bad FieldErrors
	o.From, bad = readTime(t, "from", zone, bad)
	o.Until, bad = readTime(t, "until", zone, bad)
	if strings.TrimSpace(t.value("revoked")) != "" {
		bad = append(bad, FieldError{"revoked", "is not empty: leave out the rows that were revoked"})
	}
	o, more := tidyOverride(o)
	return o, t.errors(append(bad, more...))
}

func readTime(t *table, column string, zone *time.Location, bad FieldErrors) (time.Time, FieldErrors) {
	text := strings.TrimSpace(t.value(column))
	if text == "" {
		return time.Time{}, bad
	}
	at, ok := parseTime(text, zone)
	if !ok {
		bad = append(bad, FieldError{column, fmt.Sprintf("%q: expected a time such as 2007-05-15T00:00:00+09:00 or 2007-05-15", text)})
	}
	return at, bad
}

var localTimes = []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"}

func parseTime(text string, zone *time.Location) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, true
	}
	for _, layout := range localTimes {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at, true
		}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, false
	}
	at := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
	for at.Day() != day.Day() { // the clock skips midnight
		at = at.Add(15 * time.Minute)
	}
	return at, true
}

// WriteOverrides writes overrides as CSV, times in UTC. ReadOverrides reads it,
// but for those that were revoked. It ends at the first error of the sequence or
// of w.
func WriteOverrides(w io.Writer, overrides iter.Seq2[Override, error]) error {
	cw := csv.NewWriter(w)
	if err := cw.Write(overrideColumns); err != nil {
		return fmt.Errorf("writing overrides: %w", err)
	}
	for o, err := range overrides {
		if err != nil {
			return fmt.Errorf("writing overrides: %w", err)
		}
		if err := cw.Write(overrideRecord(&o)); err != nil {
			return fmt.Errorf("writing override %s: %w", o.ID, err)
		}
	}
	cw.Flush()
	return cw.Error()
}

func overrideRecord(o *Override) []string {
	revoked := ""
	if o.Revoked != nil {
		revoked = exact(o.Revoked.At)
	}
	return []string{
		o.Account, o.Kind, o.Action, o.Reason, o.Ticket, exact(o.From), exact(o.Until), o.Area, o.NAS, o.Key,
		o.ID, o.Author, exact(o.Created), fmt.Sprint(o.Version), revoked,
	}
}

// exact is a time that reads back as the same one, empty for none.
func exact(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
