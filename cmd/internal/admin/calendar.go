package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/engine"
)

// Calendar is what a policy changes on which date, for whom.
type Calendar struct {
	Policy  string           `json:"policy"`
	Changes []CalendarChange `json:"changes"`
}

// CalendarChange is an engine.Change as it travels.
type CalendarChange struct {
	At               *time.Time `json:"at"`              // null: planned, without a date
	Until            *time.Time `json:"until,omitempty"` // of a planned stage: from here on it would change nothing
	From             string     `json:"from"`
	To               string     `json:"to"`
	Rule             string     `json:"rule"`
	Courses          []Course   `json:"courses"`
	UnnamedCourses   bool       `json:"unnamed_courses,omitempty"`
	UnknownContracts bool       `json:"unknown_contracts,omitempty"`
	Areas            []string   `json:"areas"` // null: everywhere; "" among them: in any other area, or none
	Except           []string   `json:"except,omitempty"`
}

// Course is a course of a policy.
type Course struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// CalendarOf makes the calendar of a policy.
func CalendarOf(p *engine.Policy) (Calendar, error) {
	changes, err := engine.Calendar(p)
	c := Calendar{Policy: p.Name, Changes: make([]CalendarChange, 0, len(changes))}
	for _, ch := range changes {
		one := CalendarChange{
			At: dated(ch.At, p), Until: dated(ch.Until, p), From: ch.From, To: ch.To, Rule: ch.Rule, Courses: []Course{},
			UnnamedCourses: ch.Unnamed, UnknownContracts: ch.Unknown, Areas: ch.Areas, Except: ch.Except,
		}
		for _, course := range ch.Courses {
			one.Courses = append(one.Courses, Course{course.ID, course.Name})
		}
		c.Changes = append(c.Changes, one)
	}
	return c, err
}

func dated(t time.Time, p *engine.Policy) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.In(p.Location)
	return &t
}

// Planner answers what a policy and a date do to the contracts. An error of
// type *Problem is passed on as it is.
type Planner interface {
	Calendar() (Calendar, error)
	Impact(ctx context.Context, q ImpactQuestion, emit func(ImpactLine) error) error
}

// MountPlans serves what changes when, and for whom.
func MountPlans(r *Routes, p Planner) {
	ask(r, Viewer, huma.Operation{
		OperationID: "calendar", Method: http.MethodGet, Path: "/v1/calendar", Tags: tagDecisions,
		Summary: "What the policy changes on which date, for which courses and areas",
	}, func(context.Context, *none) (Calendar, error) { return p.Calendar() })
	mountImpact(r, p)
}

// Calendar asks what the daemon's policy changes on which date.
func (c *Client) Calendar(ctx context.Context) (Calendar, error) {
	var calendar Calendar
	err := c.get(ctx, "/v1/calendar", nil, &calendar)
	return calendar, err
}
