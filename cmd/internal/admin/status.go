package admin

import (
	"context"
	"net/http"
	"time"
)

// Status is how the daemon is.
type Status struct {
	Version   string      `json:"version"`
	PID       int         `json:"pid"`
	Started   time.Time   `json:"started"`
	Clock     time.Time   `json:"clock"` // what time it is for the policy
	Config    string      `json:"config"`
	Policy    string      `json:"policy"`
	Contracts int         `json:"contracts"`
	Reload    Reload      `json:"reload"`
	Auth      []string    `json:"auth"`
	Acct      []string    `json:"acct"`
	Held      int         `json:"held"` // requests held, waiting or answered
	NAS       []NASStatus `json:"nas"`
	AAA       []AAAStatus `json:"aaa"`
}

// Reload is how the last reload went; At is zero before the first.
type Reload struct {
	At    time.Time `json:"at,omitzero"`
	OK    bool      `json:"ok"`
	Error string    `json:"error,omitempty"`
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

// Controller is the daemon as its door sees it.
type Controller interface {
	Status() Status
	Reload(context.Context) error
}

// MountControl serves GET /v1/status, GET /-/healthy and POST /-/reload.
func MountControl(mux *http.ServeMux, c Controller) {
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, c.Status())
	})
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("POST /-/reload", func(w http.ResponseWriter, r *http.Request) {
		if err := c.Reload(r.Context()); err != nil {
			writeError(w, unprocessable("the old configuration stays: "+err.Error()))
			return
		}
		writeJSON(w, http.StatusOK, c.Status().Reload)
	})
}

// Status asks how the daemon is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.get(ctx, "/v1/status", nil, &s)
	return s, err
}

// Reload makes the daemon read its site file anew. A *Problem of status 422
// says what is wrong with it; the old configuration stays then.
func (c *Client) Reload(ctx context.Context) error {
	var r Reload
	return c.post(ctx, "/-/reload", nil, nil, &r)
}
