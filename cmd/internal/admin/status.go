package admin

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/store"
)

// Status is how the daemon is.
type Status struct {
	Version   string      `json:"version"`
	PID       int         `json:"pid"`
	Started   time.Time   `json:"started"`
	Clock     time.Time   `json:"clock"` // what time it is for the policy
	Timezone  string      `json:"timezone" doc:"of the policy: what dates and times of day without a zone are meant in" example:"Asia/Tokyo"`
	Config    string      `json:"config"`
	Policy    string      `json:"policy"`
	Actions   []string    `json:"actions" doc:"of the policy, from the loosest to the tightest"`
	Contracts int         `json:"contracts"`
	Sessions  Live        `json:"sessions"`
	Reload    Reload      `json:"reload"`
	Auth      []string    `json:"auth"`
	Acct      []string    `json:"acct"`
	CoA       []string    `json:"coa,omitempty" doc:"where AAA servers may send CoA- and Disconnect-Requests; missing: nowhere"`
	Held      int         `json:"held"` // requests held, waiting or answered
	NAS       []NASStatus `json:"nas"`
	AAA       []AAAStatus `json:"aaa"`
}

// Live is how the table of live sessions is.
type Live struct {
	Live      int    `json:"live"`
	Restoring bool   `json:"restoring,omitempty" doc:"the sessions of the last run are coming back"`
	Back      int    `json:"back,omitempty" doc:"so many rows of them are read"`
	Expected  int    `json:"expected,omitempty" doc:"of so many; 0: they have not been counted"`
	Unsaved   int    `json:"unsaved" doc:"changes that are not on disk yet"`
	Refused   string `json:"refused,omitempty" doc:"why the store takes no changes of sessions; empty: it does"`

	Slow       float64 `json:"slow_seconds,omitempty" doc:"for so long the disk has not taken what routers are about to be told: they are not told before"`
	Announcing int     `json:"announcing,omitempty" doc:"of so many sessions, at least"`
}

// Warnings say what keeps a list of sessions from being the whole truth.
func (l *Live) Warnings() (all []string) {
	if l.Restoring {
		all = append(all, fmt.Sprintf("restoring %d of %d sessions of the last run: the others are not listed yet", l.Back, max(l.Back, l.Expected)))
	}
	if l.Refused != "" {
		all = append(all, fmt.Sprintf("a crash would forget what routers were told: %d changes of sessions cannot be saved: %s", l.Unsaved, l.Refused))
	}
	if l.Slow > 0 {
		all = append(all, fmt.Sprintf("routers are told nothing: for %.0f s the disk has not taken that they are about to be told of %d sessions", l.Slow, l.Announcing))
	}
	return all
}

// Reload is how the last reload went, or the start; At is zero before the first
// reload.
type Reload struct {
	At       time.Time `json:"at,omitzero"`
	OK       bool      `json:"ok"`
	Error    string    `json:"error,omitempty"`
	Warnings []string  `json:"warnings,omitempty" doc:"such as of overrides that do nothing any more, because what they name is gone"`
}

// NASStatus is what was counted for one NAS.
type NASStatus struct {
	Name        string            `json:"name"`
	Area        string            `json:"area"`
	Profile     string            `json:"profile"`
	Received    map[string]uint64 `json:"received"` // by packet
	Answered    map[string]uint64 `json:"answered"`
	Dropped     map[string]uint64 `json:"dropped"`    // by reason
	Injections  map[string]uint64 `json:"injections"` // by outcome
	Outstanding int64             `json:"outstanding"`
}

// AAAStatus is what was counted for one AAA server.
type AAAStatus struct {
	Name        string            `json:"name"`
	Ports       map[string]string `json:"ports"` // address -> alive, zombie or dead
	Sent        map[string]uint64 `json:"sent"`
	Received    map[string]uint64 `json:"received"`
	Dropped     map[string]uint64 `json:"dropped"`
	Sockets     int               `json:"sockets"`
	Outstanding int               `json:"outstanding"`
}

// Health is the answer of a daemon that is well.
type Health struct {
	Status string `json:"status" enum:"ok,ready"`
}

// Controller is the daemon as its door sees it.
type Controller interface {
	Status() Status
	// Ready tells why the daemon does not answer NASes now; nil: it does.
	Ready() error
	// Reload reads the site file anew; the audit tells by whom.
	Reload(store.By) (Reload, error)
}

// MountControl serves how the daemon is, and makes it read its site file.
func MountControl(r *Routes, c Controller) {
	ask(r, Viewer, huma.Operation{
		OperationID: "status", Method: http.MethodGet, Path: "/v1/status", Tags: tagDaemon,
		Summary: "How the daemon is: what it works by and what it has counted",
	}, func(context.Context, *none) (Status, error) { return c.Status(), nil })
	ask(r, Anybody, huma.Operation{
		OperationID: "healthy", Method: http.MethodGet, Path: "/-/healthy", Tags: tagDaemon,
		Summary: "Whether the daemon lives",
	}, func(context.Context, *none) (Health, error) { return Health{"ok"}, nil })
	ask(r, Anybody, huma.Operation{
		OperationID: "ready", Method: http.MethodGet, Path: "/-/ready", Tags: tagDaemon,
		Summary: "Whether the daemon answers NASes; 503 if not",
	}, func(context.Context, *none) (Health, error) {
		if err := c.Ready(); err != nil {
			return Health{}, &Problem{Status: http.StatusServiceUnavailable, Detail: err.Error()}
		}
		return Health{"ready"}, nil
	})
	ask(r, Operator, huma.Operation{
		OperationID: "reload", Method: http.MethodPost, Path: "/-/reload", Tags: tagDaemon,
		Summary:     "Read the site file anew",
		Description: "All or nothing: if the file has errors, the old configuration stays and a problem of status 422 says what is wrong.",
	}, func(ctx context.Context, in *Why) (Reload, error) {
		by, err := CallerFrom(ctx).because(in.Reason)
		if err != nil {
			return Reload{}, err
		}
		done, err := c.Reload(by)
		if err != nil {
			return Reload{}, unprocessable("the old configuration stays: " + err.Error())
		}
		return done, nil
	})
}

// MountMetrics serves the counters in the format of Prometheus.
func MountMetrics(r *Routes, metrics http.Handler) {
	stream(r, Viewer, huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Tags: tagDaemon,
		Summary:   "The daemon's counters for Prometheus",
		Responses: answers("text/plain", "the text format of Prometheus"),
	}, func(w http.ResponseWriter, r *http.Request, _ *none) error {
		metrics.ServeHTTP(w, r)
		return nil
	})
}

// Status asks how the daemon is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.get(ctx, "/v1/status", nil, &s)
	return s, err
}

// Reload makes the daemon read its site file anew. A *Problem of status 422
// says what is wrong with it; the old configuration stays then. The reason is for
// the audit and may be empty.
func (c *Client) Reload(ctx context.Context, reason string) (Reload, error) {
	var r Reload
	err := c.post(ctx, "/-/reload", because(reason), nil, &r)
	return r, err
}
