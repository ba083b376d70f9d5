package radius

import (
	"encoding/binary"
	"time"

	"sekisho/dict"
	"sekisho/engine"
)

// Lens is how to read what a Glimpse has kept: by the configuration of the
// packet's time. There is one for each NAS of a configuration. It may be used by
// several goroutines at once.
type Lens struct {
	snapshot *snapshot
	nas      *nasEntry
	keeps    [256]bool // which attributes of requests are kept
}

// seenBy gives each NAS its lens.
func (t *nasTable) seenBy(s *snapshot) {
	for _, source := range t.sources {
		for _, n := range source.entries {
			n.lens = newLens(s, n)
		}
	}
}

// newLens makes one that has had everything kept but what passes. What the
// policy asks about and what the profile says its actions by never passes.
func newLens(s *snapshot, n *nasEntry) *Lens {
	r := &Lens{snapshot: s, nas: n}
	for typ := range r.keeps {
		r.keeps[typ] = true
	}
	for _, typ := range passing {
		says := n.Profile != nil && n.Profile.Manages(dict.Key{Number: uint32(typ)})
		r.keeps[typ] = says || s.asks(typ)
	}
	return r
}

// Names are what a waiting login is found again by. The texts are pieces of
// what was kept.
type Names struct {
	NAS          string
	Box, Session []byte // empty: none
	Asked        []byte // the User-Name of the request
	UserName     []byte // that by which the NAS knows the session; see Sighting
	Name         []byte // that which the policy reads
	At           int64  // when the packet came, in ns since 1970
	Again        bool   // see Login
}

// Names reads only what a login is found by.
func (r *Lens) Names(kept []byte) Names {
	o := unfold(kept)
	n := Names{NAS: r.nas.Name, Box: o.text(), Session: o.request.find(typeAcctSessionID), At: o.number(keptAt), Again: o.again()}
	n.Asked = o.request.find(typeUserName)
	n.UserName, n.Name = n.Asked, n.Asked
	if name := o.accept.find(typeUserName); len(name) > 0 {
		n.UserName = name
		if o.kept[keptRenamed] != 0 {
			n.Name = name
		}
	}
	return n
}

// Login reads all that was kept of an Access-Accept. It uses the slices in l
// again.
func (r *Lens) Login(kept []byte, l *Login) {
	o := unfold(kept)
	*l = Login{Sighting: emptied(&l.Sighting)}
	whole := r.sight(&o, &l.Sighting)
	l.Decision = engine.Decision{Action: whole.text(o.text()), Rule: whole.text(o.text()), Override: whole.text(o.text())}
	if until := o.number(keptUntil); until != 0 {
		l.Decision.Until = time.Unix(0, until)
	}
	outcome := injection(kept[keptOutcome])
	l.Told, l.Exempt = r.told(outcome, l.Decision.Action), exemptions[outcome]
	if l.Told != "" {
		said, _ := r.nas.Profile.Login(l.Told)
		l.Words = said.Words
	}
	l.Asked, l.Name = l.UserName, l.UserName
	if name := o.accept.find(typeUserName); len(name) > 0 {
		l.UserName = whole.text(name)
		if kept[keptRenamed] != 0 {
			l.Name = l.UserName
		}
	}
	l.Login = r.snapshot.policy.ReadLogin(l.Name)
	l.Sighting.addresses(o.accept)
	l.Class = whole.texts(l.Class, o.accept, typeClass)
	l.Interim = seconds(o.accept, typeAcctInterimInterval)
	l.Again = o.again()
}

// Record reads all that was kept of an Accounting-Request. It uses the slices
// in rec again.
func (r *Lens) Record(kept []byte, rec *Record) {
	o := unfold(kept)
	*rec = Record{Sighting: emptied(&rec.Sighting)}
	whole := r.sight(&o, &rec.Sighting)
	status, _ := number(o.request, typeAcctStatusType)
	rec.Status = Status(status)
	rec.Name = rec.UserName
	rec.Login = r.snapshot.policy.ReadLogin(rec.Name)
	rec.Class = whole.texts(rec.Class, o.request, typeClass)
	rec.Delay = seconds(o.request, typeAcctDelayTime)
	rec.Lasted = seconds(o.request, typeAcctSessionTime)
	rec.Cause, _ = number(o.request, typeAcctTerminateCause)
	if at, ok := number(o.request, typeEventTimestamp); ok {
		rec.Event = time.Unix(int64(at), 0)
	}
	rec.Admin, _ = adminService(o.request)
	rec.Echoed = r.echoed(o.request)
}

// emptied is an empty sighting with the slices of one that is over.
func emptied(s *Sighting) Sighting {
	return Sighting{Identity: s.Identity[:0], Class: s.Class[:0], Request: s.Request[:0]}
}

// sight reads what the request itself tells. All texts are pieces of one copy:
// a dozen small ones would cost more than they are long.
func (r *Lens) sight(o *unfolded, s *Sighting) whole {
	w := whole{o.kept, string(o.kept)}
	s.NAS, s.Box, s.Area, s.At = r.nas.Name, w.text(o.text()), r.nas.Area, time.Unix(0, o.number(keptAt))
	s.Request = r.snapshot.requestFacts(s.Request, o.request)
	s.Session = w.text(o.request.find(typeAcctSessionID))
	s.UserName = w.text(o.request.find(typeUserName))
	s.Identity = r.identity(s.Identity, w, o.request)
	s.addresses(o.request)
	return w
}

// unfolded is what was kept, and its parts.
type unfolded struct {
	kept, texts     []byte
	request, accept packet
}

func unfold(kept []byte) unfolded {
	request, accept := binary.NativeEndian.Uint32(kept[keptRequest:]), binary.NativeEndian.Uint32(kept[keptAccept:])
	return unfolded{kept, kept[keptTexts:request], attributesAt(kept[:accept], request), attributesAt(kept, accept)}
}

// attributesAt is a packet of which there are the attributes. What stands where
// its header would, of the same length, is nothing to anybody.
func attributesAt(kept []byte, at uint32) packet { return kept[at-headerLen:] }

// text takes the next text off.
func (o *unfolded) text() []byte {
	length, n := binary.Uvarint(o.texts)
	text := o.texts[n : n+int(length)]
	o.texts = o.texts[n+int(length):]
	return text
}

func (o *unfolded) number(at int) int64 { return int64(binary.NativeEndian.Uint64(o.kept[at:])) }

// again reports whether the session existed before.
func (o *unfolded) again() bool {
	service, ok := number(o.request, typeServiceType)
	return ok && service == authorizeOnly
}

// whole is what was kept, and the same octets as a text.
type whole struct {
	kept   []byte
	octets string
}

// text is a value in what was kept as a piece of the text.
func (w whole) text(value []byte) string {
	if len(value) == 0 {
		return ""
	}
	at := cap(w.kept) - cap(value) // a value ends where the memory of the whole does
	return w.octets[at : at+len(value)]
}

// texts appends the values of all attributes of that type, in their order.
func (w whole) texts(to []string, p packet, typ byte) []string {
	for _, attr := range p.attributes() {
		if attr[0] == typ {
			to = append(to, w.text(attr[2:]))
		}
	}
	return to
}
