package admin

import (
	"time"

	"sekisho/store"
)

// OverrideOf makes an override ready to travel, as it is at an instant.
func OverrideOf(o *store.Override, now time.Time) Override {
	w := Override{
		ID: o.ID, Account: o.Account, Kind: o.Kind, Action: o.Action, Reason: o.Reason, Ticket: o.Ticket, Author: o.Author,
		From: instantOf(o.From), Until: instantOf(o.Until), Area: o.Area, NAS: o.NAS, Key: o.Key, Created: o.Created,
		Version: o.Version, State: string(o.State(now)), Revoked: revocationOf(o.Revoked),
	}
	for _, r := range o.History {
		w.History = append(w.History, Revision{Version: r.Version, Until: instantOf(r.Until), At: r.At, Author: r.Author, Reason: r.Reason})
	}
	return w
}

func revocationOf(r *store.Revocation) *Revocation {
	if r == nil {
		return nil
	}
	return &Revocation{At: r.At, By: r.By, Reason: r.Reason}
}

// instantOf is nil for a time that is none.
func instantOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
