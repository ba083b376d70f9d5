package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"sekisho/engine/policyfile"
	"sekisho/engine/yamldoc"
)

// people reads and writes times as people do, by the daemon's clock and in the
// policy's time zone: neither need be those of the machine the verb runs on.
type people struct {
	now  time.Time
	zone *time.Location
}

// from reads when something begins: a day is meant from its beginning.
func (p people) from(text string) (time.Time, error) { return p.moment(text, 0) }

// until reads when something ends: a day is meant to its end.
func (p people) until(text string) (time.Time, error) { return p.moment(text, 1) }

// untilLater is until, and refuses what is over.
func (p people) untilLater(text string) (time.Time, error) {
	at, err := p.until(text)
	if err == nil && !at.After(p.now) {
		err = fmt.Errorf("%s is over; it is %s now", p.sayEnd(at), p.say(p.now))
	}
	return at, err
}

// moment reads a day, a time of today, a span from now, or a whole time; of a
// day it takes the beginning of the day that comes so many days after it.
func (p people) moment(text string, after int) (time.Time, error) {
	word := strings.ToLower(strings.TrimSpace(text))
	day, err := p.day(word)
	if err != nil {
		return time.Time{}, err
	}
	if !day.IsZero() {
		at := p.begin(day.AddDate(0, 0, after))
		if at.IsZero() { // the year after 9999
			err = noMoment(text, word)
		}
		return at, err
	}
	if at, ok := p.later(word); ok {
		return at, nil
	}
	if _, err := time.Parse("15:04", word); err == nil {
		word = p.today().Format(time.DateOnly) + " " + word
	}
	at, err := policyfile.ParseInstant(strings.ToUpper(word), p.zone)
	if err != nil {
		return at, noMoment(text, word)
	}
	return at.In(p.zone), nil
}

func noMoment(text, word string) error {
	names := []string{"today", "tomorrow"}
	for day := range time.Saturday + 1 {
		names = append(names, strings.ToLower(day.String()))
	}
	if near, ok := yamldoc.Nearest(word, names); ok {
		return fmt.Errorf("there is no day %q; did you mean %q?", text, near)
	}
	return fmt.Errorf("expected a day such as 2007-05-15, tomorrow or friday, a span such as 3d, 12h or 2w, or a time such as 18:00 or 2007-05-15 18:00, got %q", text)
}

// today is the day of the zone as a date of UTC, which has no gaps.
func (p people) today() time.Time {
	y, m, d := p.now.In(p.zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// begin is the first instant of a day in the zone.
func (p people) begin(day time.Time) time.Time {
	at, err := policyfile.ParseInstant(day.Format(time.DateOnly), p.zone)
	if err != nil {
		return time.Time{}
	}
	return at.In(p.zone)
}

// day reads the name of a day, or a date; zero if word is neither.
func (p people) day(word string) (time.Time, error) {
	switch word {
	case "today":
		return p.today(), nil
	case "tomorrow":
		return p.today().AddDate(0, 0, 1), nil
	}
	if date, err := time.Parse(time.DateOnly, word); err == nil && date.Year() >= 1 {
		return date, nil
	}
	for days := range 7 {
		day := p.today().AddDate(0, 0, days)
		name := strings.ToLower(day.Weekday().String())
		if word != name && word != name[:3] {
			continue
		}
		if days == 0 {
			return day, fmt.Errorf("today is %s: say today, or %s", day.Weekday(), day.AddDate(0, 0, 7).Format(time.DateOnly))
		}
		return day, nil
	}
	return time.Time{}, nil
}

var (
	span     = regexp.MustCompile(`^(\d{1,5}[wdhm])+$`)
	spanPart = regexp.MustCompile(`\d+|[wdhm]`)
)

// later reads a span such as 1d12h and adds it to now. Weeks and days are
// those of the calendar: the time of day stays when the clock goes forward. It
// ends with a whole minute.
func (p people) later(word string) (time.Time, bool) {
	if !span.MatchString(word) {
		return time.Time{}, false
	}
	days, rest := 0, time.Duration(0)
	parts := spanPart.FindAllString(word, -1)
	for i := 0; i+1 < len(parts); i += 2 {
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return time.Time{}, false
		}
		switch parts[i+1] {
		case "w":
			days += 7 * n
		case "d":
			days += n
		case "h":
			rest += time.Duration(n) * time.Hour
		case "m":
			rest += time.Duration(n) * time.Minute
		}
	}
	at := p.now.Add(time.Minute-1).Truncate(time.Minute).In(p.zone).AddDate(0, 0, days).Add(rest)
	return at, at.Year() <= 9999
}

// say writes a time in full, with its weekday and zone.
func (p people) say(at time.Time) string { return at.In(p.zone).Format("Mon 2006-01-02 15:04:05 MST") }

// sayEnd writes when something ends.
func (p people) sayEnd(at time.Time) string {
	day, ok := p.endOf(at)
	if !ok {
		return p.say(at)
	}
	return "the end of " + day.Format("Mon 2006-01-02") + at.In(p.zone).Add(-time.Second).Format(" MST")
}

// endOf tells whether an instant is the end of a day: the first one of the next.
func (p people) endOf(at time.Time) (day time.Time, ok bool) {
	y, m, d := at.In(p.zone).Date()
	next := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return next.AddDate(0, 0, -1), at.Equal(p.begin(next))
}
