package daemon

import (
	"encoding/json"
	"net/http"
	"net/netip"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/engine"
	"sekisho/engine/policyfile"
	"sekisho/radius"
)

// Decide answers for given facts. What they do not say of the contract and the
// overrides is the store's.
func (d *Daemon) Decide(q admin.DecideQuestion) (admin.Decided, error) {
	c := d.config.Load()
	facts, at, err := policyfile.ReadFacts(c.Policy, q.Facts, d.options.Clock())
	if err != nil {
		return admin.Decided{}, &admin.Problem{Status: http.StatusBadRequest, Detail: "body: " + err.Error()}
	}
	if err := stagesKnown(engine.View{Policy: c.Policy, Stages: facts.Stages}); err != nil {
		return admin.Decided{}, err
	}
	if err := d.lookUp(&facts, q.Facts); err != nil {
		return admin.Decided{}, err
	}
	nas, err := nasOf(c, &facts, q.NAS)
	if err != nil {
		return admin.Decided{}, err
	}
	decision := engine.Decide(c.Policy, &facts, at)
	answer := admin.Decided{Action: decision.Action, Rule: decision.Rule, Account: facts.Login.Account}
	if !decision.Until.IsZero() {
		until := decision.Until.UTC()
		answer.Until = &until
	}
	if nas != nil {
		_, answer.Attributes, _ = said(*nas, decision.Action)
	}
	return answer, nil
}

// lookUp adds what the store knows of the account and the facts do not say.
func (d *Daemon) lookUp(f *engine.Facts, text json.RawMessage) error {
	if f.Login.Account == "" {
		return nil
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(text, &given); err != nil {
		return err
	}
	var known engine.Facts
	if err := d.store.Subscriber(f.Login.Account, &known); err != nil {
		return err
	}
	if _, said := given["contract"]; !said {
		f.Contract = known.Contract
	}
	if _, said := given["overrides"]; !said {
		f.Overrides = known.Overrides
	}
	return nil
}

// nasOf finds the NAS that the facts are about, and fills in its name and area:
// by its name, there or beside the facts, else by what it calls itself in the
// request. Facts that name no NAS are about none.
func nasOf(c *config.Config, f *engine.Facts, name string) (*radius.NAS, error) {
	if f.NAS.Name != "" {
		name = f.NAS.Name
	}
	if name == "" {
		return calling(c, f), nil
	}
	found, err := named(c, name)
	if err != nil {
		if f.NAS.Name != "" { // facts may speak of routers that are not there yet
			return nil, nil
		}
		return nil, err
	}
	return settle(f, &found[0]), nil
}

func settle(f *engine.Facts, n *radius.NAS) *radius.NAS {
	f.NAS.Name = n.Name
	if f.NAS.Area == "" {
		f.NAS.Area = n.Area
	}
	return n
}

// calling finds the NAS by NAS-IP-Address, NAS-IPv6-Address or NAS-Identifier.
func calling(c *config.Config, f *engine.Facts) *radius.NAS {
	for i := range c.Radius.NAS {
		for _, a := range f.Request {
			if callsItself(&c.Radius.NAS[i], a) {
				return settle(f, &c.Radius.NAS[i])
			}
		}
	}
	return nil
}

func callsItself(n *radius.NAS, a engine.Attribute) bool {
	switch a.Name {
	case "NAS-Identifier":
		return n.Identifier != "" && n.Identifier == a.Value
	case "NAS-IP-Address", "NAS-IPv6-Address":
		addr, err := netip.ParseAddr(a.Value)
		return err == nil && (n.Address == addr || !n.Address.IsValid() && n.Identifier == "" && n.Source.Contains(addr))
	}
	return false
}
