package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"

	"github.com/urfave/cli/v2"
)

func calendarCommand() *cli.Command {
	return &cli.Command{
		Name:  "calendar",
		Usage: "show what changes on which date, for which courses and areas",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "policy", Aliases: []string{"p"}, Usage: "of this shipped policy or policy file, instead of the daemon's"},
			langFlag(),
			listFlag(),
		},
		Action: calendar,
	}
}

// calendarWriters are the formats; words are for people, so only for the table.
var calendarWriters = map[string]func(io.Writer, admin.Calendar, calendarWords) error{
	"table":  writeCalendarTable,
	"json":   func(w io.Writer, c admin.Calendar, _ calendarWords) error { return writeJSON(w, c) },
	"csv":    func(w io.Writer, c admin.Calendar, _ calendarWords) error { return writeCalendarCSV(w, c) },
	"ndjson": func(w io.Writer, c admin.Calendar, _ calendarWords) error { return writeCalendarLines(w, c) },
}

// calendarWords are what a calendar says of itself in one language.
type calendarWords struct {
	columns                                 []string
	everywhere, elsewhere, unnamed, unknown string
	planned, plannedBefore                  string
}

var calendarLanguages = map[string]calendarWords{
	"en": {[]string{"date", "from", "to", "rule", "courses", "areas", "except"},
		"everywhere", "(elsewhere)", "(any other course)", "(no contract)", "planned", "planned, before %s"},
	"ja": {[]string{"日付", "変更前", "変更後", "規則", "コース", "エリア", "対象外の規則"},
		"全エリア", "(上記以外)", "(上記以外のコース)", "(契約なし)", "日付未定", "日付未定 (%sより前)"},
}

func calendar(c *cli.Context) error {
	changes, err := askCalendar(c)
	if err != nil {
		return err
	}
	return calendarWriters[c.String("output")](c.App.Writer, changes, calendarLanguages[c.String("lang")])
}

func askCalendar(c *cli.Context) (admin.Calendar, error) {
	if c.String("policy") == "" {
		client, err := dial(c)
		if err != nil {
			return admin.Calendar{}, err
		}
		defer client.Close()
		return client.Calendar(c.Context)
	}
	p, err := loadPolicy(c, c.String("policy"))
	if err != nil {
		return admin.Calendar{}, err
	}
	return admin.CalendarOf(p)
}

// cells are the columns of a change; listed joins what is a list.
func (w calendarWords) cells(ch admin.CalendarChange, listed func([]string) string) []string {
	var courses []string
	for _, course := range ch.Courses {
		courses = append(courses, course.Name)
	}
	if ch.UnnamedCourses {
		courses = append(courses, w.unnamed)
	}
	if ch.UnknownContracts {
		courses = append(courses, w.unknown)
	}
	return []string{w.date(ch), ch.From, ch.To, ch.Rule, listed(courses), listed(w.areas(ch.Areas)), listed(ch.Except)}
}

func (w calendarWords) date(ch admin.CalendarChange) string {
	switch {
	case ch.At != nil:
		return shortTime(*ch.At)
	case ch.Until != nil:
		return fmt.Sprintf(w.plannedBefore, shortTime(*ch.Until))
	}
	return w.planned
}

// shortTime leaves out what a local midnight does not need.
func shortTime(t time.Time) string {
	if t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 {
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02 15:04:05")
}

func (w calendarWords) areas(areas []string) []string {
	if areas == nil {
		return []string{w.everywhere}
	}
	var names []string
	for _, a := range areas {
		if a == "" {
			a = w.elsewhere
		}
		names = append(names, a)
	}
	return names
}

func writeCalendarTable(w io.Writer, c admin.Calendar, words calendarWords) error {
	t := plainTable(words.columns)
	for _, ch := range c.Changes {
		t.AppendRow(cells(words.cells(ch, func(list []string) string { return strings.Join(list, "\n") })))
	}
	_, err := io.WriteString(w, t.Render()+"\n")
	return err
}

func writeCalendarCSV(w io.Writer, c admin.Calendar) error {
	out := csv.NewWriter(w)
	words := calendarLanguages["en"]
	rows := [][]string{words.columns}
	for _, ch := range c.Changes {
		rows = append(rows, words.cells(ch, func(list []string) string { return strings.Join(list, ";") }))
	}
	return out.WriteAll(rows)
}

func writeCalendarLines(w io.Writer, c admin.Calendar) error {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	for _, ch := range c.Changes {
		if err := lines.Encode(ch); err != nil {
			return err
		}
	}
	return nil
}
