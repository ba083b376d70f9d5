package daemon

import (
	"context"
	"net/http"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/engine"
	"sekisho/engine/policyfile"
	"sekisho/store"
)

// Calendar tells what the policy changes on which date.
func (d *Daemon) Calendar() (admin.Calendar, error) { return admin.CalendarOf(d.config.Load().Policy) }

// progressEvery is after how many contracts it is told how far an impact is.
const progressEvery = 10_000

// Impact compares two views of all contracts in the store. It reads them in
// short transactions and holds none of them; an import that ends meanwhile
// shows in what comes after.
func (d *Daemon) Impact(ctx context.Context, q admin.ImpactQuestion, emit func(admin.ImpactLine) error) error {
	c := d.config.Load()
	from, to, err := d.views(c, q)
	if err != nil {
		return err
	}
	of, err := d.store.Count()
	if err != nil {
		return err
	}
	overrides, err := d.standing(earlier(from.At, to.At))
	if err != nil {
		return err
	}
	impact, read := engine.NewImpact(from, to, nasesOf(c)), 0
	for contract, err := range d.store.AllContracts("") {
		if err != nil {
			return err
		}
		if read++; read%progressEvery == 0 {
			if err := d.progress(ctx, emit, admin.Progress{Read: read, Of: of}); err != nil {
				return err
			}
		}
		if flips := impact.Add(&contract, overrides[engine.Fold(contract.Account)]...); len(flips) > 0 && q.Accounts {
			if err := emit(admin.ImpactLine{Account: admin.AccountOf(&contract, flips)}); err != nil {
				return err
			}
		}
	}
	return emit(admin.ImpactLine{Totals: admin.TotalsOf(impact.Totals(), side(from), side(to))})
}

// standing are the overrides that hold at an instant or later, by folded
// account. There are thousands where there are millions of contracts.
func (d *Daemon) standing(at time.Time) (map[string][]engine.Override, error) {
	all := map[string][]engine.Override{}
	for o, err := range d.store.AllOverrides(store.OverrideFilter{States: []store.State{store.Pending, store.Active}, Now: at}) {
		if err != nil {
			return nil, err
		}
		account := engine.Fold(o.Account)
		all[account] = append(all[account], engine.Override{
			ID: o.ID, Action: o.Action, From: o.From, Until: o.Until, Reason: o.Reason, Area: o.Area, NAS: o.NAS,
		})
	}
	return all, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (d *Daemon) progress(ctx context.Context, emit func(admin.ImpactLine) error, p admin.Progress) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return emit(admin.ImpactLine{Progress: &p})
}

func side(v engine.View) admin.Side {
	return admin.Side{Policy: v.Policy.Name, At: v.At.In(v.Policy.Location), Stages: v.Stages}
}

func nasesOf(c *config.Config) []engine.NAS {
	var all []engine.NAS
	for _, n := range c.Radius.NAS {
		all = append(all, engine.NAS{Name: n.Name, Area: n.Area})
	}
	return all
}

// views are the two sides of a question.
func (d *Daemon) views(c *config.Config, q admin.ImpactQuestion) (from, to engine.View, err error) {
	if q.At == "" && q.Policy == nil && len(q.Stages) == 0 {
		return from, to, &admin.Problem{Status: http.StatusBadRequest, Detail: "expected a date, a policy or a stage: without one nothing changes"}
	}
	now := d.options.Clock()
	from = engine.View{Policy: c.Policy, At: now}
	to = engine.View{Policy: c.Policy, At: now, Stages: q.Stages}
	if q.Policy != nil {
		if to.Policy, err = policyOf(q.Policy); err != nil {
			return from, to, err
		}
	}
	if from.At, err = when(q.Since, from); err != nil {
		return from, to, err
	}
	if to.At, err = when(q.At, to); err != nil {
		return from, to, err
	}
	return from, to, stagesKnown(to)
}

func when(text string, v engine.View) (time.Time, error) {
	if text == "" {
		return v.At, nil
	}
	return admin.Instant(text, v.Policy.Location)
}

// policyOf compiles the policy of a question; all that is wrong with it is in
// the problem.
func policyOf(text *admin.PolicyText) (*engine.Policy, error) {
	p, problems := policyfile.Parse(text.Name, []byte(text.Text))
	if problems.Err() == nil {
		return p, nil
	}
	refused := &admin.Problem{Status: http.StatusUnprocessableEntity, Detail: "the policy has errors"}
	for _, found := range problems {
		refused.Errors = append(refused.Errors, admin.Fault{Message: found.String()})
	}
	return nil, refused
}

func stagesKnown(v engine.View) error {
	if err := policyfile.KnownStages(v.Policy, v.Stages); err != nil {
		return &admin.Problem{Status: http.StatusNotFound, Detail: err.Error()}
	}
	return nil
}
