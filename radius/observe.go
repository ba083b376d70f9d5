package radius

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"sekisho/dict"
	"sekisho/engine"
)

// Sessions is told what becomes of subscribers' sessions. It is called on the
// way of a packet, from many goroutines: it must not block and must keep
// nothing waiting. What it is given is its own.
type Sessions interface {
	// LoggedIn says that an Access-Accept is about to leave for the NAS.
	LoggedIn(*Login)
	// Accounting says that an authentic Accounting-Request arrived. The same
	// datagram comes once; the same event may come again in another one.
	Accounting(*Record)
}

// Attribute is one attribute of a packet, octet for octet. Attributes of
// vendors are the ones inside attribute 26.
type Attribute struct {
	dict.Key
	Value string
}

// Sighting is what a packet tells of a session, whatever its kind.
type Sighting struct {
	NAS  string // by its name in the configuration
	Box  string // what tells apart several routers under this name; empty: it is one
	Area string
	At   time.Time // when the packet arrived, by the clock of the policy

	Session  string       // Acct-Session-Id; empty: the packet has none
	UserName string       // by which the NAS knows the session: an Accept's replaces the request's (RFC 2865 section 5.1)
	Name     string       // the User-Name that the policy reads; see Login
	Login    engine.Login // Name as the policy of this packet reads it

	Address     netip.Addr   // Framed-IP-Address; invalid: none
	Address6    netip.Addr   // Framed-IPv6-Address
	Prefix      netip.Prefix // Framed-IPv6-Prefix
	Delegated   netip.Prefix // Delegated-IPv6-Prefix
	InterfaceID uint64       // Framed-Interface-Id; 0: none

	Identity []Attribute        // those of the packet that may name a session to its NAS (RFC 5176 section 3)
	Class    []string           // what the AAA server gave the session to bear, in order
	Request  []engine.Attribute // those that the policy's rules ask about
}

// Login is an Access-Accept with what was decided about it.
type Login struct {
	Sighting
	Decision engine.Decision // zero Action: none could be made
	Told     string          // the action that the Accept says; empty: none that is known
	Words    string          // in which it says so; see dict.Saying
	Exempt   string          // why there is nothing to tell this NAS for this session; empty: there is
	Interim  time.Duration   // Acct-Interim-Interval of the Accept; 0: none
	Asked    string          // the User-Name of the request
	Again    bool            // the session existed before: Service-Type Authorize-Only
}

// Status is the Acct-Status-Type of a record (RFC 2866 section 5.1).
type Status uint32

// The Acct-Status-Types that matter here; the others are about tunnels, links
// and failures.
const (
	StatusStart   Status = 1
	StatusStop    Status = 2
	StatusInterim Status = 3
	StatusOn      Status = 7
	StatusOff     Status = 8
)

// Record is an Accounting-Request.
type Record struct {
	Sighting
	Status Status
	Delay  time.Duration // Acct-Delay-Time: how long the NAS has been trying to send it
	Event  time.Time     // Event-Timestamp, by the clock of the NAS; zero: none
	Lasted time.Duration // Acct-Session-Time; 0: none
	Cause  uint32        // Acct-Terminate-Cause; 0: none
	Admin  bool          // an administrator's session on the router itself

	// Echoed are the actions that the attributes in the record say, by the
	// profile of the NAS: more than one where several are said alike, an empty
	// one where it is none of the policy's. Nil: it carries no such attribute.
	Echoed []string
}

// identifying are the attributes without a vendor by which a NAS may be told
// which session is meant (RFC 5176 section 3), but for the User-Name and the
// addresses, which have fields of their own.
var identifying = [256]bool{
	typeNASIPAddress: true, typeNASIdentifier: true, typeNASIPv6Address: true,
	typeNASPort: true, typeNASPortID: true, typeCalledStationID: true, typeCallingStationID: true,
	typeAcctSessionID: true, typeAcctMultiSessionID: true, typeCUI: true,
}

// loggedIn tells the sessions of an Accept that is about to leave.
func (p *Proxy) loggedIn(t *transaction, accept packet, insert insertion) {
	if p.sessions == nil {
		return
	}
	l := &Login{Decision: insert.decision, Told: insert.told(t), Exempt: exemptions[insert.outcome]}
	if l.Told != "" {
		said, _ := t.nas.Profile.Login(l.Told)
		l.Words = said.Words
	}
	t.sight(&l.Sighting, p.clock())
	l.Asked, l.Name = l.UserName, l.UserName
	if name := userName(t.request, accept); string(name) != l.Name {
		l.Name = string(name)
	}
	l.Login = t.snapshot.policy.ReadLogin(l.Name)
	if name := accept.find(typeUserName); len(name) > 0 {
		l.UserName = string(name)
	}
	l.Sighting.addresses(accept)
	l.Class = texts(accept, typeClass)
	l.Interim = seconds(accept, typeAcctInterimInterval)
	if service, ok := number(t.request, typeServiceType); ok {
		l.Again = service == authorizeOnly
	}
	p.sessions.LoggedIn(l)
}

// exemptions are the outcomes after which a session is nobody's to tell
// anything about.
var exemptions = [injections]string{
	injectionKept:     injectionNames[injectionKept],
	injectionNoPolicy: injectionNames[injectionNoPolicy],
	injectionAdmin:    injectionNames[injectionAdmin],
	injectionTunnel:   injectionNames[injectionTunnel],
}

// told is the action that an Accept says.
func (i insertion) told(t *transaction) string {
	switch i.outcome {
	case injected, injectionNothing, injectionReplaced, injectionBeside:
		return i.decision.Action
	case injectionFailed:
		return t.nas.Profile.Fail
	}
	return ""
}

// accounted tells the sessions of an Accounting-Request, whatever becomes of
// it on its further way.
func (p *Proxy) accounted(t *transaction) {
	if p.sessions == nil || t.request.code() != accountingRequest {
		return
	}
	status, _ := number(t.request, typeAcctStatusType)
	r := &Record{Status: Status(status)}
	t.sight(&r.Sighting, p.clock())
	r.Name = r.UserName
	r.Login = t.snapshot.policy.ReadLogin(r.Name)
	r.Class = texts(t.request, typeClass)
	r.Delay = seconds(t.request, typeAcctDelayTime)
	r.Lasted = seconds(t.request, typeAcctSessionTime)
	r.Cause, _ = number(t.request, typeAcctTerminateCause)
	if at, ok := number(t.request, typeEventTimestamp); ok {
		r.Event = time.Unix(int64(at), 0)
	}
	r.Admin, _ = adminService(t.request)
	r.Echoed = t.echoed()
	p.sessions.Accounting(r)
}

// sight collects what the request itself tells. All texts are pieces of one
// copy of the packet: a dozen small ones would cost more than they are long.
func (t *transaction) sight(s *Sighting, now time.Time) {
	whole := whole{t.request, string(t.request)}
	s.NAS, s.Box, s.Area, s.At = t.nas.Name, t.box(), t.nas.Area, now
	s.Request = t.snapshot.requestFacts(t.request)
	s.Session = whole.text(t.request.find(typeAcctSessionID))
	s.UserName = whole.text(t.request.find(typeUserName))
	s.Identity = t.identity(whole)
	s.addresses(t.request)
}

// whole is a packet and the same octets as a text.
type whole struct {
	packet packet
	octets string
}

// text is a value of the packet as a piece of the text.
func (w whole) text(value []byte) string {
	if len(value) == 0 {
		return ""
	}
	at := cap(w.packet) - cap(value) // a value ends where the packet's memory does
	return w.octets[at : at+len(value)]
}

// identity collects what may name the session, octet for octet: what is usual,
// and what the profile of this router says besides.
func (t *transaction) identity(w whole) []Attribute {
	var room [16]Attribute // more than is usual; what is kept is cut to its size
	named := room[:0]
	look := insertion{formats: t.snapshot.dict}
	for _, attr := range t.request.attributes() {
		for k, value := range look.parts(attr) {
			if len(value) > 0 && (k.Vendor == 0 && identifying[byte(k.Number)] || t.nas.names(k)) {
				named = append(named, Attribute{k, w.text(value)})
			}
		}
	}
	if len(named) == 0 {
		return nil
	}
	return append(make([]Attribute, 0, len(named)), named...)
}

// names reports whether the profile of a NAS names sessions by an attribute
// that is not the usual one. User-Name has a field of its own.
func (n *nasEntry) names(k dict.Key) bool {
	if n.Profile == nil || k.Vendor == 0 && k.Number == typeUserName {
		return false
	}
	id := n.Profile.Identification()
	in := func(w dict.Way) bool { return slices.Contains(w, k) }
	return slices.Contains(id.NAS, k) || slices.ContainsFunc(id.CoA, in) || slices.ContainsFunc(id.Disconnect, in)
}

// addresses takes over the addresses that a packet gives the session. Those
// that stand for "the NAS chooses" are none (RFC 2865 section 5.8).
func (s *Sighting) addresses(p packet) {
	if a, ok := netip.AddrFromSlice(p.find(typeFramedIPAddress)); ok && a.Is4() && a != userChooses && a != nasChooses {
		s.Address = a
	}
	if a, ok := netip.AddrFromSlice(p.find(typeFramedIPv6Address)); ok && a.Is6() {
		s.Address6 = a
	}
	if f, ok := prefix(p.find(typeFramedIPv6Prefix)); ok {
		s.Prefix = f
	}
	if d, ok := prefix(p.find(typeDelegatedIPv6Prefix)); ok {
		s.Delegated = d
	}
	if id := p.find(typeFramedInterfaceID); len(id) == 8 {
		s.InterfaceID = binary.BigEndian.Uint64(id)
	}
}

var userChooses, nasChooses = netip.AddrFrom4([4]byte{255, 255, 255, 255}), netip.AddrFrom4([4]byte{255, 255, 255, 254})

// prefix reads a prefix as RFC 3162 section 2.3 writes it: a reserved octet,
// the length in bits, and as many octets of the address as are not zero.
func prefix(value []byte) (netip.Prefix, bool) {
	if len(value) < 2 || len(value) > 18 || value[1] > 128 {
		return netip.Prefix{}, false
	}
	var octets [16]byte
	copy(octets[:], value[2:])
	p, err := netip.AddrFrom16(octets).Prefix(int(value[1]))
	return p, err == nil
}

// box tells which router this is, where its entry stands for several: those
// behind one proxy, or in one prefix.
func (t *transaction) box() string {
	if t.nas.Address.IsValid() || t.nas.Identifier != "" {
		return ""
	}
	own, from := t.client.Addr(), t.client.Addr()
	if a, ok := netip.AddrFromSlice(t.request.find(typeNASIPAddress)); ok {
		own = a
	} else if a, ok := netip.AddrFromSlice(t.request.find(typeNASIPv6Address)); ok {
		own = a
	} else if id := t.request.find(typeNASIdentifier); len(id) > 0 {
		return string(id)
	}
	if own == from && t.nas.Source.IsSingleIP() {
		return ""
	}
	return own.String()
}

// echoed finds the actions that the record's attributes say.
func (t *transaction) echoed() []string {
	profile := t.nas.Profile
	if profile == nil {
		return nil
	}
	var held []Attribute
	look := insertion{profile: profile, formats: t.snapshot.dict}
	for _, attr := range t.request.attributes() {
		for k, value := range look.parts(attr) {
			if managed, _ := profile.Owns(k, value); managed {
				held = append(held, Attribute{k, string(value)})
			}
		}
	}
	if held == nil {
		return nil
	}
	return saying(profile, t.snapshot, held)
}

// saying lists the actions that all of these attributes belong to.
func saying(profile *dict.Profile, s *snapshot, held []Attribute) []string {
	var actions []string
	for _, action := range s.policy.Actions {
		said, _ := profile.Login(action.Name)
		look := insertion{profile: profile, formats: s.dict, add: said.Wire}
		all := true
		for _, h := range held {
			all = all && look.adds(h.Key, []byte(h.Value))
		}
		if all {
			actions = append(actions, action.Name)
		}
	}
	if actions == nil {
		return []string{""}
	}
	return actions
}

// number reads the first attribute of that type as an integer; one that is not
// four octets long counts as absent (RFC 6929 section 2.8).
func number(p packet, typ byte) (uint32, bool) {
	value := p.find(typ)
	if len(value) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(value), true
}

func seconds(p packet, typ byte) time.Duration {
	n, _ := number(p, typ)
	return time.Duration(n) * time.Second
}

// texts are the values of all attributes of that type, in their order.
func texts(p packet, typ byte) []string {
	var all []string
	for _, attr := range p.attributes() {
		if attr[0] == typ {
			all = append(all, string(attr[2:]))
		}
	}
	return all
}
