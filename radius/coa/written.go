package coa

import (
	"time"

	"sekisho/store"
)

// memberPiece is how many members are kept in one transaction, and made ready
// for it at once.
const memberPiece = 5000

// keepAgain is after how long members that could not be kept are tried again.
const keepAgain = 10 * time.Second

// writeDown keeps the members of a campaign that are not on disk, and gives them
// their turn then: what a router is told can be undone, whatever happens. A new
// campaign begins when it has all of them there.
func (k *Keeper) writeDown(c *campaign) {
	if k.ledger != nil {
		if !c.writing {
			c.writing = true
			k.writePiece(c)
		}
		return
	}
	for _, p := range c.parts {
		p.written(len(p.unkept))
	}
	if c.ID == 0 {
		c.ID = uint64(len(k.campaigns))
		k.letBegin(c)
	}
}

// writePiece keeps the next members, and the campaign itself before the first.
func (k *Keeper) writePiece(c *campaign) {
	p := c.unkept()
	if p == nil && c.ID != 0 {
		c.writing = false
		return
	}
	var members []store.CampaignMember
	if p != nil {
		members = p.records(memberPiece)
	}
	record := c.record()
	k.keep(func() error {
		err := k.addCampaign(c, record)
		if err == nil && len(members) > 0 {
			err = k.ledger.AddCampaignMembers(c.kept.Load(), members)
		}
		k.inbox.call(func() { k.pieceWritten(c, p, len(members), err) })
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

// pieceWritten goes on with the next members, lets a campaign begin that has
// all of them on disk, and tries again what could not be written: without room
// for it nobody is told anything.
func (k *Keeper) pieceWritten(c *campaign, p *part, n int, err error) {
	if err != nil {
		for _, p := range c.parts {
			if p.State == Planned {
				p.Why = "it cannot be kept: " + err.Error()
			}
		}
		k.timers.AfterFunc(keepAgain, func() { k.inbox.call(func() { k.writePiece(c) }) })
		return
	}
	if p != nil {
		p.written(n)
	}
	if c.unkept() == nil && c.ID == 0 {
		c.ID = c.kept.Load()
		k.letBegin(c)
	}
	k.writePiece(c)
}

// unkept is a part with members that are not on disk; nil when there is none.
func (c *campaign) unkept() *part {
	for _, p := range c.parts {
		if len(p.unkept) > 0 {
			return p
		}
	}
	return nil
}

// records are the next members to be kept.
func (p *part) records(most int) []store.CampaignMember {
	next := p.unkept[:min(most, len(p.unkept))]
	records := make([]store.CampaignMember, len(next))
	for i, acct := range next {
		m := p.members[acct]
		m.changed = false
		records[i] = store.CampaignMember{NAS: p.NAS, Box: p.Box, Session: acct, Before: m.before, After: m.after}
	}
	return records
}

// hold takes its turn from a member that is not on disk as it is now; unturn
// follows.
func (p *part) hold(acct string) {
	m := p.members[acct]
	m.changed = true
	if !m.held {
		m.held = true
		p.unkept = append(p.unkept, acct)
	}
}

// written gives the first members that were to be kept their turn, but for
// those that are others by now.
func (p *part) written(n int) {
	done := p.unkept[:n]
	if p.unkept = p.unkept[n:]; len(p.unkept) == 0 {
		p.unkept = nil // so that the room is free
	}
	for _, acct := range done {
		m := p.members[acct]
		m.held, m.queued = false, false
		if m.changed && p.of.kept.Load() != 0 {
			p.hold(acct)
			continue
		}
		p.enqueue(acct)
	}
}
