package config

import (
	"sekisho/dict"
	"sekisho/engine"
)

// Actions are a policy's actions as profiles need them, loosest first; none of
// no policy.
func Actions(p *engine.Policy) []dict.Action {
	if p == nil {
		return nil
	}
	actions := make([]dict.Action, 0, len(p.Actions))
	for _, a := range p.Actions {
		actions = append(actions, dict.Action{Name: a.Name, Filter: a.Filter, Pool: a.Pool, Allow: allowed(p, a)})
	}
	return actions
}

func allowed(p *engine.Policy, a engine.Action) []dict.Host {
	var hosts []dict.Host
	for _, name := range a.Allow {
		for _, h := range p.Hosts {
			if h.Name == name {
				hosts = append(hosts, dict.Host(h))
			}
		}
	}
	return hosts
}
