package session

import (
	"net/netip"

	"sekisho/engine"
	"sekisho/store"
)

// The bits of a row's flags.
const (
	flagInferred = 1 << iota
	flagDoubted
)

// row makes what is kept of an entry.
func (e *entry) row() store.Session {
	s := store.Session{
		NAS: e.router.nas, Box: e.router.box, AcctSession: e.acct, Area: e.router.area,
		Account: e.account, UserName: store.Octets(e.userName), Realm: e.realm.String(), Form: e.form.String(),
		Started: e.started, Updated: e.updated, Since: e.since, Interval: e.interval, Event: e.startEvent,
		Addresses: e.kept(), Interface: e.interfaceID, Identity: store.Octets(e.identity),
		Applied: e.applied.String(), Rule: e.rule.String(), Override: e.override.String(), AppliedAt: e.appliedAt, Proof: uint8(e.proof), Words: e.words.String(),
		Wanted: e.wanted.String(), WantedBy: e.wantedBy.String(), WantedFor: e.wantedOverride.String(), Until: e.until,
		Course: e.course.String(), Exempt: e.exempt.String(), Why: e.why.String(),
	}
	if e.name != e.userName {
		s.Name = store.Octets(e.name)
	}
	for _, a := range e.request {
		s.Request = append(s.Request, [2]store.Octets{store.Octets(a.Name), store.Octets(a.Value)})
	}
	if e.inferred {
		s.Flags |= flagInferred
	}
	if e.doubted {
		s.Flags |= flagDoubted
	}
	return s
}

// kept are the addresses of a session in a fixed order, without empty ones at
// the end.
func (h *held) kept() [][]byte {
	own := [...]netip.Prefix{single(h.address), single(h.address6), h.prefix, h.delegated}
	n := len(own)
	for n > 0 && !own[n-1].IsValid() {
		n--
	}
	var kept [][]byte
	for _, p := range own[:n] {
		octets, _ := p.MarshalBinary() // never fails (net/netip)
		kept = append(kept, octets)
	}
	return kept
}

func single(a netip.Addr) netip.Prefix {
	if !a.IsValid() {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(a, a.BitLen())
}

// keep takes over addresses as kept has written them; damaged ones are none.
func (h *held) keep(kept [][]byte) {
	var own [4]netip.Prefix
	for i := range min(len(kept), len(own)) {
		if own[i].UnmarshalBinary(kept[i]) != nil {
			own[i] = netip.Prefix{}
		}
	}
	h.address, h.address6, h.prefix, h.delegated = own[0].Addr(), own[1].Addr(), own[2], own[3]
}

// entryOf makes an entry of what was kept of it.
func (t *Table) entryOf(s store.Session) *entry {
	e := &entry{
		started: s.Started, updated: s.Updated, last: s.Updated, since: s.Since, interval: s.Interval, startEvent: s.Event,
		interfaceID: s.Interface, appliedAt: s.AppliedAt, until: s.Until,
		inferred: s.Flags&flagInferred != 0, doubted: s.Flags&flagDoubted != 0,
		courseKnown: s.Course != "", saved: true, inAsks: -1, inDrift: -1,
	}
	t.restoreTexts(e, s)
	e.keep(s.Addresses)
	if e.proof = Proof(s.Proof); int(e.proof) >= len(proofs) {
		e.proof = NotTold
	}
	return e
}

func (t *Table) restoreTexts(e *entry, s store.Session) {
	x := texts{acct: s.AcctSession, userName: string(s.UserName), name: string(s.Name), account: s.Account, identity: string(s.Identity)}
	if x.name == "" {
		x.name = x.userName
	}
	e.lay(x)
	e.realm, e.form, e.exempt, e.why = wordOf(s.Realm), wordOf(s.Form), wordOf(s.Exempt), wordOf(s.Why)
	e.words = wordOf(s.Words)
	e.applied, e.rule, e.override, e.course = wordOf(s.Applied), wordOf(s.Rule), wordOf(s.Override), wordOf(s.Course)
	e.wanted, e.wantedBy, e.wantedOverride = wordOf(s.Wanted), wordOf(s.WantedBy), wordOf(s.WantedFor)
	var request []engine.Attribute
	for _, a := range s.Request {
		request = append(request, engine.Attribute{Name: string(a[0]), Value: string(a[1])})
	}
	e.request = t.shared.facts(request)
}
