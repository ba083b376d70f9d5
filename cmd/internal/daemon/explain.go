package daemon

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/engine"
	"sekisho/engine/policyfile"
	"sekisho/engine/yamldoc"
	"sekisho/radius"
	"sekisho/store"
)

// Explain answers what is decided for a login and why. The decision and its
// trace are the engine's own.
func (d *Daemon) Explain(q admin.Question) (admin.Explanation, error) {
	c := d.config.Load()
	at := d.options.Clock()
	if q.At != "" {
		var err error
		if at, err = admin.Instant(q.At, c.Policy.Location); err != nil {
			return admin.Explanation{}, err
		}
	}
	if err := stagesKnown(engine.View{Policy: c.Policy, Stages: q.Stages}); err != nil {
		return admin.Explanation{}, err
	}
	facts, err := d.facts(c, q, at)
	if err != nil {
		return admin.Explanation{}, err
	}
	nases, err := d.asked(c, q.NAS, facts.Login.Account)
	if err != nil {
		return admin.Explanation{}, err
	}
	e := admin.Explanation{
		User:    q.User,
		Policy:  c.Policy.Name,
		At:      at.In(c.Policy.Location),
		Account: facts.Login.Account,
		Realm:   facts.Login.Realm,
		Form:    facts.Login.Form,
	}
	if facts.Contract != nil {
		contract := admin.Contract(*facts.Contract)
		e.Contract = &contract
		if course, ok := c.Policy.Course(facts.Contract.Course); ok {
			e.Course = course.ID
		}
	}
	if err := d.guess(c.Policy, &e); err != nil {
		return admin.Explanation{}, err
	}
	e.Facts = factsOf(c.Policy, q, facts, e.Course)
	for _, n := range nases {
		e.Answers = merge(e.Answers, answer(c.Policy, facts, n, at))
	}
	return e, nil
}

// guess says what somebody may have meant who asks for an account instead of a
// login, or for one without a contract.
func (d *Daemon) guess(p *engine.Policy, e *admin.Explanation) (err error) {
	if e.Contract != nil {
		return nil
	}
	account := e.Account
	if account == "" {
		account = e.User
		if e.Logins, err = d.loginsOf(p, account); err != nil || len(e.Logins) > 0 {
			return err
		}
	}
	e.Near, err = d.near(account)
	return err
}

// facts collects what the decision rests on, all but the NAS.
func (d *Daemon) facts(c *config.Config, q admin.Question, at time.Time) (engine.Facts, error) {
	f := engine.Facts{Login: c.Policy.ReadLogin(q.User), Stages: q.Stages}
	for name, value := range q.Request {
		name, value = policyfile.Spelt(name, value)
		f.Request = append(f.Request, engine.Attribute{Name: name, Value: value})
	}
	if f.Login.Account == "" {
		return f, nil
	}
	err := d.store.Subscriber(f.Login.Account, &f)
	if err == nil && q.At != "" && at.Before(d.options.Clock()) {
		f.Overrides, err = d.overridesThen(f.Login.Account)
	}
	return f, err
}

// overridesThen are all overrides that there ever were on an account, for
// questions about the past: one that was revoked held until then. Of a renewed
// one only the last end is asked.
func (d *Daemon) overridesThen(account string) ([]engine.Override, error) {
	var all []engine.Override
	for o, err := range d.store.AllOverrides(store.OverrideFilter{Account: account}) {
		if err != nil {
			return nil, err
		}
		if o.From.Before(o.Created) {
			o.From = o.Created
		}
		if o.Revoked != nil && (o.Until.IsZero() || o.Revoked.At.Before(o.Until)) {
			o.Until = o.Revoked.At
		}
		if o.Until.IsZero() || o.From.Before(o.Until) {
			all = append(all, factOf(&o))
		}
	}
	return all, nil
}

// asked are the NASes that the question is about: the one that it names, those
// of the account's live sessions, or all.
func (d *Daemon) asked(c *config.Config, name, account string) ([]radius.NAS, error) {
	if name != "" {
		return named(c, name)
	}
	if live := d.liveAt(c, account); len(live) > 0 {
		return live, nil
	}
	return c.Radius.NAS, nil
}

// named finds a NAS by its name.
func named(c *config.Config, name string) ([]radius.NAS, error) {
	for _, n := range c.Radius.NAS {
		if n.Name == name {
			return []radius.NAS{n}, nil
		}
	}
	var known []string
	for _, n := range c.Radius.NAS {
		known = append(known, n.Name)
	}
	return nil, &admin.Problem{
		Status: http.StatusNotFound,
		Detail: fmt.Sprintf("%s has no NAS %q; %s", c.File, name, yamldoc.Suggest(name, known)),
	}
}

// liveAt are the NASes where an account has live sessions now.
func (d *Daemon) liveAt(c *config.Config, account string) []radius.NAS {
	at := map[string]bool{}
	if account != "" {
		for _, id := range d.live.Account(account) {
			at[id.NAS] = true
		}
	}
	var nases []radius.NAS
	for _, n := range c.Radius.NAS {
		if at[n.Name] {
			nases = append(nases, n)
		}
	}
	return nases
}

func answer(p *engine.Policy, f engine.Facts, n radius.NAS, at time.Time) admin.Answer {
	f.NAS = engine.NAS{Name: n.Name, Area: n.Area}
	decision := engine.Explain(p, &f, at)
	a := admin.Answer{
		NAS:    []string{n.Name},
		Area:   n.Area,
		Facts:  []admin.Fact{{Name: "area", Value: n.Area, From: admin.FromSite}},
		Action: decision.Action,
		Rule:   decision.Rule,
	}
	for _, step := range decision.Trace {
		a.Trace = append(a.Trace, stepOf(step))
	}
	if !decision.Until.IsZero() {
		until := decision.Until.In(p.Location)
		next := engine.Decide(p, &f, until)
		a.Until, a.Next = &until, &admin.Outcome{Action: next.Action, Rule: next.Rule}
	}
	if rule, ok := p.Rule(decision.Rule); ok {
		a.Because = admin.Text(rule.Because)
		a.Remedies = remedies(p, rule)
	}
	a.Profile, a.Attributes, a.Note = said(n, decision.Action)
	return a
}

func stepOf(s engine.Step) admin.Step {
	return admin.Step{
		Rule: s.Rule, ID: s.ID, Outcome: string(s.Outcome), Action: s.Action, Reason: s.Reason, Key: s.Key, Want: s.Want, Got: s.Got,
	}
}

func remedies(p *engine.Policy, rule engine.Rule) []admin.Text {
	var texts []admin.Text
	for _, r := range p.Remedies {
		if slices.Contains(rule.Remedies, r.Name) {
			texts = append(texts, admin.Text(r.Text))
		}
	}
	return texts
}

// said is what this NAS is sent for an action.
func said(n radius.NAS, action string) (profile string, attributes []string, note string) {
	if n.Profile == nil {
		return "", []string{}, "the NAS has no profile: nothing is injected"
	}
	saying, _ := n.Profile.Login(action)
	if len(saying.Text) == 0 {
		note = "this action needs no attribute"
	}
	return n.Profile.Name, append([]string{}, saying.Text...), note
}

// merge joins an answer to one that says the same: the same action by the same
// rule until the same time, in the same attributes. Of the trace the first
// one's is shown.
func merge(answers []admin.Answer, a admin.Answer) []admin.Answer {
	for i := range answers {
		if b := &answers[i]; same(*b, a) {
			b.NAS = append(b.NAS, a.NAS...)
			b.Area = joined(b.Area, a.Area)
			b.Facts = []admin.Fact{{Name: "area", Value: b.Area, From: admin.FromSite}}
			return answers
		}
	}
	return append(answers, a)
}

func same(a, b admin.Answer) bool {
	untilSame := a.Until == nil && b.Until == nil || a.Until != nil && b.Until != nil && a.Until.Equal(*b.Until)
	return a.Action == b.Action && a.Rule == b.Rule && untilSame && a.Profile == b.Profile && (a.Area == "") == (b.Area == "") &&
		slices.Equal(a.Attributes, b.Attributes)
}

// joined lists areas, each once.
func joined(areas, another string) string {
	if another == "" || slices.Contains(strings.Split(areas, ", "), another) {
		return areas
	}
	if areas == "" {
		return another
	}
	return areas + ", " + another
}
