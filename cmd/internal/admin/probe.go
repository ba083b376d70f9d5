package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// ProbeQuestion asks for a probe of a router with one of its live sessions: one
// of Session and User says which.
type ProbeQuestion struct {
	Session string  `json:"session,omitempty" doc:"its Acct-Session-Id"`
	Box     string  `json:"box,omitempty" doc:"which of several routers behind the NAS entry"`
	User    string  `json:"user,omitempty" doc:"a login or an account with one live session at the NAS"`
	Hold    float64 `json:"hold,omitempty" minimum:"0" maximum:"600" doc:"how long to stay at each action, in seconds"`
	Timeout float64 `json:"timeout,omitempty" minimum:"0" maximum:"30" doc:"how long to wait for each answer, in seconds; 0: 5"`
	DryRun  bool    `json:"dry_run,omitempty" doc:"send nothing; tell what would be sent"`
	Reason  string  `json:"reason,omitempty" doc:"why, for the audit"`
}

// ProbeLine is a line of the answer; one field is set. The first line has the
// session, the last one the end or an error.
type ProbeLine struct {
	Session *ProbeSession `json:"session,omitempty"`
	Trying  *ProbeTry     `json:"trying,omitempty"`
	Step    *ProbeStep    `json:"step,omitempty"`
	End     *ProbeEnd     `json:"end,omitempty"`
	Error   string        `json:"error,omitempty"`
}

// ProbeSession is the session that a router is probed with.
type ProbeSession struct {
	NAS     string `json:"nas"`
	To      string `json:"to" doc:"where the NAS takes CoA"`
	Profile string `json:"profile"`
	Session string `json:"session"`
	User    string `json:"user"`
	Applied string `json:"applied" doc:"what the router was told before; empty: not known"`
	Wanted  string `json:"wanted" doc:"what the engine says for it, and what it is told at last"`
}

// ProbeTry is one action that the session is told now; a step follows.
type ProbeTry struct {
	Action  string  `json:"action"`
	Timeout float64 `json:"timeout" doc:"how long an answer is waited for, in seconds"`
}

// ProbeStep is one action that the session was told, or would be.
type ProbeStep struct {
	Action     string   `json:"action"`
	Restore    bool     `json:"restore,omitempty" doc:"this is the end: what is wanted"`
	Attributes []string `json:"attributes,omitempty" doc:"of the CoA-Request"`
	Answer     string   `json:"answer,omitempty" doc:"what the router said, or that it said nothing"`
	OK         bool     `json:"ok" doc:"it acknowledged"`
	Silent     bool     `json:"silent,omitempty" doc:"nothing answered"`
	Seconds    float64  `json:"seconds,omitempty" doc:"from the first request to the answer"`
	Seen       bool     `json:"seen,omitempty" doc:"its accounting has shown the action since"`
	Skipped    string   `json:"skipped,omitempty" doc:"why nothing was sent"`
}

// ProbeEnd is what a probe comes to.
type ProbeEnd struct {
	OK       bool `json:"ok" doc:"every action that can be said by CoA was acknowledged, and what is wanted at last"`
	Restored bool `json:"restored" doc:"the router acknowledged what is wanted, or nothing was sent"`
	Silent   bool `json:"silent,omitempty" doc:"nothing answered at all: it was given up after the first action, and nobody knows what the router does"`
}

// Prober probes a router, and hands each line but the last to tell. It goes on
// to put back what is wanted when the context ends. An error of type *Problem
// is passed on as it is.
type Prober interface {
	Probe(ctx context.Context, nas string, q ProbeQuestion, tell func(ProbeLine) error) (ProbeEnd, error)
}

// MountProbe serves probes of routers.
func MountProbe(r *Routes, p Prober) {
	stream(r, Operator, huma.Operation{
		OperationID: "probe-nas", Method: http.MethodPost, Path: "/v1/nas/{nas}/probe", Tags: tagRouters,
		Summary: "Try on one live session whether a router applies, replaces and removes the filter",
		Description: "The session is told every action of the policy by CoA, one after the other, and at last what is wanted for it; also " +
			"when the caller goes away. Answers with one JSON object a line. Status 409 says why the session is not fit for it.",
		Responses: linesOf[ProbeLine](r, "lines, of which the last one has the end or an error"),
	}, func(w http.ResponseWriter, r *http.Request, in *probeInput) error {
		return serveProbe(w, r, in, p)
	})
}

type probeInput struct {
	NAS  string `path:"nas" doc:"its name in the site file"`
	Body ProbeQuestion
}

func serveProbe(w http.ResponseWriter, r *http.Request, in *probeInput, p Prober) error {
	if _, err := CallerFrom(r.Context()).because(in.Body.Reason); err != nil {
		return err
	}
	out := newLineWriter(w)
	_ = out.control.SetReadDeadline(time.Time{}) // else the request would be over when its body's time is
	end, err := p.Probe(r.Context(), in.NAS, in.Body, func(line ProbeLine) error { return out.emit(line, true) })
	switch {
	case err != nil && !out.begun:
		return err
	case err != nil:
		_ = out.emit(ProbeLine{Error: err.Error()}, true) // a client that went away has no use for an error
	default:
		_ = out.emit(ProbeLine{End: &end}, true)
	}
	return nil
}

// ProbeNAS probes a router and hands each line but the last to take. When ctx
// ends, the daemon puts back what is wanted.
func (c *Client) ProbeNAS(ctx context.Context, nas string, q ProbeQuestion, take func(ProbeLine) error) (ProbeEnd, error) {
	for line, err := range answerLines[ProbeLine](ctx, c, "/v1/nas/"+pathSegment(nas)+"/probe", q) {
		switch {
		case err != nil:
			return ProbeEnd{}, err
		case line.Error != "":
			return ProbeEnd{}, errors.New(line.Error)
		case line.End != nil:
			return *line.End, nil
		}
		if err := take(line); err != nil {
			return ProbeEnd{}, err
		}
	}
	return ProbeEnd{}, fmt.Errorf("the answer of %s broke off before its end", c.path)
}
