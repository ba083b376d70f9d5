// Package session knows which sessions are live on which NAS, what each was
// told, and what the engine wants for it. It learns them from Accepts and
// accounting (radius.Sessions), holds them in memory, and writes them behind
// into a store, together with who had which address when.
//
// It decides nothing and tells no router anything: package coa does.
package session

import (
	"net/netip"
	"time"

	"sekisho/engine"
	"sekisho/radius"
)

// ID names a session. It is comparable, and to be treated as one thing.
type ID struct {
	NAS         string // by its name in the configuration
	Box         string // what tells apart several routers under this name; mostly empty
	AcctSession string // Acct-Session-Id, octet for octet
}

// Proof is how sure it is that the router does what it was told.
type Proof uint8

// From nothing to certainty.
const (
	NotTold      Proof = iota // it is not known what the router does
	Sent                      // an Accept or a CoA said so
	Acknowledged              // a CoA-ACK came
	Seen                      // the router's own accounting says so
)

var proofs = [...]string{NotTold: "not told", Sent: "sent", Acknowledged: "acknowledged", Seen: "seen"}

func (p Proof) String() string { return proofs[p] }

// Attribute is an attribute as the NAS sent it.
type Attribute = radius.Attribute

// Session is one live session. It is a copy: changing it changes nothing.
type Session struct {
	ID
	Serial   uint64 // tells it from another session of the same ID, before or after it; 0: not known
	Area     string
	Account  string // folded; empty when the policy reads no account in Name
	UserName string // by which the NAS knows the session; an Accept's replaces the request's
	Name     string // the User-Name that the policy reads: mostly the same
	Realm    string
	Form     string

	Started time.Time // by our clock; of a session whose Start was lost, as good as it can be told
	Updated time.Time // the last sign of life

	Address     netip.Addr // IPv4; invalid: none is known
	Address6    netip.Addr // Framed-IPv6-Address
	Prefix      netip.Prefix
	Delegated   netip.Prefix
	InterfaceID uint64 // Framed-Interface-Id; 0: none

	// Identity are the attributes by which a CoA may name the session, octet
	// for octet as the NAS sent them: Acct-Session-Id, Acct-Multi-Session-Id,
	// NAS-Port, NAS-Port-Id, Calling- and Called-Station-Id, NAS-IP-Address,
	// NAS-IPv6-Address, NAS-Identifier, CUI. User-Name and addresses have
	// fields of their own.
	Identity []Attribute
	Request  []engine.Attribute // what the policy's rules ask about

	Applied   string // the action that the router was told last; empty: not known
	Proof     Proof
	AppliedAt time.Time
	Words     string // in which Applied was said; see dict.Saying. Empty: not known
	Outdated  bool   // the profile has other words for Applied by now

	Telling string // the action that the router is being told now, and has not answered; empty: none

	Wanted   string // the action that the engine says; empty: it has not been asked
	Rule     string
	Override string    // the override that won, by its ID
	Course   string    // of the contract when it was last looked at
	Until    time.Time // when the engine wants to be asked again; zero: never

	Exempt string // why this session is told nothing, such as no-profile; empty: it is
	Why    string // why there is drift; empty: there is none, or its turn has not come
}

// Why a session drifts of which nothing else is known yet: nobody has tried to
// tell its router, or the router has not answered.
const (
	AwaitsTurn   = "waiting for its turn"
	AwaitsAnswer = "told, and not answered yet"
	NotKnown     = "it is not known what the router was told"
)

// Drift reports whether the router does something else than the engine wants,
// nobody knows what it does, or it was told in words that are out of date.
func (s *Session) Drift() bool {
	return s.Exempt == "" && s.Wanted != "" && (s.Applied != s.Wanted || s.Outdated)
}

// Facts are what a decision about the session rests on, all but the contract
// and the overrides of its account.
func (s *Session) Facts() engine.Facts {
	return engine.Facts{
		Login:   engine.Login{Account: s.Account, Realm: s.Realm, Form: s.Form},
		NAS:     engine.NAS{Name: s.NAS, Area: s.Area},
		Request: s.Request,
	}
}
