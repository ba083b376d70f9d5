package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/engine"
)

// ImpactQuestion asks what differs between the daemon's policy at Since and the
// policy, date and stages that come.
type ImpactQuestion struct {
	Since    string      `json:"since,omitempty"` // see Instant; empty: now
	At       string      `json:"at,omitempty"`    // empty: now
	Stages   []string    `json:"stages,omitempty"`
	Policy   *PolicyText `json:"policy,omitempty"`   // nil: the daemon's
	Accounts bool        `json:"accounts,omitempty"` // list every account that changes, too
}

// PolicyText is a policy file as it is written.
type PolicyText struct {
	Name string `json:"name"` // of the file, for messages
	Text string `json:"text"`
}

// ImpactLine is one line of the answer; exactly one of its fields is set. The
// last line has the totals, or an error.
type ImpactLine struct {
	Progress *Progress      `json:"progress,omitempty"`
	Account  *AccountImpact `json:"account,omitempty"`
	Totals   *ImpactTotals  `json:"totals,omitempty"`
	Error    string         `json:"error,omitempty"`
}

// Progress is how many contracts have been read.
type Progress struct {
	Read int `json:"read"`
	Of   int `json:"of"`
}

// AccountImpact is what changes for an account.
type AccountImpact struct {
	Account string `json:"account"`
	Course  string `json:"course"` // as the contract spells it
	Flips   []Flip `json:"flips"`
}

// Flip is an engine.Flip as it travels.
type Flip struct {
	From     string   `json:"from"`
	FromRule string   `json:"from_rule"`
	To       string   `json:"to"`
	ToRule   string   `json:"to_rule"`
	Tighter  bool     `json:"tighter"`
	Logins   []string `json:"logins"`
	Areas    []string `json:"areas"`
	Requests []string `json:"requests,omitempty"`
}

// ImpactTotals are engine.Totals as they travel, with the two sides.
type ImpactTotals struct {
	From      Side    `json:"from"`
	To        Side    `json:"to"`
	Contracts int     `json:"contracts"`
	Flipped   int     `json:"flipped"`
	ByCourse  []Count `json:"by_course"`
	ByArea    []Count `json:"by_area"`
}

// Side is one side of an impact.
type Side struct {
	Policy string    `json:"policy"`
	At     time.Time `json:"at"`
	Stages []string  `json:"stages,omitempty"`
}

// Count is an engine.Count as it travels.
type Count struct {
	Group    string `json:"group"`
	From     string `json:"from"`
	To       string `json:"to"`
	Accounts int    `json:"accounts"`
}

// TotalsOf makes totals ready to travel.
func TotalsOf(t engine.Totals, from, to Side) *ImpactTotals {
	return &ImpactTotals{from, to, t.Contracts, t.Flipped, counts(t.ByCourse), counts(t.ByArea)}
}

func counts(all []engine.Count) []Count {
	list := make([]Count, 0, len(all))
	for _, c := range all {
		list = append(list, Count(c))
	}
	return list
}

// AccountOf makes the flips of a contract ready to travel.
func AccountOf(c *engine.Contract, flips []engine.Flip) *AccountImpact {
	a := &AccountImpact{Account: c.Account, Course: c.Course}
	for _, f := range flips {
		a.Flips = append(a.Flips, Flip(f))
	}
	return a
}

func mountImpact(r *Routes, p Planner) {
	stream(r, Viewer, huma.Operation{
		OperationID: "impact", Method: http.MethodPost, Path: "/v1/impact", Tags: tagDecisions,
		Summary: "Whom a date, a policy or a stage newly affects, over all contracts",
		Description: "Answers with one JSON object a line: progress, then every account that changes if accounts were asked for, " +
			"then the totals or an error.",
		Responses: linesOf[ImpactLine](r, "lines, of which the last one has the totals or an error"),
	}, func(w http.ResponseWriter, r *http.Request, in *body[ImpactQuestion]) error {
		return serveImpact(w, r, in.Body, p)
	})
}

func serveImpact(w http.ResponseWriter, r *http.Request, q ImpactQuestion, p Planner) error {
	out := newLineWriter(w)
	err := p.Impact(r.Context(), q, func(line ImpactLine) error {
		return out.emit(line, line.Progress != nil)
	})
	if err != nil && !out.begun {
		return err
	}
	if err != nil {
		err = out.emit(ImpactLine{Error: err.Error()}, false)
	}
	if err == nil {
		_ = out.flush() // a client that went away has no use for an error
	}
	return nil
}

// Impact asks what a date, a policy or a stage does to all contracts, and hands
// each line but the last to take. It returns the totals.
func (c *Client) Impact(ctx context.Context, q ImpactQuestion, take func(ImpactLine) error) (*ImpactTotals, error) {
	for line, err := range answerLines[ImpactLine](ctx, c, "/v1/impact", q) {
		switch {
		case err != nil:
			return nil, err
		case line.Error != "":
			return nil, errors.New(line.Error)
		case line.Totals != nil:
			return line.Totals, nil
		}
		if err := take(line); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("the answer of %s broke off before its totals", c.path)
}
