package radius

import (
	"cmp"
	"net/netip"
	"time"

	"sekisho/dict"
	"sekisho/engine"
)

// Config is everything the proxy works by. It is a value made at load and
// never changed afterwards; Proxy.Reload puts another one in its place.
type Config struct {
	Auth []netip.AddrPort // where Access-Requests arrive; fixed for the life of the proxy
	Acct []netip.AddrPort // where Accounting-Requests arrive; fixed likewise

	NAS    []NAS            // the access routers
	Realms map[string]*Pool // realm in lower case -> its AAA pool; "*" for every other User-Name

	Policy     *engine.Policy
	Dictionary *dict.Dictionary

	CleanupDelay   time.Duration // how long an answer is kept for retransmissions (RFC 5080 section 2.2.2)
	RequestTime    time.Duration // how long an answer to a request is waited for at all
	DecisionBudget time.Duration // how long a decision may take before the fail mode answers
	MaxRequests    int           // requests held at once, waiting or answered
	NoSegmentation bool          // datagrams are not sent as one message to be cut up (udp(7) UDP_SEGMENT)
}

// Defaults of what a Config may leave at zero, FreeRADIUS's where it has them.
const (
	DefaultCleanupDelay   = 5 * time.Second
	DefaultRequestTime    = 30 * time.Second
	DefaultDecisionBudget = 500 * time.Millisecond
	DefaultMaxRequests    = 1 << 20
	DefaultMaxSockets     = 64
	DefaultResponseWindow = 5 * time.Second // FreeRADIUS's 20 s is longer than a PPPoE router waits
	DefaultZombiePeriod   = 40 * time.Second
	DefaultCheckInterval  = 6 * time.Second
	DefaultAnswersToAlive = 3
	DefaultReviveInterval = 120 * time.Second
)

// NAS is one access router as its packets are known: by where they come from
// and, where several share that address, by how they name themselves.
type NAS struct {
	Name       string
	Source     netip.Prefix // where its packets come from; the secret hangs on this alone (RFC 2865 section 3)
	Address    netip.Addr   // NAS-IP-Address or NAS-IPv6-Address it sends; zero: any
	Identifier string       // NAS-Identifier it sends; empty: any
	Secret     *Secret
	Area       string
	Profile    *dict.Profile // nil: nothing is injected

	RequireMA       Requirement // whether an Access-Request without Message-Authenticator is discarded
	LimitProxyState bool        // one with Proxy-State and no Message-Authenticator is discarded
	ReplyMA         ReplyMA     // when replies carry a Message-Authenticator
	MaxOutstanding  int         // requests of this NAS waiting for an AAA at once; 0: no limit of its own
}

// Requirement says whether packets must carry a Message-Authenticator.
type Requirement uint8

// No is for what cannot send one. Auto becomes Require for good once a packet
// had a right one: EAP does not count, since it must have one anyway.
const (
	No Requirement = iota
	Auto
	Require
)

// ReplyMA says when replies to a NAS begin with a Message-Authenticator.
type ReplyMA uint8

// Always is right for every NAS that copes with it (CVE-2024-3596); the others
// are for boxes that reject a reply with an attribute they do not know.
const (
	ReplyMAAlways ReplyMA = iota
	ReplyMAEcho           // when the request had one
	ReplyMANever
)

// Pool is a list of AAA servers in the order in which they are asked.
type Pool struct {
	Name    string
	Servers []*AAA
}

// AAA is one home server.
type AAA struct {
	Name         string
	Auth, Acct   netip.AddrPort // zero Acct: takes no accounting
	Source       netip.Addr     // local address to send from; zero: the kernel's choice
	Secret       *Secret
	RequireMA    Requirement // whether a reply to an Access-Request without Message-Authenticator is discarded
	NoProxyState bool        // do not add a Proxy-State of our own
	MaxSockets   int         // of 256 identifiers each

	// When it counts as gone and as back; see health.
	ResponseWindow time.Duration // silence after a request that makes it a zombie
	ZombiePeriod   time.Duration // silence as a zombie that makes it dead
	NoStatusCheck  bool          // it does not understand Status-Server
	CheckInterval  time.Duration // between Status-Servers to a zombie or a dead one
	AnswersToAlive int           // answers to these in a row that make it alive
	ReviveInterval time.Duration // how long a dead one that answers no Status-Server is left alone
}

// withDefaults fills in what was left at zero.
func (c *Config) withDefaults() *Config {
	full := *c
	full.CleanupDelay = cmp.Or(full.CleanupDelay, DefaultCleanupDelay)
	full.RequestTime = cmp.Or(full.RequestTime, DefaultRequestTime)
	full.DecisionBudget = cmp.Or(full.DecisionBudget, DefaultDecisionBudget)
	full.MaxRequests = cmp.Or(full.MaxRequests, DefaultMaxRequests)
	return &full
}

func (a *AAA) withDefaults() *AAA {
	full := *a
	full.MaxSockets = cmp.Or(full.MaxSockets, DefaultMaxSockets)
	full.ResponseWindow = cmp.Or(full.ResponseWindow, DefaultResponseWindow)
	full.ZombiePeriod = cmp.Or(full.ZombiePeriod, DefaultZombiePeriod)
	full.CheckInterval = cmp.Or(full.CheckInterval, DefaultCheckInterval)
	full.AnswersToAlive = cmp.Or(full.AnswersToAlive, DefaultAnswersToAlive)
	full.ReviveInterval = cmp.Or(full.ReviveInterval, DefaultReviveInterval)
	return &full
}
