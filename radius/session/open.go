package session

import (
	"slices"

	"sekisho/engine"
	"sekisho/radius"
)

// open enters the session that a record tells of, with what its Accept said if
// that is known.
func (t *Table) open(r *radius.Record, started, startEvent int64) *entry {
	e := &entry{started: started, startEvent: startEvent, since: started, inAsks: -1, inDrift: -1}
	l := t.waiting.join(r)
	x := texts{acct: r.Session, userName: r.UserName, name: r.Name, account: r.Login.Account}
	var asked []Attribute
	if l != nil {
		x.userName, x.name, x.account = l.UserName, l.Name, l.Login.Account
		if x.userName == l.Asked && r.UserName != "" {
			x.userName = r.UserName // the server gave no name: the router's own spelling counts
		}
		asked = l.Identity
	}
	x.identity = pack(asked, r.Identity)
	e.lay(x)
	e.realm, e.form = wordOf(r.Login.Realm), wordOf(r.Login.Form)
	e.request = t.shared.facts(r.Request)
	e.observe(&r.Sighting)
	e.seen(r)
	if r.Admin {
		e.exempt = wordOf("admin-login")
	}
	if l != nil {
		t.counters.joined++
		t.admit(e, l)
	} else {
		t.counters.unjoined++
	}
	t.add(t.router(place{r.NAS, r.Box}, r.Area), e)
	t.asks.set(e, atOnce)
	t.echo(e, r)
	t.signal()
	return e
}

// admit writes what was decided at the login into an entry that is in no index.
func (t *Table) admit(e *entry, l *radius.Login) {
	e.realm, e.form = wordOf(l.Login.Realm), wordOf(l.Login.Form)
	e.request = t.shared.facts(extended(l.Request, e.request))
	e.interval = int64(l.Interim)
	e.exempt = wordOf(l.Exempt)
	t.want(e, l.Decision)
	if l.Told != "" {
		t.apply(e, l.Told, Sent, l.At.UnixNano())
		e.words = wordOf(l.Words)
	}
	e.fill(&l.Sighting)
}

// extended adds those attributes to the first ones whose names are not among
// them.
func extended(request, more []engine.Attribute) []engine.Attribute {
	all := slices.Clip(request)
	for _, a := range more {
		if !slices.ContainsFunc(request, func(b engine.Attribute) bool { return a.Name == b.Name }) {
			all = append(all, a)
		}
	}
	return all
}

// observe takes over the addresses that a packet tells.
func (e *entry) observe(s *radius.Sighting) {
	if s.Address.IsValid() {
		e.address = s.Address
	}
	if s.Address6.IsValid() {
		e.address6 = s.Address6
	}
	if s.Prefix.IsValid() {
		e.prefix = s.Prefix
	}
	if s.Delegated.IsValid() {
		e.delegated = s.Delegated
	}
	if s.InterfaceID != 0 {
		e.interfaceID = s.InterfaceID
	}
}

// fill takes over the addresses of a packet where none are known.
func (e *entry) fill(s *radius.Sighting) {
	own := radius.Sighting{Address: e.address, Address6: e.address6, Prefix: e.prefix, Delegated: e.delegated, InterfaceID: e.interfaceID}
	e.observe(s)
	e.observe(&own)
}

// seen notes a sign of life.
func (e *entry) seen(r *radius.Record) {
	e.updated = max(e.updated, r.At.UnixNano())
	e.last = max(e.last, stamp(r))
	e.event = max(e.event, event(r))
}

// refresh takes in what a record tells anew of a session that goes on. Most
// tell nothing new, and cost no memory and no write.
func (t *Table) refresh(e *entry, r *radius.Record) {
	e.seen(r)
	if e.router.area != r.Area {
		t.router(e.router.place, r.Area)
	}
	if l := t.again(e, r); l != nil {
		t.turn(e, r.At.UnixNano(), func() { t.admit(e, l) })
		t.asks.set(e, atOnce)
		t.signal()
	}
	if e.moved(r) {
		t.turn(e, stamp(r), func() { e.observe(&r.Sighting) })
	}
	t.identify(e, r)
	t.echo(e, r)
}

// again finds the Accept of a session that was asked about anew while it went
// on: it carries the session's Acct-Session-Id.
func (t *Table) again(e *entry, r *radius.Record) *radius.Login {
	number, l := t.waiting.session(e.id())
	if l == nil || !before(l, stamp(r), r) || !e.knows(r) {
		return nil
	}
	t.waiting.remove(number)
	return l
}

// moved reports whether a record tells of other addresses.
func (e *entry) moved(r *radius.Record) bool {
	return r.Address.IsValid() && r.Address != e.address || r.Address6.IsValid() && r.Address6 != e.address6 ||
		r.Prefix.IsValid() && r.Prefix != e.prefix || r.Delegated.IsValid() && r.Delegated != e.delegated ||
		r.InterfaceID != 0 && r.InterfaceID != e.interfaceID
}

// identify takes over names of the session that a record tells anew, and facts
// that nothing was known of.
func (t *Table) identify(e *entry, r *radius.Record) {
	if extra := extended(e.request, r.Request); len(extra) > len(e.request) {
		e.request = t.shared.facts(extra)
		t.asks.set(e, atOnce)
		t.changes.mark(e)
	}
	if e.named(r.Identity) {
		return
	}
	x := e.texts()
	x.identity = pack(unpack(e.identity), r.Identity)
	t.unindex(e)
	delete(e.router.sessions, e.acct)
	e.lay(x)
	e.router.sessions[e.acct] = e
	t.index(e)
	t.changes.mark(e)
}

// named reports whether all these attributes are known of the session.
func (e *entry) named(told []Attribute) bool {
	for _, a := range told {
		found := false
		for rest := e.identity; !found && rest != ""; {
			var b Attribute
			b, rest = next(rest)
			found = a == b
		}
		if !found {
			return false
		}
	}
	return true
}

// echo takes in what the router's own accounting says it does.
func (t *Table) echo(e *entry, r *radius.Record) {
	switch {
	case r.Echoed == nil || e.exempt != (word{}):
	case slices.Contains(r.Echoed, e.applied.String()):
		if e.proof < Seen && e.applied != (word{}) {
			e.proof = Seen
			t.settle(e)
		}
	case stamp(r) < e.appliedAt+blur || e.doubted:
		// It was sent before the router was told; or the router has been told
		// again and still repeats what its login said: some never say else.
	default:
		t.counters.contradicted++
		e.doubted = true
		action, proof := "", NotTold
		if len(r.Echoed) == 1 {
			action, proof = r.Echoed[0], Seen
		}
		t.turn(e, stamp(r), func() { t.apply(e, action, proof, stamp(r)) })
	}
}
