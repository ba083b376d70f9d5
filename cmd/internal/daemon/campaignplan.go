package daemon

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/dict"
	"sekisho/engine"
	"sekisho/radius/coa"
	"sekisho/radius/session"
)

// planPage is how many sessions a plan looks at before it lets others in.
const planPage = 500

// PlanCampaign tells what routers would be told of live sessions if the policy,
// the date or the stages were others. It changes nothing.
func (d *Daemon) PlanCampaign(ctx context.Context, q admin.PlanQuestion) (admin.CampaignPlan, error) {
	c := d.config.Load()
	view := engine.View{Policy: c.Policy, At: d.options.Clock(), Stages: q.Stages}
	err := d.live.whole()
	if err != nil {
		return admin.CampaignPlan{}, err
	}
	var speak map[string]*dict.Profile
	if q.Policy != nil {
		if view.Policy, speak, err = spoken(c, q.Policy); err != nil {
			return admin.CampaignPlan{}, err
		}
	}
	if view.At, err = when(q.At, view); err != nil {
		return admin.CampaignPlan{}, err
	}
	if err := stagesKnown(view); err != nil {
		return admin.CampaignPlan{}, err
	}
	plan, after := d.keeper.Plan(speak), session.ID{}
	for {
		page := d.live.Page(session.Filter{}, after, planPage)
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].ID
		for i := range page {
			if err := d.foresee(&page[i], view); err != nil {
				return admin.CampaignPlan{}, err
			}
		}
		if plan.Add(page); ctx.Err() != nil {
			return admin.CampaignPlan{}, ctx.Err()
		}
	}
	answer := admin.CampaignPlan{Policy: view.Policy.Name, At: view.At.In(view.Policy.Location), NAS: []admin.PlannedNAS{}}
	for _, at := range slices.SortedFunc(maps.Keys(plan.NAS), coa.Place.Compare) {
		n := plan.NAS[at]
		one := admin.PlannedNAS{
			NAS: at.NAS, Box: at.Box, Sessions: n.Sessions, Campaign: n.Campaign, Canary: n.Canary,
			Rate: n.Rate, Window: n.Window, Takes: int(n.Takes / time.Second), Changes: []admin.PlannedChange{},
		}
		for change, sessions := range n.Changes {
			one.Changes = append(one.Changes, admin.PlannedChange{
				From: change.From, To: change.To, By: change.Means.String(), Why: change.Why, Sessions: sessions,
			})
		}
		slices.SortFunc(one.Changes, func(a, b admin.PlannedChange) int {
			return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.By, b.By), cmp.Compare(a.Why, b.Why))
		})
		answer.NAS = append(answer.NAS, one)
	}
	return answer, nil
}

// spoken compiles the policy of a question, and what the NASes would be told by
// it.
func spoken(c *config.Config, text *admin.PolicyText) (*engine.Policy, map[string]*dict.Profile, error) {
	p, err := policyOf(text)
	if err != nil {
		return nil, nil, err
	}
	speak, err := c.Speak(p)
	if err != nil {
		return nil, nil, &admin.Problem{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	}
	return p, speak, nil
}

// foresee writes into a copy of a session what would be wanted for it.
func (d *Daemon) foresee(s *session.Session, v engine.View) error {
	login := v.Policy.ReadLogin(s.Name)
	facts := s.Facts()
	facts.Login, facts.Stages = login, v.Stages
	if login.Account != "" {
		if err := d.store.Subscriber(login.Account, &facts); err != nil {
			return fmt.Errorf("session %q of %s: %w", s.AcctSession, s.NAS, err)
		}
	}
	s.Wanted = engine.Decide(v.Policy, &facts, v.At).Action
	return nil
}
