package admin

import (
	"context"
	"time"

	"sekisho/store"
)

// OverrideFilter is an OverrideQuery as it stands in a query.
type OverrideFilter struct {
	Account    string   `query:"account" doc:"the whole of it, however it is spelled"`
	Prefix     string   `query:"prefix" doc:"accounts that begin so"`
	Kind       string   `query:"kind" enum:"grant,restrict"`
	Action     string   `query:"action"`
	Author     string   `query:"author"`
	Ticket     string   `query:"ticket"`
	State      []string `query:"state,explode" enum:"pending,active,ended,revoked"`
	EndsBefore string   `query:"ends-before" doc:"only those that have an end before it: RFC 3339, or a local date or date-time"`
}

type overrideListInput struct {
	OverrideFilter
	After string `query:"after" doc:"the next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"how many at most"`
}

func (o overrides) list(_ context.Context, in *overrideListInput) (OverridePage, error) {
	filter, err := o.filter(&in.OverrideFilter)
	if err != nil {
		return OverridePage{}, err
	}
	filter.After, filter.Limit = in.After, in.Limit
	found, next, err := o.store.Overrides(filter)
	page := OverridePage{Overrides: make([]Override, 0, len(found)), Next: next}
	for i := range found {
		page.Overrides = append(page.Overrides, o.wire(&found[i], filter.Now))
	}
	return page, err
}

// wire makes an override ready to travel, with what is said of one in vain.
func (o overrides) wire(of *store.Override, now time.Time) Override {
	w := OverrideOf(of, now)
	if state := of.State(now); state == store.Active || state == store.Pending {
		w.Void = o.advisor.Void(of)
	}
	return w
}

func (o overrides) filter(in *OverrideFilter) (store.OverrideFilter, error) {
	f := store.OverrideFilter{
		Account: in.Account, Prefix: in.Prefix, Kind: in.Kind, Action: in.Action, Author: in.Author, Ticket: in.Ticket, Now: o.advisor.Now(),
	}
	for _, state := range in.State {
		f.States = append(f.States, store.State(state))
	}
	if in.EndsBefore == "" {
		return f, nil
	}
	var err error
	f.EndsBefore, err = Instant(in.EndsBefore, f.Now.Location())
	return f, err
}
