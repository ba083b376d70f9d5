package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/engine"
	"sekisho/engine/policyfile"
)

// Question asks what is decided for a login.
type Question struct {
	User    string
	NAS     string            // name of a NAS of the site file; empty: every area in which the answer differs
	At      string            // see Instant; empty: now
	Stages  []string          // planned stages to pretend in force
	Request map[string]string // request attributes by name
}

// Explanation is what is known of a login and what is decided for it.
type Explanation struct {
	User     string    `json:"user"`
	Policy   string    `json:"policy"`
	At       time.Time `json:"at"`
	Account  string    `json:"account"` // empty: no login pattern of the policy reads the name
	Realm    string    `json:"realm"`
	Form     string    `json:"form"`
	Near     string    `json:"near,omitempty" doc:"where the account has no contract: one that has, and is spelled nearly so"`
	Logins   []string  `json:"logins,omitempty" doc:"where the question was an account and no login: one of each form in which it may come"`
	Contract *Contract `json:"contract"`
	Course   string    `json:"course,omitempty"` // the policy's id of the contract's course
	Facts    []Fact    `json:"facts"`            // all that the decision rests on, but for the NAS
	Answers  []Answer  `json:"answers"`
}

// Fact is something that a decision rests on, and where it is known from.
type Fact struct {
	Name  string `json:"name"` // account, realm, form, contract, course, address, option, segment, status, area, request NAME, stage
	Value string `json:"value"`
	From  string `json:"from"`
}

// Where facts come from.
const (
	FromLogin    = "login pattern"
	FromStore    = "contract store"
	FromSite     = "NAS entry of the site file"
	FromPolicy   = "policy"
	FromQuestion = "question"
	FromNowhere  = "not said" // the policy's reading of silence
)

// Answer is the decision for the NASes at which it is the same.
type Answer struct {
	NAS        []string   `json:"nas"`
	Area       string     `json:"area,omitempty"`
	Facts      []Fact     `json:"facts"` // that this NAS adds
	Profile    string     `json:"profile,omitempty"`
	Action     string     `json:"action"`
	Rule       string     `json:"rule"`
	Until      *time.Time `json:"until"`
	Next       *Outcome   `json:"next,omitempty"` // what holds from until on
	Because    Text       `json:"because"`
	Remedies   []Text     `json:"remedies,omitempty"`
	Attributes []string   `json:"attributes"`
	Note       string     `json:"note,omitempty"`
	Trace      []Step     `json:"trace"`
}

// Step is one override or rule that was asked, and what became of it.
type Step struct {
	Rule    string   `json:"rule"`
	ID      string   `json:"id,omitempty"` // of an override
	Outcome string   `json:"outcome"`
	Action  string   `json:"action,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Key     string   `json:"key,omitempty"` // that did not match
	Want    []string `json:"want,omitempty"`
	Got     []string `json:"got,omitempty"`
}

// Won is the outcome of the step that decided.
const Won = string(engine.Won)

// Outcome is an action and the rule that led to it.
type Outcome struct {
	Action string `json:"action"`
	Rule   string `json:"rule"`
}

// Text is said to subscribers in two languages.
type Text struct {
	JA string `json:"ja,omitempty"`
	EN string `json:"en,omitempty"`
}

// Explainer answers questions about logins. An error of type *Problem is
// passed on as it is.
type Explainer interface {
	Explain(Question) (Explanation, error)
}

// explainQuery is a Question as it stands in a query.
type explainQuery struct {
	User    string   `query:"user" doc:"the login, such as f.uf234at567c@atson.net"`
	NAS     string   `query:"nas" doc:"name of a NAS; without it, every area in which the answer differs"`
	At      string   `query:"at" doc:"RFC 3339, or a local date or date-time; now, if not said" example:"2007-05-15"`
	Stage   []string `query:"stage,explode" doc:"a planned stage to pretend in force"`
	Request []string `query:"request,explode" doc:"a request attribute" example:"NAS-Port-Type=ISDN"`
}

// MountExplain serves what is decided for a login, and why.
func MountExplain(r *Routes, e Explainer) {
	ask(r, Viewer, huma.Operation{
		OperationID: "explain", Method: http.MethodGet, Path: "/v1/explain", Tags: tagDecisions,
		Summary: "What is decided for a login, and why: every rule that was asked",
	}, func(_ context.Context, in *explainQuery) (Explanation, error) {
		q, err := in.question()
		if err != nil {
			return Explanation{}, err
		}
		return e.Explain(q)
	})
}

func (in *explainQuery) question() (Question, error) {
	q := Question{User: in.User, NAS: in.NAS, At: in.At, Stages: in.Stage, Request: map[string]string{}}
	if q.User == "" {
		return q, badRequest("user: expected a login such as f.uf234at567c@atson.net")
	}
	for _, pair := range in.Request {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return q, badRequest("request: expected NAME=VALUE, got " + pair)
		}
		q.Request[name] = value
	}
	return q, nil
}

// Instant reads a time as people give it: RFC 3339, or a date or date-time
// without a zone, which is meant in local.
func Instant(text string, local *time.Location) (time.Time, error) {
	if at, err := policyfile.ParseInstant(text, local); err == nil {
		return at, nil
	}
	return time.Time{}, badRequest(fmt.Sprintf("expected a time such as 2007-05-15T00:00:00+09:00 or 2007-05-15, got %q", text))
}

func (q Question) values() url.Values {
	v := url.Values{"user": {q.User}, "stage": q.Stages}
	if q.NAS != "" {
		v.Set("nas", q.NAS)
	}
	if q.At != "" {
		v.Set("at", q.At)
	}
	for name, value := range q.Request {
		v.Add("request", name+"="+value)
	}
	return v
}

// Explain asks what is decided for a login and why.
func (c *Client) Explain(ctx context.Context, q Question) (Explanation, error) {
	var e Explanation
	err := c.get(ctx, "/v1/explain", q.values(), &e)
	return e, err
}
