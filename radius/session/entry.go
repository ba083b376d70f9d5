package session

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sekisho/engine"
)

// entry is a session as the table holds it: a million of these are ordinary.
// Texts of which there are few are shared (see word); everything else that is
// text lies in one allocation.
type entry struct {
	router *router // nil: the session is over
	serial uint64

	acct, userName, name string
	identity             string // packed attributes
	realm, form          word
	request              []engine.Attribute

	started, updated, last int64 // ns since 1970 by our clock; last: of the newest record, delays taken off
	event, startEvent      int64 // s since 1970 by the clock of the NAS: of the newest record, of the Start; 0: not known
	interval               int64 // ns between Interims as far as it is known; 0: none are expected

	held        // what history tells of it
	since int64 // since when it holds that

	interfaceID                      uint64
	wanted, wantedBy, wantedOverride word // what the engine says, by which rule and override
	exempt, why                      word
	words                            word  // in which applied was said
	appliedAt, until, ask            int64 // ns; 0: never

	sibling, elder *entry // other sessions of the same account, of which there may be very many: the next, the one before
	inAll          int32  // positions in the table's lists
	inAsks         int32  // -1: not in the list
	inDrift        int32  // -1 likewise

	proof, counted Proof // counted: as what the statistics know it
	inferred       bool  // the Start was lost: started is a guess
	doubted        bool  // its accounting has contradicted what it was told
	outdated       bool  // applied is said in other words by now
	dirty          bool  // is to be written
	saved          bool  // there is a row under its name
	courseKnown    bool  // the course was looked up since the last change
}

// held is what history tells of a session: who had which address, and what the
// router was told about it, why.
type held struct {
	account                 string
	address, address6       netip.Addr
	prefix, delegated       netip.Prefix
	applied, rule, override word // what the router was told, and what said so
	course                  word
}

// id makes the name of the session.
func (e *entry) id() ID {
	return ID{NAS: e.router.nas, Box: e.router.box, AcctSession: e.acct}
}

// copy makes a Session of an entry that is not over.
func (e *entry) copy() Session {
	return Session{
		ID: e.id(), Serial: e.serial, Area: e.router.area, Account: e.account, UserName: e.userName, Name: e.name, Realm: e.realm.String(), Form: e.form.String(),
		Started: instant(e.started), Updated: instant(e.updated),
		Address: e.address, Address6: e.address6, Prefix: e.prefix, Delegated: e.delegated, InterfaceID: e.interfaceID,
		Identity: unpack(e.identity), Request: e.request,
		Applied: e.applied.String(), Proof: e.proof, AppliedAt: instant(e.appliedAt),
		Words: e.words.String(), Outdated: e.outdated,
		Wanted: e.wanted.String(), Rule: e.wantedBy.String(), Override: e.wantedOverride.String(), Course: e.course.String(), Until: instant(e.until),
		Exempt: e.exempt.String(), Why: e.reason(),
	}
}

// reason is why there is drift.
func (e *entry) reason() string {
	switch {
	case !e.drifts() || e.why != (word{}):
		return e.why.String()
	case e.applied == (word{}):
		return NotKnown
	}
	return AwaitsTurn
}

func (e *entry) drifts() bool {
	return e.exempt == (word{}) && e.wanted != (word{}) && (e.applied != e.wanted || e.outdated)
}

// instant is the time of so many ns since 1970; 0 is the zero time.
func instant(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// nanos is the reverse of instant.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// texts are what an entry has of its own, before they are laid together.
type texts struct {
	acct, userName, name, account, identity string
}

// lay puts the texts into one allocation. Equal ones share their octets.
func (e *entry) lay(x texts) {
	if e.acct == x.acct && e.userName == x.userName && e.name == x.name && e.account == x.account && e.identity == x.identity {
		return
	}
	var b strings.Builder
	b.Grow(len(x.acct) + len(x.userName) + len(x.name) + len(x.account) + len(x.identity))
	for _, s := range []string{x.identity, x.userName, x.name, x.account, x.acct} {
		if !strings.Contains(b.String(), s) {
			b.WriteString(s)
		}
	}
	all := b.String()
	in := func(s string) string {
		at := strings.Index(all, s)
		return all[at : at+len(s)]
	}
	e.acct, e.userName, e.name, e.account, e.identity = in(x.acct), in(x.userName), in(x.name), in(x.account), in(x.identity)
}

func (e *entry) texts() texts {
	return texts{e.acct, e.userName, e.name, e.account, e.identity}
}

// pack writes the attributes of a record, and those of the request that the
// record says nothing of, into one text: vendor, number, length, octets of each.
func pack(asked, told []Attribute) string {
	var room [512]byte // more than is usual
	b := room[:0]
	for _, a := range told {
		b = appendPacked(b, a)
	}
	for _, a := range asked {
		if !slices.ContainsFunc(told, func(b Attribute) bool { return a.Key == b.Key }) {
			b = appendPacked(b, a)
		}
	}
	return string(b)
}

func appendPacked(b []byte, a Attribute) []byte {
	b = binary.AppendUvarint(b, uint64(a.Vendor))
	b = binary.AppendUvarint(b, uint64(a.Number))
	b = binary.AppendUvarint(b, uint64(len(a.Value)))
	return append(b, a.Value...)
}

// unpack reads what pack has written; a damaged end is left out.
func unpack(packed string) []Attribute {
	var all []Attribute
	for packed != "" {
		var a Attribute
		if a, packed = next(packed); a != (Attribute{}) {
			all = append(all, a)
		}
	}
	return all
}

// next reads the first attribute of a packed text; a damaged text gives an
// empty one and leaves nothing.
func next(packed string) (a Attribute, rest string) {
	var header [3]uint64
	for i := range header {
		n := 0
		if header[i], n = uvarint(packed); n == 0 {
			return Attribute{}, ""
		}
		packed = packed[n:]
	}
	if header[2] > uint64(len(packed)) {
		return Attribute{}, ""
	}
	a.Vendor, a.Number, a.Value = uint32(header[0]), uint32(header[1]), packed[:header[2]]
	return a, packed[header[2]:]
}

// uvarint is binary.Uvarint for a string.
func uvarint(s string) (v uint64, n int) {
	for i := 0; i < len(s) && i < binary.MaxVarintLen64; i++ {
		v |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
