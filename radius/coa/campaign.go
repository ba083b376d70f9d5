package coa

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"

	"sekisho/radius/session"
	"sekisho/store"
)

// Ledger keeps campaigns, so that a restart goes on with them and what they
// told can be undone.
type Ledger interface {
	AddCampaign(store.Campaign) (store.Campaign, error)
	PutCampaign(store.Campaign) error
	AddCampaignMembers(id uint64, members []store.CampaignMember) error
	CampaignMembers(id uint64, nas, box string) ([]store.CampaignMember, error)
	Campaigns() ([]store.Campaign, error)
	ForgetCampaign(id uint64) error
	// Record tells the audit what campaigns do by themselves.
	Record(store.Entry) error
}

// campaign is many sessions that are told what is wanted, at a pace.
type campaign struct {
	store.Campaign
	parts []*part
	dirty bool          // not kept as it is
	kept  atomic.Uint64 // its number once it is on disk; the scribe's, who may be far behind

	writing bool // members are on their way to the disk
}

// maxCampaigns is how many are remembered.
const maxCampaigns = 200

func (c *campaign) name() string { return fmt.Sprintf("campaign %d", c.ID) }

// record is the campaign as it is kept.
func (c *campaign) record() store.Campaign {
	r := c.Campaign
	r.Parts = nil
	for _, p := range c.parts {
		r.Parts = append(r.Parts, p.CampaignPart)
	}
	return r
}

// campaign makes one of sessions that drift. At a router that has one already
// they join it.
func (k *Keeper) campaign(cause string, many map[*lane][]session.ID) {
	c := &campaign{Campaign: store.Campaign{Cause: cause, Created: k.clock()}}
	order := slices.SortedFunc(maps.Keys(many), func(a, b *lane) int { return a.place.Compare(b.place) })
	for _, l := range order {
		if !l.part.active() {
			l.part = newPart(c, l.place, k.rules)
			c.parts = append(c.parts, l.part)
		}
		k.join(l, many[l])
		if of := l.part.of; of != c {
			k.log.Info("sessions join a campaign", "campaign", of.ID, "nas", l.place.String(), "sessions", len(many[l]))
			k.writeDown(of)
		}
	}
	if len(c.parts) > 0 {
		k.campaigns = append(k.campaigns, c)
		k.writeDown(c)
	}
}

// join makes sessions members of the campaign at a router.
func (k *Keeper) join(l *lane, ids []session.ID) {
	for _, id := range ids {
		s, live := k.sessions.Get(id)
		if !live {
			continue
		}
		l.forget(id)
		target, _ := l.target(&s)
		l.part.add(&s, target)
		l.part.hold(id.AcctSession)
	}
	l.part.unturn()
	l.part.of.dirty = true
}

// letBegin starts a campaign that was written down.
func (k *Keeper) letBegin(c *campaign) {
	for _, p := range c.parts {
		if p.State != Planned {
			continue
		}
		p.start(k.timers.Now())
		k.turned(p, Planned)
	}
	k.record("campaign.start", c, map[string]any{"cause": c.Cause, "parts": c.record().Parts})
	k.log.Info("a campaign begins", "campaign", c.ID, "cause", c.Cause, "nases", len(c.parts))
	k.forgetOld()
}

// forgetOld forgets the oldest campaigns that are over.
func (k *Keeper) forgetOld() {
	for len(k.campaigns) > maxCampaigns {
		i := slices.IndexFunc(k.campaigns, func(c *campaign) bool {
			return !slices.ContainsFunc(c.parts, func(p *part) bool { return p.active() || p.Undo })
		})
		if i < 0 {
			return
		}
		id := k.campaigns[i].ID
		k.campaigns = slices.Delete(k.campaigns, i, i+1)
		if k.ledger != nil {
			k.keep(func() error { return k.ledger.ForgetCampaign(id) })
		}
	}
}

// keepCampaigns keeps how far each campaign is.
func (k *Keeper) keepCampaigns() {
	for _, c := range k.campaigns {
		if !c.dirty || c.ID == 0 || k.ledger == nil {
			continue
		}
		c.dirty = false
		record := c.record()
		k.keep(func() error {
			err := k.ledger.PutCampaign(record)
			if err != nil {
				k.inbox.call(func() { c.dirty = true }) // a restart must not go on with what was paused
			}
			return err
		})
	}
}

// Restore takes up the campaigns of an earlier run. It is called once, after
// Configure; the sessions must be there already. When the keeper ends first
// there is nothing to take up.
func (k *Keeper) Restore() (err error) {
	if !k.running.Load() {
		return k.restore()
	}
	k.do(func() { err = k.restore() })
	return err
}

func (k *Keeper) restore() error {
	if k.ledger == nil {
		return nil
	}
	kept, err := k.ledger.Campaigns()
	if err != nil {
		return err
	}
	oneEach(kept)
	for _, record := range kept {
		c := &campaign{Campaign: record}
		c.kept.Store(record.ID)
		for _, r := range record.Parts {
			p := newPart(c, Place{r.NAS, r.Box}, k.rules)
			p.CampaignPart = r
			c.parts = append(c.parts, p)
			if err := k.restorePart(p); err != nil {
				return err
			}
		}
		k.campaigns = append(k.campaigns, c)
	}
	return nil
}

// oneEach leaves no router more than one campaign, the newest: that an earlier
// one was over could not be kept. What is left of that one, the sweep finds.
func oneEach(kept []store.Campaign) {
	newest := map[Place]uint64{}
	for _, c := range slices.Backward(kept) {
		for i := range c.Parts {
			p := &c.Parts[i]
			at := Place{p.NAS, p.Box}
			switch later, taken := newest[at]; {
			case p.State == Over:
			case taken:
				p.State, p.Why, p.Away = Over, fmt.Sprintf("campaign %d took its place", later), false
			default:
				newest[at] = c.ID
			}
		}
	}
}

// restorePart takes up a campaign at one router.
func (k *Keeper) restorePart(p *part) error {
	if p.State == Over && !p.Undo {
		p.members = nil // they are on disk
		return nil
	}
	l := k.lane(p.place())
	if err := k.recall(p); err != nil {
		return err
	}
	if p.Undo {
		l.undone = append(l.undone, p)
	}
	if p.State == Over {
		return nil
	}
	l.part = p
	p.Done, p.Gone, p.Failed = 0, 0, 0
	p.queueAll()
	k.countDone(p)
	if p.State == Planned {
		p.start(k.timers.Now())
	}
	p.measure(k.timers.Now())
	k.comeAndGo(l)
	return nil
}

// countDone takes the turn from members whose routers have acknowledged what
// the campaign wants: one that is paused or has stopped would else look as if
// nobody had been told.
func (k *Keeper) countDone(p *part) {
	for acct, m := range p.members {
		s, live := k.sessions.Get(p.id(acct))
		if live && m.queued && s.Applied == m.goal(p.Undo) && !s.Outdated {
			m.queued = false
			p.passed(p.id(acct), Done)
		}
	}
	p.todo = slices.DeleteFunc(p.todo, func(acct string) bool { return !p.members[acct].queued })
}

// comeAndGo stops a campaign at a router that can be told nothing any more, such
// as one that was taken out of the site file, and goes on with it when it can.
func (k *Keeper) comeAndGo(l *lane) {
	p, err := l.part, l.reach()
	if p == nil {
		return
	}
	before := p.State
	switch {
	case err != nil && (before == Planned || before == Canary || before == Running):
		p.stop(err.Error() + "; it goes on when that is mended")
		p.Away = true
	case err == nil && p.Away && p.of.ID == 0:
		p.State, p.Why, p.Away = Planned, "", false // it is not written down yet
	case err == nil && p.Away:
		p.start(k.timers.Now())
	}
	k.turned(p, before)
	k.conclude(l)
}

// recall reads the members of a campaign at a router.
func (k *Keeper) recall(p *part) error {
	kept, err := k.ledger.CampaignMembers(p.of.ID, p.NAS, p.Box)
	if err != nil {
		return err
	}
	p.members = make(map[string]*member, len(kept))
	for _, m := range kept {
		s, _ := k.sessions.Get(p.id(m.Session))
		p.members[m.Session] = &member{of: s.Serial, before: m.Before, after: m.After}
	}
	p.Total = len(p.members)
	return nil
}

// record tells the audit what a campaign does by itself.
func (k *Keeper) record(op string, c *campaign, what any) {
	if k.ledger == nil {
		return
	}
	after, err := json.Marshal(what)
	if err != nil {
		after = nil // what was done is worth an entry all the same
	}
	entry := store.Entry{By: store.By{Who: "daemon", Why: c.Cause}, Op: op, Subject: strconv.FormatUint(c.ID, 10), After: after}
	k.keep(func() error { return k.ledger.Record(entry) })
}
