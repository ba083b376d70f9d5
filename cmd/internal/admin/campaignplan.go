package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// PlanQuestion asks what routers would be told of the sessions that are live,
// under a policy, at a date, with planned stages in force.
type PlanQuestion struct {
	At     string      `json:"at,omitempty" doc:"RFC 3339, or a local date or date-time; now, if not said"`
	Stages []string    `json:"stages,omitempty"`
	Policy *PolicyText `json:"policy,omitempty" doc:"the daemon's, if not said"`
}

// CampaignPlan is the answer.
type CampaignPlan struct {
	Policy string       `json:"policy"`
	At     time.Time    `json:"at"`
	NAS    []PlannedNAS `json:"nas" doc:"those that have live sessions"`
}

// PlannedNAS is how one router would be told.
type PlannedNAS struct {
	NAS      string          `json:"nas"`
	Box      string          `json:"box,omitempty" doc:"which of several routers behind the NAS entry"`
	Sessions int             `json:"sessions" doc:"live ones"`
	Campaign bool            `json:"campaign" doc:"there are more changes than the threshold"`
	Canary   int             `json:"canary" doc:"sessions that must be acknowledged first; 0: it is no campaign"`
	Rate     float64         `json:"rate" doc:"requests a second; 0: the NAS is told nothing"`
	Window   int             `json:"window" doc:"requests under way at once"`
	Takes    int             `json:"takes_seconds" doc:"at that rate, at least"`
	Changes  []PlannedChange `json:"changes"`
}

// PlannedChange is what would become of some of its sessions.
type PlannedChange struct {
	From     string `json:"from" doc:"the action that the router was told; empty: not known"`
	To       string `json:"to"`
	By       string `json:"by" enum:"CoA,Disconnect,nothing"`
	Why      string `json:"why,omitempty" doc:"why they are told nothing, or the same in other words"`
	Sessions int    `json:"sessions"`
}

// CampaignPlanner tells what routers would be told. An error of type *Problem
// is passed on as it is.
type CampaignPlanner interface {
	PlanCampaign(context.Context, PlanQuestion) (CampaignPlan, error)
}

// mountCampaignPlan serves the dry run of campaigns.
func mountCampaignPlan(r *Routes, p CampaignPlanner) {
	ask(r, Viewer, huma.Operation{
		OperationID: "plan-campaign", Method: http.MethodPost, Path: "/v1/campaigns/plan", Tags: tagCampaigns,
		Summary:     "What routers would be told of the live sessions at a date, with another policy or a planned stage",
		Description: "A dry run: nothing is told and nothing is kept. Profiles are those of the site file as it is loaded, with the names of the other policy.",
	}, func(ctx context.Context, in *body[PlanQuestion]) (CampaignPlan, error) {
		return p.PlanCampaign(ctx, in.Body)
	})
}

// PlanCampaign asks what routers would be told.
func (c *Client) PlanCampaign(ctx context.Context, q PlanQuestion) (CampaignPlan, error) {
	var plan CampaignPlan
	err := c.sendJSON(ctx, http.MethodPost, "/v1/campaigns/plan", nil, nil, q, &plan)
	return plan, err
}
