package main

import (
	"strings"
	"testing"
	"time"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// TestTimesAsPeopleWriteThem is on a Sunday morning in Tokyo that is still
// Saturday in UTC.
func TestTimesAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	p := people{time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC), zone(t, "Asia/Tokyo")}
	tests := []struct{ text, from, until string }{
		{"today", "2026-11-22T00:00:00+09:00", "2026-11-23T00:00:00+09:00"},
		{"tomorrow", "2026-11-23T00:00:00+09:00", "2026-11-24T00:00:00+09:00"},
		{"friday", "2026-11-27T00:00:00+09:00", "2026-11-28T00:00:00+09:00"},
		{"Fri", "2026-11-27T00:00:00+09:00", "2026-11-28T00:00:00+09:00"},
		{"saturday", "2026-11-28T00:00:00+09:00", "2026-11-29T00:00:00+09:00"},
		{"2026-12-31", "2026-12-31T00:00:00+09:00", "2027-01-01T00:00:00+09:00"},
		{"3d", "2026-11-25T08:30:00+09:00", "2026-11-25T08:30:00+09:00"},
		{"12H", "2026-11-22T20:30:00+09:00", "2026-11-22T20:30:00+09:00"},
		{"2w", "2026-12-06T08:30:00+09:00", "2026-12-06T08:30:00+09:00"},
		{"1d12h30m", "2026-11-23T21:00:00+09:00", "2026-11-23T21:00:00+09:00"},
		{"18:00", "2026-11-22T18:00:00+09:00", "2026-11-22T18:00:00+09:00"},
		{"2026-11-27 18:00", "2026-11-27T18:00:00+09:00", "2026-11-27T18:00:00+09:00"},
		{"2026-11-27T18:00:00Z", "2026-11-28T03:00:00+09:00", "2026-11-28T03:00:00+09:00"},
	}
	for _, tt := range tests {
		from, err := p.from(tt.text)
		until, err2 := p.until(tt.text)
		if err != nil || err2 != nil || from.Format(time.RFC3339) != tt.from || until.Format(time.RFC3339) != tt.until {
			t.Errorf("%q: from %s (%v), want %s; until %s (%v), want %s",
				tt.text, from.Format(time.RFC3339), err, tt.from, until.Format(time.RFC3339), err2, tt.until)
		}
	}
	for text, says := range map[string]string{
		"sunday": "today is Sunday: say today, or 2026-11-29", "soon": `got "soon"`, "": `got ""`, "-3d": `got "-3d"`, "3 d": `got "3 d"`,
		"25:00": `got "25:00"`, "2026-02-30": `got "2026-02-30"`, "9999-12-31": `got "9999-12-31"`, strings.Repeat("99999w", 6): "expected", "next friday": "expected a day such as", "sonday": `did you mean "sunday"?`, "tommorow": `did you mean "tomorrow"?`,
	} {
		if at, err := p.until(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, %v; want %q", text, at, err, says)
		}
	}
}

// TestDaysWithoutMidnight is where the clock goes forward at midnight.
func TestDaysWithoutMidnight(t *testing.T) {
	t.Parallel()
	p := people{time.Date(2026, 9, 5, 12, 0, 0, 0, time.UTC), zone(t, "America/Santiago")} // 2026-09-06 begins at 01:00
	until, err := p.until("today")
	if want := "2026-09-06T01:00:00-03:00"; err != nil || until.Format(time.RFC3339) != want {
		t.Errorf("%v %v, want %s", until, err, want)
	}
	if got := p.sayEnd(until); got != "the end of Sat 2026-09-05 -04" {
		t.Errorf("got %q", got)
	}
	day, err := p.until("1d")
	if want := "2026-09-06T08:00:00-04:00"; err != nil || p.now.In(p.zone).Format("15:04") != day.Format("15:04") {
		t.Errorf("%v %v, want the time of day of %s", day, err, want)
	}
}

func TestWhatIsOverIsRefused(t *testing.T) {
	t.Parallel()
	p := people{time.Date(2026, 11, 21, 23, 30, 1, 0, time.UTC), zone(t, "Asia/Tokyo")}
	for text, says := range map[string]string{
		"2026-11-21": "the end of Sat 2026-11-21 JST is over; it is Sun 2026-11-22 08:30:01 JST now", "8:30": "is over", "0m": "", "today": "",
	} {
		at, err := p.untilLater(text)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) || err == nil && at.Second() != 0 {
			t.Errorf("%q: %v, %v; want %q", text, at, err, says)
		}
	}
}

func TestTimesAreSaidInFull(t *testing.T) {
	t.Parallel()
	p := people{time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC), zone(t, "Asia/Tokyo")}
	for text, want := range map[string]string{
		"friday": "the end of Fri 2026-11-27 JST",
		"18:00":  "Sun 2026-11-22 18:00:00 JST",
	} {
		at, err := p.until(text)
		if got := p.sayEnd(at); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func FuzzMoment(f *testing.F) {
	for _, seed := range []string{"friday", "3d", "1d12h", "2026-11-27", "18:00", "2026-11-27T18:00:00+09:00", "today", "ｆｒｉｄａｙ", "00001w"} {
		f.Add(seed)
	}
	p := people{time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC), zone(f, "Asia/Tokyo")}
	f.Fuzz(func(t *testing.T, text string) {
		from, err := p.from(text)
		until, err2 := p.until(text)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%q: from %v, until %v", text, err, err2)
		}
		if err == nil && (until.Before(from) || until.Sub(from) > 25*time.Hour || from.IsZero()) {
			t.Fatalf("%q: from %v until %v", text, from, until)
		}
	})
}
