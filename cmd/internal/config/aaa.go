package config

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"sekisho/engine/yamldoc"
	"sekisho/radius"
)

// The ports of RFC 2865 and RFC 2866.
const (
	defaultAuthPort = 1812
	defaultAcctPort = 1813
)

// realms compiles the aaa section down to the pool of each realm.
func (c *compiler) realms() map[string]*radius.Pool {
	pools := c.pools(c.servers())
	realms := map[string]*radius.Pool{}
	if len(c.spec.AAA.Realms) == 0 {
		c.problem([]any{"aaa", "realms"}, "expected at least one realm; * covers every User-Name")
	}
	for _, e := range c.spec.AAA.Realms {
		pool, ok := pools[e.Value]
		if !ok {
			c.problem([]any{"aaa", "realms", e.Key}, "there is no pool %q; %s", e.Value, yamldoc.Suggest(e.Value, c.spec.AAA.Pools.Keys()))
			continue
		}
		realm := normalRealm(e.Key)
		if _, twice := realms[realm]; twice {
			c.problem([]any{"aaa", "realms", e.Key}, "the realm stands twice: realms do not differ by case")
		}
		realms[realm] = pool
	}
	if _, ok := realms["*"]; !ok && len(realms) > 0 {
		c.warning([]any{"aaa", "realms"}, "there is no realm *: packets without a User-Name, such as Accounting-On, have nowhere to go")
	}
	return realms
}

func (c *compiler) servers() map[string]*radius.AAA {
	servers := map[string]*radius.AAA{}
	for _, e := range c.spec.AAA.Servers {
		servers[e.Key] = c.server([]any{"aaa", "servers", e.Key}, e.Key, e.Value)
	}
	c.aaa = servers
	return servers
}

func (c *compiler) server(path []any, name string, s serverSpec) *radius.AAA {
	secret, _ := c.secret(path, s.Secret, s.SecretFile)
	duration := func(d yamldoc.Duration, key string) time.Duration { return c.positive(d, with(path, key)...) }
	server := &radius.AAA{
		Name:           name,
		Auth:           port(s.Address.Addr, s.AuthPort, defaultAuthPort),
		Acct:           port(s.Address.Addr, s.AcctPort, defaultAcctPort),
		Source:         s.Source.Addr,
		Secret:         secret,
		RequireMA:      requirement[s.RequireMA],
		NoProxyState:   s.ProxyState != nil && !*s.ProxyState,
		MaxSockets:     s.MaxSockets,
		ResponseWindow: duration(s.ResponseWindow, "response-window"),
		ZombiePeriod:   duration(s.ZombiePeriod, "zombie-period"),
		NoStatusCheck:  s.StatusCheck == "none",
		CheckInterval:  duration(s.CheckInterval, "check-interval"),
		AnswersToAlive: s.AnswersToAlive,
		ReviveInterval: duration(s.ReviveInterval, "revive-interval"),
	}
	c.checkServer(path, server, s)
	return server
}

func port(addr netip.Addr, said *int, otherwise int) netip.AddrPort {
	if said != nil {
		otherwise = *said
	}
	if !addr.IsValid() || otherwise == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr, uint16(otherwise))
}

// checkServer finds servers that cannot work.
func (c *compiler) checkServer(path []any, server *radius.AAA, s serverSpec) {
	if s.Address.IsValid() && !server.Auth.IsValid() && !server.Acct.IsValid() {
		c.problem(path, "expected an auth-port or an acct-port other than 0")
	}
	if s.Source.IsValid() && s.Address.IsValid() && s.Source.Is4() != s.Address.Is4() {
		c.problem(with(path, "source"), "expected an address of the same family as %s", s.Address)
	}
	for _, own := range append(append([]addrPort(nil), c.spec.Listen.Auth...), c.spec.Listen.Acct...) {
		if loops(own.AddrPort, server.Auth) || loops(own.AddrPort, server.Acct) {
			c.problem(with(path, "address"), "%s is where this proxy listens: it would forward to itself", own.AddrPort)
		}
	}
}

// loops reports whether a packet to a server would arrive at a listener of
// ours. A wildcard listener takes what is sent to any address of this machine.
func loops(own, server netip.AddrPort) bool {
	if !own.Addr().IsUnspecified() {
		return own == server
	}
	return own.Port() == server.Port() && own.Addr().Is4() == server.Addr().Is4() && ofThisMachine(server.Addr())
}

func ofThisMachine(a netip.Addr) bool {
	if a.IsLoopback() {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(addrs, func(own net.Addr) bool {
		p, err := netip.ParsePrefix(own.String())
		return err == nil && p.Addr() == a
	})
}

func (c *compiler) pools(servers map[string]*radius.AAA) map[string]*radius.Pool {
	pools := map[string]*radius.Pool{}
	for _, e := range c.spec.AAA.Pools {
		pool := &radius.Pool{Name: e.Key}
		if len(e.Value.Servers) == 0 {
			c.problem([]any{"aaa", "pools", e.Key, "servers"}, "expected at least one server")
		}
		for i, name := range e.Value.Servers {
			server, ok := servers[name]
			if !ok {
				c.problem([]any{"aaa", "pools", e.Key, "servers", i}, "there is no server %q; %s", name, yamldoc.Suggest(name, c.spec.AAA.Servers.Keys()))
				continue
			}
			pool.Servers = append(pool.Servers, server)
		}
		pools[e.Key] = pool
	}
	return pools
}
