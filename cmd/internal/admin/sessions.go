package admin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/dict"
	"sekisho/radius/session"
	"sekisho/store"
)

// Session is a live session as it travels.
type Session struct {
	NAS       string     `json:"nas"`
	Box       string     `json:"box,omitempty" doc:"which of several routers behind the NAS entry"`
	Session   string     `json:"session" doc:"its Acct-Session-Id"`
	Area      string     `json:"area,omitempty"`
	Account   string     `json:"account" doc:"empty: the policy reads no account in the login"`
	User      string     `json:"user" doc:"the User-Name by which the NAS knows it"`
	Login     string     `json:"login,omitempty" doc:"the User-Name that the policy reads, where it is another one"`
	Realm     string     `json:"realm,omitempty"`
	Form      string     `json:"form,omitempty"`
	Course    string     `json:"course,omitempty" doc:"of the contract, as it was last seen"`
	Addresses []string   `json:"addresses" doc:"addresses and prefixes"`
	Started   time.Time  `json:"started"`
	Updated   time.Time  `json:"updated" doc:"the last sign of life"`
	Applied   string     `json:"applied" doc:"the action that the router was told last; empty: not known"`
	Proof     string     `json:"proof" enum:"not told,sent,acknowledged,seen" doc:"how sure it is that the router does so"`
	AppliedAt *time.Time `json:"applied_at"`
	Words     string     `json:"words,omitempty" doc:"in which it was told; empty: not known" example:"Filter-Id = \"op25b\""`
	Telling   string     `json:"telling,omitempty" doc:"the action that the router is being told now, and has not answered"`
	Wanted    string     `json:"wanted" doc:"the action that the engine says; empty: it has not been asked yet"`
	Rule      string     `json:"rule,omitempty"`
	Override  string     `json:"override,omitempty" doc:"the id of the override that won"`
	Until     *time.Time `json:"until" doc:"when that changes by itself"`
	Exempt    string     `json:"exempt,omitempty" doc:"why it is told nothing"`
	Drift     bool       `json:"drift" doc:"applied is not what is wanted"`
	Why       string     `json:"why,omitempty" doc:"why there is drift"`
	Names     []string   `json:"names,omitempty" doc:"the attributes by which a CoA may name it"`
	Request   []Fact     `json:"request,omitempty" doc:"request attributes that the policy asks about"`
}

// Undecided reports whether nothing has come yet of telling the router of a
// session that drifts, or that it is being told something else than is wanted
// by now.
func (s *Session) Undecided() bool {
	switch s.Why {
	case session.AwaitsTurn, session.AwaitsAnswer, session.NotKnown:
		return s.Drift
	}
	return s.Telling != "" && s.Telling != s.Wanted
}

// SessionPage is some sessions. Next, unless empty, is the after of the next
// page.
type SessionPage struct {
	Sessions []Session `json:"sessions"`
	Next     string    `json:"next,omitempty"`
}

// Had is a time during which a session had an address and its router was told
// one thing for one reason.
type Had struct {
	Address  string     `json:"address" doc:"the address, or the prefix that contains it"`
	Account  string     `json:"account"`
	User     string     `json:"user"`
	Course   string     `json:"course,omitempty" doc:"of the contract at the time"`
	Action   string     `json:"action" doc:"that the router was told; empty: not known"`
	Rule     string     `json:"rule,omitempty"`
	Override string     `json:"override,omitempty"`
	NAS      string     `json:"nas"`
	Box      string     `json:"box,omitempty"`
	Session  string     `json:"session"`
	From     time.Time  `json:"from"`
	Until    *time.Time `json:"until" doc:"null: it goes on"`
	Ended    string     `json:"ended,omitempty" doc:"why the session was over then"`
}

// Who is who had an address at an instant: nobody, or several where routers use
// the same addresses.
type Who struct {
	Address string    `json:"address"`
	At      time.Time `json:"at"`
	Had     []Had     `json:"had"`
}

// SessionReader finds live sessions; see session.Table.
type SessionReader interface {
	Get(session.ID) (session.Session, bool)
	Page(f session.Filter, after session.ID, limit int) []session.Session
}

// Historian tells who had an address at a time; an empty one is now. An error
// of type *Problem is passed on as it is.
type Historian interface {
	WhoHad(address netip.Addr, at string) ([]store.Stretch, time.Time, error)
}

// Vocabulary knows which names there are. UnknownName is nil, or a *Problem that
// says which of a NAS, an area and an action is none, and what was probably
// meant; empty ones are not asked about.
type Vocabulary interface {
	UnknownName(nas, area, action string) error
	// NoSession is a *Problem: there is no such session, but perhaps one at
	// another router behind the NAS entry.
	NoSession(session.ID) error
}

// MountSessions serves the live sessions, and who had which address; times in
// the zone of the moment.
func MountSessions(r *Routes, s SessionReader, h Historian, v Vocabulary, zone func() *time.Location) {
	ask(r, Viewer, huma.Operation{
		OperationID: "list-sessions", Method: http.MethodGet, Path: "/v1/sessions", Tags: tagSessions,
		Summary: "Live sessions, a page at a time; with drift, those whose router does not do what is wanted",
		Description: "Where nothing is found, a NAS, an area or an action that neither the site file nor the policy has is answered with status 404 " +
			"and what was probably meant.",
	}, func(_ context.Context, in *sessionQuery) (SessionPage, error) {
		page, err := listSessions(in, s, zone())
		if err == nil && len(page.Sessions) == 0 && in.After == "" {
			err = v.UnknownName(in.NAS, in.Area, in.Action) // sessions outlive their entry in the site file
		}
		return page, err
	})
	ask(r, Viewer, huma.Operation{
		OperationID: "show-session", Method: http.MethodGet, Path: "/v1/sessions/{nas}/{session}", Tags: tagSessions,
		Summary: "One live session",
	}, func(_ context.Context, in *sessionPath) (Session, error) { return showSession(in, s, v, zone()) })
	ask(r, Support, huma.Operation{
		OperationID: "who-had", Method: http.MethodGet, Path: "/v1/history", Tags: tagSessions,
		Summary: "Who had an address at a time, and what the router was told about the session",
	}, func(_ context.Context, in *whoQuery) (Who, error) { return whoHad(in, h) })
}

// sessionQuery asks for a page.
type sessionQuery struct {
	Account string `query:"account" doc:"in any spelling"`
	NAS     string `query:"nas"`
	Area    string `query:"area"`
	Action  string `query:"action" doc:"that the router was told"`
	Drift   bool   `query:"drift" doc:"only those whose router does not do what is wanted"`
	After   string `query:"after" doc:"the next of the page before"`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"how many at most"`
}

type sessionPath struct {
	NAS     string `path:"nas"`
	Session string `path:"session" doc:"its Acct-Session-Id: / is %2F"`
	Box     string `query:"box" doc:"which of several routers behind the NAS entry"`
}

type whoQuery struct {
	Address string `query:"address" required:"true" doc:"of either family" example:"198.51.100.7"`
	At      string `query:"at" doc:"RFC 3339, or a local date or date-time; now, if not said" example:"2007-05-15 12:00"`
}

func listSessions(in *sessionQuery, s SessionReader, zone *time.Location) (SessionPage, error) {
	after, err := readCursor(in.After)
	if err != nil {
		return SessionPage{}, err
	}
	f := session.Filter{Account: in.Account, NAS: in.NAS, Area: in.Area, Action: in.Action, Drift: in.Drift}
	found := s.Page(f, after, in.Limit)
	page := SessionPage{Sessions: make([]Session, 0, len(found))}
	for i := range found {
		page.Sessions = append(page.Sessions, SessionOf(&found[i], zone))
	}
	if len(found) == in.Limit {
		page.Next = cursor(found[len(found)-1].ID)
	}
	return page, nil
}

// cursor writes a place in the order of sessions, whose names may be any
// octets.
func cursor(id session.ID) string {
	text, _ := json.Marshal([][]byte{[]byte(id.NAS), []byte(id.Box), []byte(id.AcctSession)}) // never fails
	return base64.RawURLEncoding.EncodeToString(text)
}

func readCursor(text string) (session.ID, error) {
	if text == "" {
		return session.ID{}, nil
	}
	var names [][]byte
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &names)
	}
	if err != nil || len(names) != 3 {
		return session.ID{}, badRequest(fmt.Sprintf("after: expected the next of an earlier page, got %q", text))
	}
	return session.ID{NAS: string(names[0]), Box: string(names[1]), AcctSession: string(names[2])}, nil
}

func showSession(in *sessionPath, s SessionReader, names Vocabulary, zone *time.Location) (Session, error) {
	id := session.ID{NAS: in.NAS, Box: in.Box, AcctSession: in.Session}
	found, ok := s.Get(id)
	if !ok {
		if err := names.UnknownName(in.NAS, "", ""); err != nil {
			return Session{}, err
		}
		return Session{}, names.NoSession(id)
	}
	v := SessionOf(&found, zone)
	for _, a := range found.Identity {
		v.Names = append(v.Names, attribute(a))
	}
	for _, a := range found.Request {
		v.Request = append(v.Request, Fact{Name: a.Name, Value: a.Value})
	}
	return v, nil
}

// attribute writes an attribute as text.
func attribute(a session.Attribute) string {
	if known, ok := dict.Standard().ByKey(a.Key); ok {
		return known.Name + " = " + known.Format([]byte(a.Value))
	}
	return fmt.Sprintf("%d.%d = %s", a.Vendor, a.Number, dict.Quote([]byte(a.Value)))
}

// SessionOf makes what travels of a session, but for its attributes.
func SessionOf(s *session.Session, zone *time.Location) Session {
	v := Session{
		NAS: s.NAS, Box: s.Box, Session: s.AcctSession, Area: s.Area, Account: s.Account, User: s.UserName,
		Realm: s.Realm, Form: s.Form, Course: s.Course, Addresses: addressesOf(s), Started: s.Started.In(zone), Updated: s.Updated.In(zone),
		Applied: s.Applied, Proof: s.Proof.String(), AppliedAt: inZone(s.AppliedAt, zone), Words: s.Words, Telling: s.Telling,
		Wanted: s.Wanted, Rule: s.Rule, Override: s.Override, Until: inZone(s.Until, zone),
		Exempt: s.Exempt, Drift: s.Drift(), Why: s.Why,
	}
	if s.Name != s.UserName {
		v.Login = s.Name
	}
	return v
}

// inZone is nil for a time that is none.
func inZone(t time.Time, zone *time.Location) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.In(zone)
	return &t
}

func addressesOf(s *session.Session) []string {
	texts := []string{}
	for _, a := range []netip.Addr{s.Address, s.Address6} {
		if a.IsValid() {
			texts = append(texts, a.String())
		}
	}
	for _, p := range []netip.Prefix{s.Prefix, s.Delegated} {
		if p.IsValid() {
			texts = append(texts, p.String())
		}
	}
	return texts
}

func whoHad(in *whoQuery, h Historian) (Who, error) {
	a, err := netip.ParseAddr(in.Address)
	if err != nil {
		return Who{}, badRequest(fmt.Sprintf("address: expected one such as 198.51.100.7 or 2001:db8::7, got %q", in.Address))
	}
	found, at, err := h.WhoHad(a.Unmap().WithZone(""), in.At)
	who := Who{Address: a.Unmap().String(), At: at, Had: []Had{}}
	for _, f := range found {
		had := Had{
			Address: f.Address.String(), Account: f.Account, User: f.UserName, Course: f.Course, Action: f.Action, Rule: f.Rule,
			Override: f.Override, NAS: f.NAS, Box: f.Box, Session: f.AcctSession, From: f.From.In(at.Location()), Ended: f.Ended,
		}
		if f.Address.IsSingleIP() {
			had.Address = f.Address.Addr().String()
		}
		had.Until = inZone(f.Until, at.Location())
		who.Had = append(who.Had, had)
	}
	slices.SortStableFunc(who.Had, func(a, b Had) int { return b.From.Compare(a.From) })
	return who, err
}
