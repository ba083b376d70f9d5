package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/store"
)

// Campaign is many live sessions that are told a new action at a pace.
type Campaign struct {
	ID      uint64         `json:"id"`
	Cause   string         `json:"cause" example:"policy asahi-net was reloaded"`
	Created time.Time      `json:"created"`
	Parts   []CampaignPart `json:"parts" doc:"one for each router"`
}

// CampaignPart is a campaign at one router.
type CampaignPart struct {
	NAS      string     `json:"nas"`
	Box      string     `json:"box,omitempty" doc:"which of several routers behind the NAS entry"`
	State    string     `json:"state" enum:"planned,canary,running,paused,stopped,over"`
	Why      string     `json:"why,omitempty" doc:"of a stop or a pause"`
	Undo     bool       `json:"undo,omitempty" doc:"its sessions are told what they had before, and kept there"`
	Total    int        `json:"total"`
	Done     int        `json:"done" doc:"acknowledged, or found to have it already"`
	Gone     int        `json:"gone" doc:"ended meanwhile"`
	Failed   int        `json:"failed" doc:"the router would not, or never answered"`
	Left     int        `json:"left" doc:"still to be told, those under way included"`
	UnderWay int        `json:"under_way" doc:"told and not answered yet"`
	ETA      int        `json:"eta_seconds" doc:"until nothing is left, at the present pace; 0: not known, or not going on"`
	Began    *time.Time `json:"began"`
	Ended    *time.Time `json:"ended"`
}

// CampaignList is all campaigns that are remembered, the newest first.
type CampaignList struct {
	Campaigns []Campaign `json:"campaigns"`
}

// CampaignOrder is what is to become of a campaign.
type CampaignOrder struct {
	NAS    string `json:"nas,omitempty" doc:"at this NAS only"`
	Box    string `json:"box,omitempty" doc:"of the routers behind the NAS entry at this one only"`
	Reason string `json:"reason,omitempty"`
}

// SessionOrder says which sessions are meant: one by NAS and Acct-Session-Id,
// or those of an account.
type SessionOrder struct {
	User    string `json:"user,omitempty" doc:"an account, or a login that the policy reads to one"`
	NAS     string `json:"nas,omitempty"`
	Box     string `json:"box,omitempty" doc:"which router, where the NAS stands for several"`
	Session string `json:"session,omitempty" doc:"Acct-Session-Id"`
	Reason  string `json:"reason,omitempty"`
}

// Telling is what a router answered about a session.
type Telling struct {
	NAS     string `json:"nas"`
	Box     string `json:"box,omitempty" doc:"which of several routers behind the NAS entry"`
	Session string `json:"session"`
	Outcome string `json:"outcome" enum:"done,gone,refused,later,reauthorizing,unreachable"`
	Answer  string `json:"answer" example:"CoA-NAK 401 Unsupported-Attribute"`
}

// TellingList is what routers answered.
type TellingList struct {
	Sessions []Telling `json:"sessions"`
}

// Verbs of campaigns.
const (
	PauseCampaign  = "pause"
	ResumeCampaign = "resume"
	UndoCampaign   = "undo"
)

// Campaigner tells routers about live sessions. An error of type *Problem is
// passed on as it is.
type Campaigner interface {
	CampaignPlanner
	Campaigns() []Campaign
	Campaign(id uint64) (Campaign, error)
	// TurnCampaign pauses, resumes or undoes one, at the routers that the order
	// names.
	TurnCampaign(by store.By, id uint64, verb string, at CampaignOrder) (Campaign, error)
	// TellSessions tells routers what is wanted for sessions, or has them
	// ended, and waits for the answers.
	TellSessions(ctx context.Context, by store.By, which SessionOrder, disconnect bool) ([]Telling, error)
}

type campaignInput struct {
	ID uint64 `path:"id"`
}

type campaignOrder struct {
	ID   uint64 `path:"id"`
	Body CampaignOrder
}

var tagCampaigns = []string{"campaigns"}

// MountCampaigns serves what routers are told about live sessions.
func MountCampaigns(r *Routes, c Campaigner) {
	mountCampaignPlan(r, c)
	ask(r, Viewer, huma.Operation{
		OperationID: "list-campaigns", Method: http.MethodGet, Path: "/v1/campaigns", Tags: tagCampaigns,
		Summary: "Campaigns and how far they are, the newest first",
	}, func(context.Context, *none) (CampaignList, error) { return CampaignList{c.Campaigns()}, nil })
	ask(r, Viewer, huma.Operation{
		OperationID: "show-campaign", Method: http.MethodGet, Path: "/v1/campaigns/{id}", Tags: tagCampaigns,
		Summary: "How far one is at each NAS",
	}, func(_ context.Context, in *campaignInput) (Campaign, error) { return c.Campaign(in.ID) })
	for verb, summary := range map[string]string{
		PauseCampaign:  "Hold a campaign",
		ResumeCampaign: "Go on with one that was paused, has stopped or was undone",
		UndoCampaign:   "Tell its sessions what they had before, and keep them there",
	} {
		ask(r, Operator, huma.Operation{
			OperationID: verb + "-campaign", Method: http.MethodPost, Path: "/v1/campaigns/{id}/" + verb, Tags: tagCampaigns, Summary: summary,
		}, func(ctx context.Context, in *campaignOrder) (Campaign, error) {
			by := CallerFrom(ctx).by()
			by.Why = in.Body.Reason
			return c.TurnCampaign(by, in.ID, verb, in.Body)
		})
	}
	mountTelling(r, c, "push-session", "/v1/sessions/push", Support, false, "Tell routers what is wanted for sessions, whatever was applied")
	mountTelling(r, c, "disconnect-session", "/v1/sessions/disconnect", Operator, true, "End sessions at their routers")
}

func mountTelling(r *Routes, c Campaigner, id, path string, role Role, disconnect bool, summary string) {
	ask(r, role, huma.Operation{
		OperationID: id, Method: http.MethodPost, Path: path, Tags: tagCampaigns, Summary: summary,
		Description: "The answer comes when the routers have answered, or have not within 30 seconds.",
	}, func(ctx context.Context, in *body[SessionOrder]) (TellingList, error) {
		by := CallerFrom(ctx).by()
		by.Why = in.Body.Reason
		told, err := c.TellSessions(ctx, by, in.Body, disconnect)
		return TellingList{told}, err
	})
}
