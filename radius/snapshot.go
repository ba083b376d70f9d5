package radius

import (
	"net/netip"

	"sekisho/dict"
	"sekisho/engine"
)

// snapshot is one configuration made ready to work by. A packet loads it once
// and its transaction keeps it: one packet sees one policy, one table, one set
// of secrets.
type snapshot struct {
	config  *Config
	nases   *nasTable
	realms  map[string]*route
	hidden  *hiddenSet
	dict    *dict.Dictionary
	policy  *engine.Policy
	asked   []askedAttribute
	peers   map[peerKey]*peer
	targets []*target
}

// route is where the packets of a realm go.
type route struct {
	name       string
	auth, acct []*target
}

// target is one port of an AAA server within one configuration.
type target struct {
	*AAA
	peer     *peer
	counters *aaaCounters
}

// peerKey tells which sockets can go on being used after a reload.
type peerKey struct {
	remote netip.AddrPort
	source netip.Addr
}

// askedAttribute is a request attribute that a rule of the policy asks about.
type askedAttribute struct {
	name string
	attr *dict.Attribute
}

// compile makes a configuration ready, taking over what is already open.
func (p *Proxy) compile(c *Config) *snapshot {
	s := &snapshot{
		config: c,
		nases:  newNASTable(c.NAS, p.counters),
		realms: map[string]*route{},
		hidden: newHiddenSet(c.Dictionary),
		dict:   c.Dictionary,
		policy: c.Policy,
		peers:  map[peerKey]*peer{},
	}
	for _, n := range c.NAS {
		p.restore(&p.counters.nas(n.Name).latch, n.RequireMA)
	}
	for _, name := range c.Policy.RequestAttributes() {
		if a, ok := c.Dictionary.Lookup(name); ok {
			s.asked = append(s.asked, askedAttribute{name, a})
		}
	}
	s.nases.seenBy(s)
	pools, servers := map[*Pool]*route{}, map[*AAA]ports{}
	for realm, pool := range c.Realms {
		if pools[pool] == nil {
			pools[pool] = p.route(s, pool, servers)
		}
		s.realms[realm] = pools[pool]
	}
	return s
}

// ports are the two of a server, nil where it has only one.
type ports struct{ auth, acct *target }

func (p *Proxy) route(s *snapshot, pool *Pool, servers map[*AAA]ports) *route {
	r := &route{name: pool.Name}
	for _, server := range pool.Servers {
		if _, known := servers[server]; !known {
			servers[server] = p.ports(s, server)
		}
		if to := servers[server].auth; to != nil {
			r.auth = append(r.auth, to)
		}
		if to := servers[server].acct; to != nil {
			r.acct = append(r.acct, to)
		}
	}
	return r
}

func (p *Proxy) ports(s *snapshot, server *AAA) ports {
	server = server.withDefaults()
	counters := p.counters.aaa(server.Name)
	p.restore(&counters.latch, server.RequireMA)
	var both ports
	if server.Auth.IsValid() {
		both.auth = &target{server, p.peer(s, server, server.Auth), counters}
		s.targets = append(s.targets, both.auth)
	}
	if server.Acct.IsValid() {
		both.acct = &target{server, p.peer(s, server, server.Acct), counters}
		s.targets = append(s.targets, both.acct)
	}
	return both
}

// peer returns the sockets towards a port, those of the running configuration
// where it has them.
func (p *Proxy) peer(s *snapshot, server *AAA, remote netip.AddrPort) *peer {
	key := peerKey{remote, server.Source}
	if s.peers[key] == nil {
		if running := p.current.Load(); running != nil {
			s.peers[key] = running.peers[key]
		}
	}
	if s.peers[key] == nil {
		s.peers[key] = &peer{remote: remote, source: server.Source, proxy: p, serving: &p.others}
	}
	return s.peers[key]
}

// route returns where the packets of a User-Name go, by the realm after its
// last "@" (RFC 7542); nil when no realm covers it. It does not allocate.
func (s *snapshot) route(userName []byte) *route {
	var lower [253]byte
	if realm := foldRealm(lower[:0], userName); len(realm) > 0 {
		if r, ok := s.realms[string(realm)]; ok {
			return r
		}
	}
	return s.realms["*"]
}

// foldRealm appends the realm of a User-Name in lower case. Only ASCII is
// folded: realms in other scripts compare by their octets (RFC 7542 section
// 2.4).
func foldRealm(dst, userName []byte) []byte {
	at := len(userName)
	for at > 0 && userName[at-1] != '@' {
		at--
	}
	if at == 0 {
		return dst
	}
	for _, c := range userName[at:] {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
