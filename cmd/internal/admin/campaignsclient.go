package admin

import (
	"context"
	"net/http"
	"strconv"
)

// Campaigns asks for all campaigns, the newest first.
func (c *Client) Campaigns(ctx context.Context) ([]Campaign, error) {
	var list CampaignList
	err := c.get(ctx, "/v1/campaigns", nil, &list)
	return list.Campaigns, err
}

// Campaign asks for one; a *Problem of status 404 says that there is none.
func (c *Client) Campaign(ctx context.Context, id uint64) (Campaign, error) {
	var one Campaign
	err := c.get(ctx, campaignPath(id), nil, &one)
	return one, err
}

// TurnCampaign pauses, resumes or undoes a campaign. A *Problem of status 409
// says that it is not in a state for that, one of 404 that it is not at that NAS.
func (c *Client) TurnCampaign(ctx context.Context, id uint64, verb string, o CampaignOrder) (Campaign, error) {
	var one Campaign
	err := c.sendJSON(ctx, http.MethodPost, campaignPath(id)+"/"+verb, nil, nil, o, &one)
	return one, err
}

func campaignPath(id uint64) string { return "/v1/campaigns/" + strconv.FormatUint(id, 10) }

// PushSessions has routers told what is wanted for sessions, and waits for
// their answers.
func (c *Client) PushSessions(ctx context.Context, o SessionOrder) ([]Telling, error) {
	return c.tell(ctx, "/v1/sessions/push", o)
}

// DisconnectSessions has sessions ended at their routers, and waits for the
// answers.
func (c *Client) DisconnectSessions(ctx context.Context, o SessionOrder) ([]Telling, error) {
	return c.tell(ctx, "/v1/sessions/disconnect", o)
}

func (c *Client) tell(ctx context.Context, path string, o SessionOrder) ([]Telling, error) {
	var list TellingList
	err := c.sendJSON(ctx, http.MethodPost, path, nil, nil, o, &list)
	return list.Sessions, err
}
