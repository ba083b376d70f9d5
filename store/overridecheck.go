package store

import (
	"fmt"
	"strings"
	"time"

	"sekisho/engine"
)

// OverrideLimits are what an operator's house allows of one kind of override.
type OverrideLimits struct {
	MaxLength    time.Duration // from its beginning to its end, whatever its renewals; 0 is unlimited
	RequireUntil bool          // it must have an end
}

// SetOverrideLimits sets the limits of new and renewed overrides; those that
// stand are left alone. There are none after Open.
func (s *Store) SetOverrideLimits(grants, restrictions OverrideLimits) {
	s.limits.Store(&[2]OverrideLimits{grants, restrictions})
}

func (s *Store) limitsOf(kind string) OverrideLimits {
	if kind == Restrict {
		return s.limits.Load()[1]
	}
	return s.limits.Load()[0]
}

// The first and the last instant that an override may name: what nanoseconds
// since 1970 can say, with room.
var (
	firstTime = time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// tidyOverride brings what a caller says of a new override into the form that
// is stored, whatever the time is; see refuseTimes for that.
func tidyOverride(o Override) (Override, FieldErrors) {
	o.Kind = engine.Fold(o.Kind)
	var bad FieldErrors
	for _, f := range overrideFields(&o) {
		*f.value = strings.TrimSpace(*f.value)
		bad = bad.text(f)
	}
	if o.Kind != "" && o.Kind != Grant && o.Kind != Restrict {
		bad = append(bad, FieldError{"kind", fmt.Sprintf("%q is none of %s, %s", o.Kind, Grant, Restrict)})
	}
	o.From, o.Until = wall(o.From), wall(o.Until)
	for _, t := range []struct {
		name string
		at   time.Time
	}{{"from", o.From}, {"until", o.Until}} {
		if !t.at.IsZero() && (t.at.Before(firstTime) || t.at.After(lastTime)) {
			bad = append(bad, FieldError{t.name, fmt.Sprintf("%s is not between %d and %d", stamp(t.at), firstTime.Year(), lastTime.Year())})
		}
	}
	if len(bad) == 0 && !o.Until.IsZero() && !o.From.Before(o.Until) {
		bad = append(bad, FieldError{"until", fmt.Sprintf("%s is not after from, %s", stamp(o.Until), stamp(o.From))})
	}
	return o, bad
}

// wall is t in UTC without a monotonic clock, so that equal instants are equal.
func wall(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Round(0).UTC()
}

func stamp(t time.Time) string { return t.Format(time.RFC3339) }

func overrideFields(o *Override) []field {
	return []field{
		{"account", &o.Account, true, maxAccount},
		{"kind", &o.Kind, true, maxField},
		{"action", &o.Action, true, maxField},
		{"reason", &o.Reason, true, maxField},
		{"ticket", &o.Ticket, false, maxField},
		{"area", &o.Area, false, maxField},
		{"nas", &o.NAS, false, maxField},
		{"key", &o.Key, false, maxField},
	}
}

// refuseTimes says why an override of this kind that begins at from may not end
// at until. People count in whole minutes: a part of one more is not too long.
func (l OverrideLimits) refuseTimes(from, until, now time.Time) FieldErrors {
	switch {
	case until.IsZero() && l.RequireUntil:
		return FieldErrors{{"until", "is required here" + l.longest(from)}}
	case until.IsZero() && l.MaxLength > 0:
		return FieldErrors{{"until", "is required, for the length is limited" + l.longest(from)}}
	case !until.IsZero() && !until.After(now):
		return FieldErrors{{"until", fmt.Sprintf("%s is in the past, it is %s", stamp(until), stamp(now))}}
	case l.MaxLength > 0 && until.Sub(from).Truncate(time.Minute) > l.MaxLength:
		return FieldErrors{{"until", stamp(until) + " is too late" + l.longest(from)}}
	}
	return nil
}

// beginning is when an override begins: from, or when it is made, at created.
// Renewals do not move it, so that they do not add up beyond what is allowed.
func beginning(from, created time.Time) time.Time {
	if from.IsZero() {
		return created
	}
	return from
}

// longest says until when it may last at most.
func (l OverrideLimits) longest(from time.Time) string {
	if l.MaxLength == 0 {
		return ""
	}
	return fmt.Sprintf("; at most %s from %s, until %s", days(l.MaxLength), stamp(from), stamp(from.Add(l.MaxLength)))
}

// days writes a duration as people limit things.
func days(d time.Duration) string {
	if day := 24 * time.Hour; d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}
