package admin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sekisho/store"
)

// planner emits lines and ends with an error, if it has one.
type planner struct {
	lines []ImpactLine
	err   error
}

func (p planner) Calendar() (Calendar, error) { return Calendar{Policy: "p"}, p.err }

func (p planner) Impact(ctx context.Context, q ImpactQuestion, emit func(ImpactLine) error) error {
	for _, l := range p.lines {
		if err := emit(l); err != nil {
			return err
		}
	}
	return p.err
}

func planDoor(t *testing.T, p Planner) *Client {
	t.Helper()
	c, _ := doorOf(t, func(r *Routes) { MountPlans(r, p) })
	return c
}

var someAccount = ImpactLine{Account: &AccountImpact{Account: strings.Repeat("u", heldLines), Course: "<c>"}}

func TestImpactEndsWithTotalsOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	totals := ImpactLine{Totals: &ImpactTotals{Flipped: 3}}
	tests := []struct {
		name   string
		server planner
		lines  int
		want   string // error
	}{
		{"all of it", planner{[]ImpactLine{{Progress: &Progress{1, 2}}, someAccount, totals}, nil}, 2, ""},
		{"an error before anything", planner{nil, &Problem{Status: 404, Detail: "no such stage"}}, 0, "no such stage"},
		{"a store that closes before anything", planner{nil, store.ErrClosed}, 0, "the daemon is shutting down"},
		{"an error on the way", planner{[]ImpactLine{someAccount}, errors.New("the disk is gone")}, 1, "the disk is gone"},
		{"an end without totals", planner{[]ImpactLine{someAccount}, nil}, 1, "broke off before its totals"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, n := planDoor(t, tt.server), 0
			got, err := c.Impact(t.Context(), ImpactQuestion{}, func(line ImpactLine) error {
				n++
				if line.Account != nil && line.Account.Course != "<c>" {
					t.Errorf("got %+v", line.Account)
				}
				return nil
			})
			if n != tt.lines || (tt.want == "") != (got != nil && got.Flipped == 3) || (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%d lines, %+v, %v", n, got, err)
			}
		})
	}
}

func TestImpactStopsWhenNobodyTakesIt(t *testing.T) {
	t.Parallel()
	c, full := planDoor(t, planner{[]ImpactLine{someAccount, someAccount}, nil}), errors.New("disk full")
	if _, err := c.Impact(t.Context(), ImpactQuestion{}, func(ImpactLine) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

// An answer may take longer than the time for a question.
func TestImpactOutlivesTheTimeForAQuestion(t *testing.T) {
	t.Parallel()
	quick := limits{header: time.Second, read: 50 * time.Millisecond, write: time.Minute, idle: time.Second}
	c, _ := doorWith(t, quick, func(r *Routes) { MountPlans(r, patientPlanner{}) })
	if _, err := c.Impact(t.Context(), ImpactQuestion{}, func(ImpactLine) error { return nil }); err != nil {
		t.Errorf("got %v", err)
	}
}

// patientPlanner answers when a timer has passed the limit, unless its question
// is given up before.
type patientPlanner struct{ planner }

func (patientPlanner) Impact(ctx context.Context, q ImpactQuestion, emit func(ImpactLine) error) error {
	limit, cancel := context.WithTimeout(ctx, 150*time.Millisecond)
	defer cancel()
	<-limit.Done()
	if err := ctx.Err(); err != nil {
		return err
	}
	return emit(ImpactLine{Totals: &ImpactTotals{}})
}

func TestCalendarPassesErrorsOn(t *testing.T) {
	t.Parallel()
	c := planDoor(t, planner{nil, &Problem{Status: 422, Detail: "too many kinds"}})
	if _, err := c.Calendar(t.Context()); statusOf(err) != 422 {
		t.Errorf("got %v", err)
	}
	if got, err := planDoor(t, planner{}).Calendar(t.Context()); err != nil || got.Policy != "p" {
		t.Errorf("got %+v, %v", got, err)
	}
}
