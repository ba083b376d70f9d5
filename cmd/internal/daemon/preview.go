package daemon

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/session"
	"sekisho/store"
)

// Preview decides for the account, in every form of login and at every NAS,
// with an override as it was before and as it comes to be; nil is none.
func (d *Daemon) Preview(before, after *store.Override) (*admin.Effect, []string, error) {
	c, o := d.config.Load(), after
	if o == nil {
		o = before
	}
	var facts engine.Facts
	if err := d.store.Subscriber(o.Account, &facts); err != nil {
		return nil, nil, err
	}
	v := preview{config: c, override: o, at: d.options.Clock(), contract: facts.Contract}
	if after != nil && after.From.After(v.at) {
		v.at = after.From
	}
	for _, other := range facts.Overrides {
		if other.ID != o.ID {
			v.others = append(v.others, other)
		}
	}
	effect := &admin.Effect{
		At: v.at.In(c.Policy.Location), Before: v.verdicts(before), After: v.verdicts(after), Sessions: v.sessions(d.live.Table, before, after),
	}
	var warnings []string
	if after != nil {
		warnings = v.warnings()
	}
	return effect, warnings, nil
}

// preview is the account that an override is on, at an instant.
type preview struct {
	config   *config.Config
	override *store.Override
	at       time.Time
	contract *engine.Contract
	others   []engine.Override // on the account
}

// sessions are the live ones of the account, each with what is wanted for it
// without the change and with it.
func (v *preview) sessions(live *session.Table, before, after *store.Override) []admin.SessionRef {
	refs := []admin.SessionRef{}
	zone := v.config.Policy.Location
	for _, id := range live.Account(engine.Fold(v.override.Account)) {
		if s, ok := live.Get(id); ok {
			refs = append(refs, admin.SessionRef{
				NAS: s.NAS, Box: s.Box, Session: s.AcctSession, User: s.UserName, Started: s.Started.In(zone), Applied: s.Applied,
				Before: v.wanted(&s, before), After: v.wanted(&s, after),
			})
		}
	}
	return refs
}

// wanted is what the engine says for a live session, as decider does.
func (v *preview) wanted(s *session.Session, o *store.Override) string {
	facts := s.Facts()
	facts.Contract, facts.Overrides = v.contract, v.with(o)
	return engine.Decide(v.config.Policy, &facts, v.at).Action
}

// with is the other overrides and this one, if it is one.
func (v *preview) with(o *store.Override) []engine.Override {
	if o == nil {
		return v.others
	}
	return append(slices.Clip(v.others), factOf(o))
}

// verdicts are the decisions with the other overrides and this one.
func (v *preview) verdicts(o *store.Override) []admin.Verdict {
	overrides := v.with(o)
	verdicts := []admin.Verdict{}
	for login := range v.logins {
		var ofForm []admin.Verdict
		for _, n := range v.config.Radius.NAS {
			ofForm = joinNAS(ofForm, v.verdict(login, n, overrides))
		}
		for _, one := range ofForm {
			verdicts = joinForm(verdicts, one)
		}
	}
	return verdicts
}

func factOf(o *store.Override) engine.Override {
	return engine.Override{ID: o.ID, Action: o.Action, From: o.From, Until: o.Until, Reason: o.Reason, Area: o.Area, NAS: o.NAS}
}

// logins are the account's logins, one of each form that the policy reads.
func (v *preview) logins(yield func(engine.Login) bool) {
	for _, login := range loginsOf(v.config.Policy, v.override.Account) {
		if !yield(login) {
			return
		}
	}
}

// loginsOf makes the names with which an account may log in, one of each form
// that the policy reads, and what it reads in them.
func loginsOf(p *engine.Policy, account string) iter.Seq2[string, engine.Login] {
	return func(yield func(string, engine.Login) bool) {
		seen := map[string]bool{}
		for _, l := range p.Logins {
			name := strings.NewReplacer("{account}", account, "{realm}", "example").Replace(l.Match)
			login := p.ReadLogin(name)
			if login.Account != engine.Fold(account) || seen[login.Form] {
				continue
			}
			seen[login.Form] = true
			if !yield(name, login) {
				return
			}
		}
	}
}

// loginsOf are the names with which an account that has a contract may log in.
func (d *Daemon) loginsOf(p *engine.Policy, account string) (names []string, err error) {
	contract, found, err := d.store.Contract(account)
	if err != nil || !found {
		return nil, err
	}
	for name := range loginsOf(p, contract.Account) {
		names = append(names, name)
	}
	return names, nil
}

func (v *preview) decide(login engine.Login, n radius.NAS, overrides []engine.Override) engine.Decision {
	return engine.Decide(v.config.Policy, &engine.Facts{
		Login: login, Contract: v.contract, NAS: engine.NAS{Name: n.Name, Area: n.Area}, Overrides: overrides,
	}, v.at)
}

func (v *preview) verdict(login engine.Login, n radius.NAS, overrides []engine.Override) admin.Verdict {
	d := v.decide(login, n, overrides)
	verdict := admin.Verdict{Forms: []string{login.Form}, NAS: []string{n.Name}, Action: d.Action, Rule: d.Rule}
	if !d.Until.IsZero() {
		until := d.Until.In(v.config.Policy.Location)
		verdict.Until = &until
	}
	return verdict
}

// joinNAS joins a verdict to one of the same form that is the same at another
// NAS.
func joinNAS(all []admin.Verdict, v admin.Verdict) []admin.Verdict {
	for i := range all {
		if sameVerdict(all[i], v) {
			all[i].NAS = append(all[i].NAS, v.NAS...)
			return all
		}
	}
	return append(all, v)
}

// joinForm joins a verdict to one that is the same, at the same NASes, for
// another form.
func joinForm(all []admin.Verdict, v admin.Verdict) []admin.Verdict {
	for i := range all {
		if sameVerdict(all[i], v) && slices.Equal(all[i].NAS, v.NAS) {
			all[i].Forms = append(all[i].Forms, v.Forms...)
			return all
		}
	}
	return append(all, v)
}

func sameVerdict(a, b admin.Verdict) bool {
	untilSame := a.Until == nil && b.Until == nil || a.Until != nil && b.Until != nil && a.Until.Equal(*b.Until)
	return a.Action == b.Action && a.Rule == b.Rule && untilSame
}

// warnings says where the override does not do what whoever makes it expects.
func (v *preview) warnings() []string {
	p, o := v.config.Policy, v.override
	here, vain, besides := 0, map[string]bool{}, map[string]bool{}
	for login := range v.logins {
		for _, n := range v.config.Radius.NAS {
			if !v.concerns(n) {
				continue
			}
			here++
			if d := v.without(login, n); o.Kind == store.Grant && !p.Tighter(d.Action, o.Action) || o.Kind == store.Restrict && !p.Tighter(o.Action, d.Action) {
				vain[fmt.Sprintf("rule %s says %s already", d.Rule, d.Action)] = true
			}
			if why := v.beside(login, n); why != "" {
				besides[why] = true
			}
		}
	}
	return v.words(here, vain, besides)
}

// beside tells what the other overrides and this one do to each other: the
// tightest wins, also among grants.
func (v *preview) beside(login engine.Login, n radius.NAS) string {
	p, o := v.config.Policy, v.override
	before, after := v.decide(login, n, v.others), v.decide(login, n, append(slices.Clip(v.others), factOf(o)))
	switch {
	case after.Rule != engine.ByOverride:
		return fmt.Sprintf("the policy has no action %q any more: it does nothing", o.Action)
	case after.Action != o.Action:
		return fmt.Sprintf("an override says %s, which is tighter and wins", after.Action)
	case o.Kind == store.Grant && before.Rule == engine.ByOverride && p.Tighter(o.Action, before.Action):
		return fmt.Sprintf("an override says %s, and this is tighter and wins: it loosens nothing", before.Action)
	}
	return ""
}

// without is what a grant loosens or a restriction tightens. A grant may outlast
// those that loosen as well; a restriction ends what they give.
func (v *preview) without(login engine.Login, n radius.NAS) engine.Decision {
	if v.override.Kind == store.Grant {
		return v.decide(login, n, nil)
	}
	return v.decide(login, n, v.others)
}

func (v *preview) concerns(n radius.NAS) bool {
	o := v.override
	return (o.NAS == "" || engine.Fold(o.NAS) == engine.Fold(n.Name)) && (o.Area == "" || engine.Fold(o.Area) == engine.Fold(n.Area))
}

func (v *preview) words(here int, vain, besides map[string]bool) []string {
	var words []string
	if here == 0 {
		words = append(words, "no login at a NAS of the site file is concerned")
	}
	looser := map[string]string{store.Grant: "looser", store.Restrict: "tighter"}[v.override.Kind]
	for _, why := range sortedKeys(vain) {
		words = append(words, fmt.Sprintf("%s is not %s than what holds without it: %s", v.override.Action, looser, why))
	}
	return append(words, sortedKeys(besides)...)
}

func sortedKeys(set map[string]bool) []string {
	var keys []string
	for k := range set {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
