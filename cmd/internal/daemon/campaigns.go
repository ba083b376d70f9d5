package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/engine"
	"sekisho/radius/coa"
	"sekisho/radius/session"
	"sekisho/store"
)

// Campaigns tells how far all campaigns are.
func (d *Daemon) Campaigns() []admin.Campaign {
	all := []admin.Campaign{}
	for _, p := range d.keeper.Campaigns() {
		all = append(all, campaignOf(p))
	}
	return all
}

// Campaign tells how far one is.
func (d *Daemon) Campaign(id uint64) (admin.Campaign, error) {
	p, err := d.keeper.Campaign(id)
	return campaignOf(p), campaignProblem(err)
}

func campaignOf(p coa.Progress) admin.Campaign {
	c := admin.Campaign{ID: p.ID, Cause: p.Cause, Created: p.Created, Parts: []admin.CampaignPart{}}
	for _, part := range p.Parts {
		c.Parts = append(c.Parts, admin.CampaignPart{
			NAS: part.NAS, Box: part.Box, State: part.State, Why: part.Why, Undo: part.Undo,
			Total: part.Total, Done: part.Done, Gone: part.Gone, Failed: part.Failed,
			Left: part.Left, UnderWay: part.UnderWay, ETA: int(part.ETA / time.Second),
			Began: known(part.Began), Ended: known(part.Ended),
		})
	}
	return c
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func campaignProblem(err error) error {
	switch {
	case errors.Is(err, coa.ErrNoCampaign), errors.Is(err, coa.ErrNotThere):
		return &admin.Problem{Status: http.StatusNotFound, Detail: err.Error()}
	case errors.Is(err, coa.ErrNotNow):
		return &admin.Problem{Status: http.StatusConflict, Detail: err.Error()}
	}
	return err
}

// TurnCampaign pauses, resumes or undoes a campaign. The audit tells who did.
func (d *Daemon) TurnCampaign(by store.By, id uint64, verb string, at admin.CampaignOrder) (admin.Campaign, error) {
	place := coa.Place{NAS: at.NAS, Box: at.Box}
	if at.Box != "" && at.NAS == "" {
		return admin.Campaign{}, &admin.Problem{Status: http.StatusBadRequest, Detail: "box says which of several routers behind a NAS entry: expected nas, too"}
	}
	var err error
	switch verb {
	case admin.PauseCampaign:
		err = d.keeper.Pause(id, place, by.Why)
	case admin.ResumeCampaign:
		err = d.keeper.Resume(id, place)
	default:
		err = d.keeper.Undo(id, place)
	}
	if err != nil {
		return admin.Campaign{}, campaignProblem(err)
	}
	after := map[string]string{"nas": at.NAS}
	if at.Box != "" {
		after["box"] = at.Box
	}
	d.record(by, "campaign."+verb, strconv.FormatUint(id, 10), after)
	return d.Campaign(id)
}

// record tells the audit. What was done stands all the same when it cannot.
func (d *Daemon) record(by store.By, op, subject string, after any) {
	text, err := json.Marshal(after)
	if err == nil {
		err = d.store.Record(store.Entry{By: by, Op: op, Subject: subject, After: text})
	}
	if err != nil {
		d.options.Log.Error("an act of an operator does not stand in the audit", "op", op, "error", err)
	}
}

// TellSessions tells routers what is wanted for sessions, or has them ended.
func (d *Daemon) TellSessions(ctx context.Context, by store.By, which admin.SessionOrder, disconnect bool) ([]admin.Telling, error) {
	ids, err := d.meant(which)
	if err != nil {
		return nil, err
	}
	answers := make(chan admin.Telling, len(ids))
	done := func(id session.ID, r coa.Reply) {
		answers <- admin.Telling{NAS: id.NAS, Box: id.Box, Session: id.AcctSession, Outcome: r.Outcome.String(), Answer: r.String()}
	}
	op, tell := "session.push", d.keeper.Push
	if disconnect {
		op, tell = "session.disconnect", d.keeper.Disconnect
	}
	tell(ids, done)
	told := []admin.Telling{}
	for range ids {
		select {
		case t := <-answers:
			told = append(told, t)
		case <-ctx.Done():
			return told, ctx.Err()
		}
	}
	d.record(by, op, ids[0].NAS+" "+ids[0].AcctSession, told)
	return told, nil
}

// maxTold is how many sessions one question may be about.
const maxTold = 100

// meant finds the sessions that an order is about.
func (d *Daemon) meant(which admin.SessionOrder) (ids []session.ID, err error) {
	switch {
	case which.Session != "" && which.NAS != "":
		id := session.ID{NAS: which.NAS, Box: which.Box, AcctSession: which.Session}
		if _, ok := d.live.Get(id); !ok {
			return nil, d.NoSession(id)
		}
		ids = append(ids, id)
	case which.User != "":
		account, err := d.account(d.config.Load().Policy, which.User, true)
		if err != nil {
			return nil, err
		}
		for _, id := range d.live.Account(engine.Fold(account)) {
			if which.NAS == "" || which.NAS == id.NAS {
				ids = append(ids, id)
			}
		}
	default:
		return nil, &admin.Problem{Status: http.StatusBadRequest, Detail: "expected user, or nas and session"}
	}
	switch {
	case len(ids) == 0:
		return nil, &admin.Problem{Status: http.StatusNotFound, Detail: "there is no live session of " + which.User}
	case len(ids) > maxTold:
		return nil, &admin.Problem{Status: http.StatusConflict, Detail: "that is more than 100 sessions"}
	}
	return ids, nil
}
