package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/engine"
	"sekisho/radius/coa"
	"sekisho/radius/session"
	"sekisho/store"
)

// Probe tells one live session of a NAS every action of the policy, and at last
// what is wanted for it, also when the context ends.
func (d *Daemon) Probe(ctx context.Context, nas string, q admin.ProbeQuestion, tell func(admin.ProbeLine) error) (admin.ProbeEnd, error) {
	s, err := d.toProbe(nas, q)
	if err != nil {
		return admin.ProbeEnd{}, err
	}
	p := &probing{Daemon: d, ctx: ctx, session: s, hold: seconds(q.Hold), timeout: cmp.Or(seconds(q.Timeout), probeTimeout), say: tell}
	if q.DryRun {
		return p.rehearse()
	}
	if p.probe, err = d.keeper.Probe(s.ID, p.timeout); err != nil {
		return admin.ProbeEnd{}, unfit(err)
	}
	if err := p.record(admin.CallerFrom(ctx), q.Reason); err != nil {
		p.probe.End(func(coa.Reply) {})
		return admin.ProbeEnd{}, err
	}
	return p.run()
}

// probeTimeout is how long a probe waits for each answer: a router that answers
// at all does within a second, and somebody sits and waits.
const probeTimeout = 5 * time.Second

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// unfit says why a session cannot be probed.
func unfit(err error) error {
	status := http.StatusConflict
	if errors.Is(err, coa.ErrNoSession) {
		status = http.StatusNotFound
	}
	return &admin.Problem{Status: status, Detail: err.Error()}
}

// toProbe finds the session that is meant. One that was not named is never
// taken: its filter is going to change.
func (d *Daemon) toProbe(nas string, q admin.ProbeQuestion) (session.Session, error) {
	c := d.config.Load()
	if _, err := named(c, nas); err != nil {
		return session.Session{}, err
	}
	if (q.Session == "") == (q.User == "") {
		return session.Session{}, &admin.Problem{Status: http.StatusBadRequest, Detail: "say which session is to be tried, by session or by user: its filter changes meanwhile"}
	}
	if q.Session != "" {
		id := session.ID{NAS: nas, Box: q.Box, AcctSession: q.Session}
		s, ok := d.live.Get(id)
		if !ok {
			return s, d.NoSession(id)
		}
		return s, nil
	}
	account := engine.Fold(q.User)
	if login := c.Policy.ReadLogin(q.User); login.Account != "" {
		account = login.Account
	}
	return d.onlySession(nas, account)
}

// onlySession is the one live session of an account at a NAS.
func (d *Daemon) onlySession(nas, account string) (session.Session, error) {
	var found []session.Session
	var names []string
	for _, id := range d.live.Account(account) {
		if s, ok := d.live.Get(id); ok && id.NAS == nas {
			found = append(found, s)
			names = append(names, id.AcctSession)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return session.Session{}, &admin.Problem{Status: http.StatusNotFound, Detail: fmt.Sprintf("account %s has no live session at %s", account, nas)}
	}
	return session.Session{}, &admin.Problem{
		Status: http.StatusConflict,
		Detail: fmt.Sprintf("account %s has %d live sessions at %s; say which: %s", account, len(found), nas, strings.Join(names, ", ")),
	}
}

// probing is one probe while it runs.
type probing struct {
	*Daemon
	ctx     context.Context
	session session.Session
	hold    time.Duration
	timeout time.Duration
	say     func(admin.ProbeLine) error
	probe   *coa.Probe
	replied bool // something has answered
}

// record writes into the audit who tries what on whose session, before the
// first packet.
func (p *probing) record(caller admin.Caller, why string) error {
	after, err := json.Marshal(map[string]any{"session": p.session.AcctSession, "user": p.session.UserName, "actions": p.actions()})
	if err != nil {
		return err
	}
	return p.store.Record(store.Entry{By: store.By{Who: caller.Who, From: caller.From, Why: why}, Op: "nas.probe", Subject: p.session.NAS, After: after})
}

// actions are those of the policy, from the loosest to the tightest.
func (p *probing) actions() (names []string) {
	for _, a := range p.config.Load().Policy.Actions {
		names = append(names, a.Name)
	}
	return names
}

// run goes through the actions. A router that has not answered to the first is
// asked only once more, in the end.
func (p *probing) run() (end admin.ProbeEnd, err error) {
	end.OK = true
	if err = p.introduce(); err == nil {
		for _, action := range p.actions() {
			step := p.step(action)
			end.OK = end.OK && (step.OK || step.Skipped != "")
			err = p.say(admin.ProbeLine{Step: &step})
			if err != nil || p.ctx.Err() != nil || !step.OK && step.Skipped == "" && !p.replied {
				break
			}
		}
	}
	last := p.restore()
	end.Restored, end.Silent = last.OK, last.Silent && !p.replied
	end.OK = end.OK && last.OK && p.ctx.Err() == nil
	if err == nil {
		err = p.say(admin.ProbeLine{Step: &last})
	}
	return end, err
}

// introduce tells which session it is.
func (p *probing) introduce() error {
	to, _, err := p.keeper.Words(p.session.ID, p.wanted())
	if err != nil {
		return err
	}
	return p.say(admin.ProbeLine{Session: &admin.ProbeSession{
		NAS: p.session.NAS, To: to, Profile: p.profileOf(p.session.NAS), Session: p.session.AcctSession, User: p.session.UserName,
		Applied: p.session.Applied, Wanted: p.wanted(),
	}})
}

func (p *probing) profileOf(nas string) string {
	found, err := named(p.config.Load(), nas)
	if err != nil || found[0].Profile == nil {
		return ""
	}
	return found[0].Profile.Name
}

// wanted is what the engine says for the session by now.
func (p *probing) wanted() string {
	if s, ok := p.live.Get(p.session.ID); ok {
		return s.Wanted
	}
	return p.session.Wanted
}

// step tells the session one action and stays there.
func (p *probing) step(action string) admin.ProbeStep {
	step := p.words(action)
	if step.Skipped != "" {
		return step
	}
	p.answered(&step, func(done func(coa.Reply)) { p.probe.Tell(action, done) })
	if !step.OK {
		return step
	}
	select {
	case <-p.after(p.hold):
	case <-p.ctx.Done():
	}
	s, _ := p.live.Get(p.session.ID)
	step.Seen = s.Applied == action && s.Proof == session.Seen
	return step
}

// restore tells the session what is wanted.
func (p *probing) restore() admin.ProbeStep {
	step := p.words(p.wanted())
	step.Restore = true
	p.answered(&step, p.probe.End)
	if !step.OK && !step.Silent {
		p.options.Log.Error("a probed session was not told again what is wanted; it drifts",
			"nas", p.session.NAS, "session", p.session.AcctSession, "wanted", step.Action, "answer", step.Answer)
	}
	return step
}

// rehearse tells what would be sent.
func (p *probing) rehearse() (end admin.ProbeEnd, err error) {
	if err := p.introduce(); err != nil {
		return end, unfit(err)
	}
	for _, action := range p.actions() {
		step := p.words(action)
		if err := p.say(admin.ProbeLine{Step: &step}); err != nil {
			return end, err
		}
	}
	last := p.words(p.wanted())
	last.Restore = true
	return admin.ProbeEnd{OK: true, Restored: true}, p.say(admin.ProbeLine{Step: &last})
}

// words is a step that has not been taken yet.
func (p *probing) words(action string) admin.ProbeStep {
	step := admin.ProbeStep{Action: action}
	var err error
	if _, step.Attributes, err = p.keeper.Words(p.session.ID, action); err != nil {
		step.Skipped = err.Error()
	}
	return step
}

// answered takes a step and writes down what the router said. The request may
// have to wait for others to the router; that, too, has its time.
func (p *probing) answered(step *admin.ProbeStep, take func(done func(coa.Reply))) {
	_ = p.say(admin.ProbeLine{Trying: &admin.ProbeTry{Action: step.Action, Timeout: p.timeout.Seconds()}}) // who went away misses nothing
	replies := make(chan coa.Reply, 1)
	take(func(r coa.Reply) { replies <- r })
	bound := p.timeout + probeTimeout
	late := time.NewTimer(bound)
	defer late.Stop()
	var r coa.Reply
	select {
	case r = <-replies:
		step.Silent = r.Code == 0 && (r.Outcome == coa.Later && r.Err == nil || r.Outcome == coa.Unreachable)
		p.replied = p.replied || r.Code != 0
	case <-late.C:
		r = coa.Reply{Outcome: coa.Later, Err: fmt.Errorf("nothing came of it within %s: it waits behind what the router has not answered, or for the disk", bound)}
	case <-p.keeper.Done():
		r = coa.Reply{Outcome: coa.Later, Err: errors.New("the daemon is ending")}
	}
	step.OK, step.Answer, step.Seconds = r.Outcome == coa.Done, r.String(), r.Took.Seconds()
}
