package coa

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

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

// campaign makes one of sessions that drift. At a NAS that has one already they
// join it.
func (k *Keeper) campaign(cause string, many map[*lane][]session.ID) {
	c := &campaign{Campaign: store.Campaign{Cause: cause, Created: k.clock()}}
	order := slices.SortedFunc(maps.Keys(many), func(a, b *lane) int { return a.place.Compare(b.place) })
	for _, l := range order {
		if l.part.active() {
			members := k.join(l, many[l])
			l.part.hold(members)
			k.log.Info("sessions join a campaign", "campaign", l.part.of.ID, "nas", l.place.String(), "sessions", len(members))
			k.alsoKeep(l.part, members)
			continue
		}
		l.part = newPart(c, l.place, k.rules)
		c.parts = append(c.parts, l.part)
		for _, m := range k.join(l, many[l]) {
			l.part.enqueue(idOf(m))
		}
	}
	if len(c.parts) > 0 {
		k.campaigns = append(k.campaigns, c)
		k.writeDown(c)
	}
}

// join makes sessions members of the campaign at a router.
func (k *Keeper) join(l *lane, ids []session.ID) []store.CampaignMember {
	var members []store.CampaignMember
	for _, id := range ids {
		s, live := k.sessions.Get(id)
		if !live {
			continue
		}
		l.forget(id)
		target, _ := l.target(&s)
		l.part.add(&s, target)
		members = append(members, l.part.record(id))
	}
	l.part.of.dirty = true
	return members
}

func idOf(m store.CampaignMember) session.ID {
	return session.ID{NAS: m.NAS, Box: m.Box, AcctSession: m.Session}
}

// record is a member as it is kept.
func (p *part) record(id session.ID) store.CampaignMember {
	m := p.members[id]
	return store.CampaignMember{NAS: id.NAS, Box: id.Box, Session: id.AcctSession, Before: m.before, After: m.after}
}

// writeDown keeps a new campaign with all its members and lets it begin then:
// what a router is told can be undone, whatever happens.
func (k *Keeper) writeDown(c *campaign) {
	if k.ledger == nil {
		c.ID = uint64(len(k.campaigns))
		k.letBegin(c)
		return
	}
	record, members := c.record(), []store.CampaignMember{}
	for _, p := range c.parts {
		for _, id := range p.todo {
			members = append(members, p.record(id))
		}
	}
	k.keep(func() error {
		err := k.addCampaign(c, record)
		if err == nil {
			err = k.ledgerMembers(c.kept.Load(), members)
		}
		k.inbox.call(func() { k.writtenDown(c, err) })
		return err
	})
}

// addCampaign keeps a campaign unless an earlier try has.
func (k *Keeper) addCampaign(c *campaign, record store.Campaign) error {
	if c.kept.Load() != 0 {
		return nil
	}
	kept, err := k.ledger.AddCampaign(record)
	if err == nil {
		c.kept.Store(kept.ID)
	}
	return err
}

// keepAgain is after how long a campaign that could not be kept is tried again.
const keepAgain = 10 * time.Second

// writtenDown lets a campaign begin that is on disk, and has one that is not
// written again: without room for it nobody is told anything.
func (k *Keeper) writtenDown(c *campaign, err error) {
	if err == nil {
		c.ID = c.kept.Load()
		k.letBegin(c)
		return
	}
	for _, p := range c.parts {
		p.Why = "it cannot be kept: " + err.Error()
	}
	k.timers.AfterFunc(keepAgain, func() { k.inbox.call(func() { k.writeDown(c) }) })
}

// errNotKept says that members must wait for their campaign.
var errNotKept = errors.New("the campaign is not on disk yet")

// alsoKeep keeps members that a campaign has got since, and lets them have
// their turn then.
func (k *Keeper) alsoKeep(p *part, members []store.CampaignMember) {
	if k.ledger == nil {
		k.alsoKept(p, members, nil)
		return
	}
	k.keep(func() error {
		err := errNotKept
		if id := p.of.kept.Load(); id != 0 {
			err = k.ledgerMembers(id, members)
		}
		k.inbox.call(func() { k.alsoKept(p, members, err) })
		return err
	})
}

func (k *Keeper) alsoKept(p *part, members []store.CampaignMember, err error) {
	if err != nil {
		k.timers.AfterFunc(keepAgain, func() { k.inbox.call(func() { k.alsoKeep(p, members) }) })
		return
	}
	for _, m := range members {
		p.release(idOf(m))
	}
}

// memberPiece is how many members are kept in one transaction.
const memberPiece = 5000

func (k *Keeper) ledgerMembers(id uint64, members []store.CampaignMember) error {
	for piece := range slices.Chunk(members, memberPiece) {
		if err := k.ledger.AddCampaignMembers(id, piece); err != nil {
			return err
		}
	}
	return nil
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
// Configure and before Start; the sessions must be there already.
func (k *Keeper) Restore() error {
	if k.ledger == nil {
		return nil
	}
	kept, err := k.ledger.Campaigns()
	if err != nil {
		return err
	}
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

// restorePart takes up a campaign at one router. Its members all get their turn:
// those that were told already are passed over without a request.
func (k *Keeper) restorePart(p *part) error {
	if p.State == Over && !p.Undo {
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
	if p.State == Planned {
		p.start(k.timers.Now())
	}
	p.measure(k.timers.Now())
	k.comeAndGo(l)
	return nil
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
	p.members = make(map[session.ID]*member, len(kept))
	for _, m := range kept {
		s, _ := k.sessions.Get(idOf(m))
		p.members[idOf(m)] = &member{of: s.Serial, before: m.Before, after: m.After}
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
