package coa

import (
	"time"

	"sekisho/dict"
	"sekisho/radius/session"
)

// PlannedChange is what would become of some sessions of a NAS.
type PlannedChange struct {
	From, To string     // actions; an empty From: it is not known what the router was told
	Means    dict.Means // dict.ByNothing: they keep what they have, and Why says why
	Why      string     // also of those that are told the same in other words
}

// PlannedNAS is how a router would be told.
type PlannedNAS struct {
	Sessions int                   // live ones that were looked at
	Changes  map[PlannedChange]int // sessions
	Campaign bool                  // they are more than the threshold
	Canary   int                   // of a campaign; 0: it is none
	Rate     float64               // requests a second; 0: the NAS is told nothing
	Window   int                   // requests under way at once
	Takes    time.Duration         // at that rate; a router that is slow to answer takes longer
}

// Plan is what the keeper would do, by router. It tells no router anything and
// changes no session.
type Plan struct {
	keeper *Keeper
	speak  map[string]*dict.Profile
	lanes  map[Place]*lane
	NAS    map[Place]*PlannedNAS
}

// Plan begins an empty one. speak are the profiles, by name of the NAS, if
// others than those that are loaded were to say it; nil: those that are.
func (k *Keeper) Plan(speak map[string]*dict.Profile) *Plan {
	return &Plan{keeper: k, speak: speak, lanes: map[Place]*lane{}, NAS: map[Place]*PlannedNAS{}}
}

// lane is a router as it would be told.
func (p *Plan) lane(at Place) *lane {
	l := p.lanes[at]
	if l == nil {
		would := *p.keeper.lane(at)
		if l = &would; p.speak != nil && !l.removed {
			l.Profile = p.speak[at.NAS]
		}
		p.lanes[at] = l
	}
	return l
}

// Add looks at sessions, each with the action in Wanted that it is to have. It
// takes the keeper's goroutine for its time: some hundred at once are right.
func (p *Plan) Add(sessions []session.Session) {
	p.keeper.do(func() {
		for i := range sessions {
			p.add(&sessions[i])
		}
	})
}

func (p *Plan) add(s *session.Session) {
	l := p.lane(placeOf(s.ID))
	n := p.NAS[l.place]
	if n == nil {
		n = &PlannedNAS{Changes: map[PlannedChange]int{}}
		p.NAS[l.place] = n
	}
	n.Sessions++
	if change, ok := l.planned(s); ok {
		n.Changes[change]++
	}
	n.pace(l, p.keeper.rules)
}

// planned is what would become of a session; false for nothing new.
func (l *lane) planned(s *session.Session) (PlannedChange, bool) {
	target, held := l.target(s)
	c := PlannedChange{From: s.Applied, To: target}
	outdated := l.Profile != nil && l.Profile.Outdated(s.Applied, s.Words)
	if s.Exempt != "" || target == "" || target == s.Applied && !outdated {
		c.To, c.Why = s.Wanted, s.Exempt
		if held != "" && s.Exempt == "" {
			c.Why = held
		}
		return c, c.Why != "" && s.Wanted != s.Applied
	}
	request, err := l.compose(s, target)
	switch {
	case err != nil:
		c.Why = err.Error()
	case request.Kind == Change:
		c.Means = dict.ByCoA
		if target == s.Applied {
			c.Why = l.news(s)
		}
	case target == s.Applied:
		c.Why = l.news(s) + "; nobody's session is ended for that"
	default:
		c.Means = dict.ByDisconnect
	}
	return c, true
}

// pace works out how the changes would be told.
func (n *PlannedNAS) pace(l *lane, rules Rules) {
	requests := 0
	for c, sessions := range n.Changes {
		if c.Means != dict.ByNothing {
			requests += sessions
		}
	}
	n.Campaign, n.Canary = requests > rules.Threshold, 0
	if n.Campaign {
		n.Canary = rules.Canary
	}
	if l.CoA != nil {
		n.Rate, n.Window = l.CoA.Rate, l.CoA.Window
		n.Takes = time.Duration(float64(requests) / n.Rate * float64(time.Second)).Round(time.Second)
	}
}
