package admin

import "time"

// Override is an override as it travels.
type Override struct {
	ID      string      `json:"id" doc:"a ULID"`
	Account string      `json:"account"`
	Kind    string      `json:"kind" enum:"grant,restrict"`
	Action  string      `json:"action"`
	Reason  string      `json:"reason"`
	Ticket  string      `json:"ticket,omitempty"`
	Author  string      `json:"author" doc:"who made it, from the connection"`
	From    *time.Time  `json:"from" doc:"it holds from then on; null: since ever"`
	Until   *time.Time  `json:"until" doc:"and no longer from then on; null: for ever"`
	Area    string      `json:"area,omitempty" doc:"only for sessions in this area"`
	NAS     string      `json:"nas,omitempty" doc:"only for sessions at this NAS"`
	Key     string      `json:"key,omitempty" doc:"the Idempotency-Key that it was made with"`
	Created time.Time   `json:"created"`
	Version int         `json:"version" doc:"one more with every change; the ETag"`
	State   string      `json:"state" enum:"pending,active,ended,revoked"`
	Void    string      `json:"void,omitempty" doc:"why it does nothing although it stands: the policy or the site file no longer has what it names" example:"the policy has no action limit"`
	Revoked *Revocation `json:"revoked,omitempty"`
	History []Revision  `json:"history,omitempty" doc:"its renewals, oldest first"`
}

// Revocation is the early end of an override or a token.
type Revocation struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
}

// Revision is a renewal: who moved the end, when and why, and where it was.
type Revision struct {
	Version int        `json:"version" doc:"that the renewal ended"`
	Until   *time.Time `json:"until" doc:"that it had"`
	At      time.Time  `json:"at"`
	Author  string     `json:"author"`
	Reason  string     `json:"reason"`
}

// NewOverride is what a caller says of an override. Times are as in Instant.
type NewOverride struct {
	Account string `json:"account" minLength:"1" doc:"an account, or a login that the policy reads to one" example:"ua700aa007g@atson.net"`
	Kind    string `json:"kind" enum:"grant,restrict" doc:"grant loosens, restrict tightens"`
	Action  string `json:"action" minLength:"1" doc:"of the policy" example:"open"`
	Reason  string `json:"reason" minLength:"1"`
	Ticket  string `json:"ticket,omitempty"`
	From    string `json:"from,omitempty" doc:"RFC 3339, or a local date or date-time; at once, if not said"`
	Until   string `json:"until,omitempty" doc:"the first instant at which it does not hold any more; for ever, if not said" example:"2007-05-18"`
	Area    string `json:"area,omitempty"`
	NAS     string `json:"nas,omitempty"`
	Force   bool   `json:"force,omitempty" doc:"also for an account without a contract"`
}

// Renewal moves the end of an override.
type Renewal struct {
	Until  string `json:"until" doc:"as in a new override; empty: for ever"`
	Reason string `json:"reason" minLength:"1"`
}

// Reason is why something ends.
type Reason struct {
	Reason string `json:"reason" minLength:"1"`
}

// Changed is what came, or would come, of a change of an override.
type Changed struct {
	Override Override `json:"override"`
	DryRun   bool     `json:"dry_run,omitempty" doc:"nothing was changed"`
	Existed  bool     `json:"existed,omitempty" doc:"the Idempotency-Key had made it before"`
	Warnings []string `json:"warnings,omitempty"`
	Effect   *Effect  `json:"effect,omitempty"`
}

// Effect is what an override changes.
type Effect struct {
	At       time.Time    `json:"at" doc:"the instant that is compared: now, or the beginning of the override if that is later"`
	Before   []Verdict    `json:"before" doc:"without the change"`
	After    []Verdict    `json:"after" doc:"with it"`
	Sessions []SessionRef `json:"sessions" doc:"live sessions of the account"`
}

// Verdict is the decision for the logins and NASes for which it is the same.
type Verdict struct {
	Forms  []string   `json:"forms,omitempty" doc:"forms of login"`
	NAS    []string   `json:"nas"`
	Action string     `json:"action"`
	Rule   string     `json:"rule"`
	Until  *time.Time `json:"until"`
}

// SessionRef names a live session and says what the change means for it.
type SessionRef struct {
	NAS     string    `json:"nas"`
	Box     string    `json:"box,omitempty" doc:"which of several routers behind the NAS entry"`
	Session string    `json:"session" doc:"its Acct-Session-Id"`
	User    string    `json:"user"`
	Started time.Time `json:"started"`
	Applied string    `json:"applied" doc:"the action that the router was last told; empty: not known"`
	Before  string    `json:"before" doc:"the action that the engine says for it without the change"`
	After   string    `json:"after" doc:"the action that the engine says for it with the change: what is wanted once its router is told"`
}

// OverridePage is some overrides. Next, unless empty, is the after of the next
// page.
type OverridePage struct {
	Overrides []Override `json:"overrides"`
	Next      string     `json:"next,omitempty"`
}

// OverrideQuery says which overrides are meant; what is empty means any.
type OverrideQuery struct {
	Account    string
	Prefix     string // of the account
	Kind       string
	Action     string
	Author     string
	Ticket     string
	States     []string // pending, active, ended, revoked
	EndsBefore string   // see Instant
}
