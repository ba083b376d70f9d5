package coa

import (
	"bytes"
	"net/netip"
	"slices"

	"sekisho/dict"
	"sekisho/radius"
	"sekisho/radius/session"
)

// identifies are the attributes that name a session or its NAS (RFC 5176
// section 3).
var identifies = map[byte]bool{
	typeUserName: true, typeNASIPAddress: true, 5: true, typeFramedIPAddress: true, 30: true, 31: true,
	typeNASIdentifier: true, typeAcctSessionID: true, 50: true, 87: true, 89: true, typeNASIPv6Address: true,
	typeFramedInterfaceID: true, typeFramedIPv6Prefix: true, typeDelegatedIPv6Prefix: true,
}

// match finds the sessions that a request names: those that have everything
// that it says of them. What we do not know of a session is not held against
// it; the router will compare it.
func (r *Relay) match(p radius.Packet) []session.Session {
	var found []session.Session
	for _, id := range r.candidates(p) {
		if s, live := r.options.Sessions.Get(id); live && agrees(&s, p) {
			found = append(found, s)
		}
	}
	return found
}

// candidates are the sessions that one of the indexes leads to.
func (r *Relay) candidates(p radius.Packet) []session.ID {
	var ids []session.ID
	if name := p.Find(typeUserName); len(name) > 0 && r.options.Account != nil {
		if account := r.options.Account(string(name)); account != "" {
			ids = append(ids, r.options.Sessions.Account(account)...)
		}
	}
	if a, ok := netip.AddrFromSlice(p.Find(typeFramedIPAddress)); ok {
		for _, s := range r.options.Sessions.Now(a) {
			ids = append(ids, session.ID{NAS: s.NAS, Box: s.Box, AcctSession: s.AcctSession})
		}
	}
	if acct := p.Find(typeAcctSessionID); len(acct) > 0 {
		for _, router := range r.config.Load().routers {
			ids = append(ids, session.ID{NAS: router.Name, AcctSession: string(acct)})
		}
	}
	slices.SortFunc(ids, compareIDs)
	return slices.Compact(ids)
}

// agrees reports whether nothing that the request says of a session differs
// from what is known of it.
func agrees(s *session.Session, p radius.Packet) bool {
	for typ, attr := range p.Attributes() {
		if !identifies[typ] || namesNAS(typ) {
			continue
		}
		if known := identity(s, dict.Key{Number: uint32(typ)}); known != nil && !bytes.Equal(known, attr[2:]) {
			return false
		}
	}
	return true
}

func namesNAS(typ byte) bool {
	return typ == typeNASIPAddress || typ == typeNASIPv6Address || typ == typeNASIdentifier
}

// route finds the router that a request is for: the one that it names, or the
// one where the sessions are that it names. RFC 5176 section 3.5: 502 is for a
// proxy that does not know where to send a request, 403 for a NAS that is not
// the one that is meant.
func (c *relaying) route(q *request) (*Router, Cause) {
	named, says := c.named(q.packet)
	if says && named == nil {
		return nil, 403
	}
	for _, s := range q.sessions {
		router := c.router(s.NAS)
		if router == nil || named == nil {
			if named == nil {
				named = router
			}
			continue
		}
		if !says && router != named {
			return nil, 508 // sessions of several routers
		}
	}
	if named == nil || named.CoA == nil {
		return nil, 502
	}
	return named, 0
}

// named is the router that the request itself names; says is whether it names
// one.
func (c *relaying) named(p radius.Packet) (router *Router, says bool) {
	for typ, attr := range p.Attributes() {
		if !namesNAS(typ) {
			continue
		}
		says = true
		i := slices.IndexFunc(c.routers, func(r Router) bool { return r.called(typ, attr[2:]) })
		if i < 0 || router != nil && router != &c.routers[i] {
			return nil, true
		}
		router = &c.routers[i]
	}
	return router, says
}

// called reports whether a router goes by that name.
func (r *Router) called(typ byte, value []byte) bool {
	if typ == typeNASIdentifier {
		return r.Identifier == string(value) || r.Identifier == "" && r.Name == string(value)
	}
	a, ok := netip.AddrFromSlice(value)
	return ok && (a == r.Address || !r.Address.IsValid() && r.CoA != nil && a == r.CoA.Address.Addr())
}

func (c *relaying) router(name string) *Router {
	if i := slices.IndexFunc(c.routers, func(r Router) bool { return r.Name == name }); i >= 0 {
		return &c.routers[i]
	}
	return nil
}
