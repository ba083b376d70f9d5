package radius

import (
	"net/netip"
	"time"

	"sekisho/dict"
	"sekisho/engine"
)

// Sessions is told what becomes of subscribers' sessions. It is called on the
// way of a packet, from many goroutines: it must not block and must keep
// nothing waiting. A glimpse is over when the call returns: what is wanted of
// it for longer is to be kept.
type Sessions interface {
	// LoggedIn says that an Access-Accept is about to leave for the NAS: its
	// Lens reads a Login.
	LoggedIn(Glimpse)
	// Accounting says that an authentic Accounting-Request arrived: its Lens reads
	// a Record. The same datagram comes once; the same event may come
	// again in another one.
	Accounting(Glimpse)
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

// loggedIn tells the sessions of an Accept that is about to leave.
func (p *Proxy) loggedIn(t *transaction, accept packet, insert insertion) {
	if p.sessions != nil {
		p.sessions.LoggedIn(Glimpse{t, accept, p.clock(), insert.outcome, insert.decision})
	}
}

// accounted tells the sessions of an Accounting-Request, whatever becomes of
// it on its further way.
func (p *Proxy) accounted(t *transaction) {
	if p.sessions != nil && t.request.code() == accountingRequest {
		p.sessions.Accounting(Glimpse{t: t, at: p.clock()})
	}
}
