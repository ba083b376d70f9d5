package coa

import (
	"bytes"
	"cmp"
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
		ids = append(ids, r.options.Sessions.Named(string(acct))...)
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
// one where the sessions are that it names. Of these it keeps those that are
// there. RFC 5176 section 3.5: 502 is for a proxy that does not know where to
// send a request, 403 for a NAS that is not the one that is meant, 508 for
// sessions of more than one.
func (c *relaying) route(q *request) (at Place, to Router, refused Cause) {
	named, says, ok := c.named(q)
	if !ok {
		return named, to, 403
	}
	places := c.places(q.sessions, named)
	switch {
	case len(places) > 1:
		return named, to, 508
	case len(places) == 1:
		named = places[0]
	case !says:
		return named, to, 502
	}
	q.sessions = slices.DeleteFunc(q.sessions, func(s session.Session) bool { return placeOf(s.ID) != named })
	if router := c.router(named.NAS); router != nil {
		to = router.at(named.Box)
	}
	if to.Name == "" || to.reach() != nil {
		return named, to, 502
	}
	return named, to, 0
}

// places are the routers of sessions, of those that may be the named one.
func (c *relaying) places(sessions []session.Session, named Place) (places []Place) {
	for i := range sessions {
		at := placeOf(sessions[i].ID)
		if c.router(at.NAS) == nil || named.NAS != "" && named.NAS != at.NAS || named.Box != "" && named.Box != at.Box {
			continue
		}
		if !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	return places
}

// named is the router that the request itself names; says is whether it names
// one, ok that nothing which it says is known to be otherwise.
func (c *relaying) named(q *request) (at Place, says, ok bool) {
	strange := false // a NAS-Identifier that nobody has sent us yet
	for typ, attr := range q.packet.Attributes() {
		if !namesNAS(typ) {
			continue
		}
		says = true
		one, known := c.called(typ, attr[2:], q.sessions)
		if !known && typ == typeNASIdentifier {
			strange = true
			continue
		}
		if !known || at.NAS != "" && at.NAS != one.NAS || at.Box != "" && one.Box != "" && at.Box != one.Box {
			return at, true, false
		}
		at = Place{one.NAS, cmp.Or(at.Box, one.Box)}
	}
	return at, says, !strange || at.Box != ""
}

// called is the router that goes by a name: by the configuration, by what it
// sent with one of the sessions, or by where it must be.
func (c *relaying) called(typ byte, value []byte, sessions []session.Session) (Place, bool) {
	if i := slices.IndexFunc(c.routers, func(r Router) bool { return r.called(typ, value) }); i >= 0 {
		return Place{NAS: c.routers[i].Name}, true
	}
	var places []Place
	for i := range sessions {
		s := &sessions[i]
		if at := placeOf(s.ID); at.Box != "" && bytes.Equal(identity(s, dict.Key{Number: uint32(typ)}), value) && !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	if len(places) > 0 {
		return places[0], len(places) == 1
	}
	return c.within(typ, value)
}

// within is the router at an address, by the narrowest source of those that
// stand for several.
func (c *relaying) within(typ byte, value []byte) (at Place, ok bool) {
	addr, valid := netip.AddrFromSlice(value)
	if typ == typeNASIdentifier || !valid {
		return at, false
	}
	narrow := -1
	for i := range c.routers {
		if r := &c.routers[i]; r.several() && r.Source.Contains(addr) && r.Source.Bits() > narrow {
			at, narrow = Place{r.Name, addr.String()}, r.Source.Bits()
		}
	}
	return at, narrow >= 0
}

// called reports whether the configuration has a router go by that name.
func (r *Router) called(typ byte, value []byte) bool {
	if typ == typeNASIdentifier {
		return len(value) > 0 && string(value) == cmp.Or(r.Identifier, r.Name)
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
