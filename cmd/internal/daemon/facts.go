package daemon

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"sekisho/cmd/internal/admin"
	"sekisho/engine"
)

// factsOf lists what a decision rests on, each fact with where it is known
// from.
func factsOf(p *engine.Policy, q admin.Question, f engine.Facts, course string) []admin.Fact {
	all := loginFacts(p, q.User, f.Login)
	all = append(all, contractFacts(f.Contract, course)...)
	for _, name := range slices.Sorted(maps.Keys(q.Request)) {
		all = append(all, admin.Fact{Name: "request " + name, Value: q.Request[name], From: admin.FromQuestion})
	}
	for _, stage := range q.Stages {
		all = append(all, admin.Fact{Name: "stage", Value: stage, From: admin.FromQuestion})
	}
	return all
}

func loginFacts(p *engine.Policy, user string, l engine.Login) []admin.Fact {
	match, ok := p.LoginPattern(user)
	if !ok {
		return []admin.Fact{{Name: "account", From: "no " + admin.FromLogin + " reads it"}}
	}
	from := admin.FromLogin + " " + match
	return []admin.Fact{{Name: "account", Value: l.Account, From: from}, {Name: "realm", Value: l.Realm, From: from}, {Name: "form", Value: l.Form, From: from}}
}

func contractFacts(c *engine.Contract, course string) []admin.Fact {
	if c == nil {
		return []admin.Fact{{Name: "contract", Value: "unknown", From: admin.FromStore}}
	}
	all := []admin.Fact{{Name: "course", Value: c.Course, From: admin.FromStore}}
	if course != "" {
		all = append(all, admin.Fact{Name: "course id", Value: course, From: admin.FromPolicy})
	}
	address := admin.Fact{Name: "address", Value: cmp.Or(c.Address, engine.Dynamic), From: admin.FromStore}
	if c.Address == "" {
		address.From = admin.FromNowhere
	}
	all = append(all, address)
	for _, f := range []admin.Fact{{Name: "option", Value: strings.Join(c.Options, " ")}, {Name: "segment", Value: c.Segment}, {Name: "status", Value: c.Status}} {
		if f.Value != "" {
			f.From = admin.FromStore
			all = append(all, f)
		}
	}
	return all
}
