package config

import (
	"bytes"
	"net/netip"
	"strings"

	"sekisho/engine/yamldoc"
	"sekisho/radius"
)

// nases compiles the nas section.
func (c *compiler) nases() []radius.NAS {
	if len(c.spec.NAS) == 0 {
		c.problem([]any{"nas"}, "expected at least one NAS")
	}
	var nases []radius.NAS
	first := map[netip.Prefix]known{}
	names := map[identity]string{}
	for _, e := range c.spec.NAS {
		path := []any{"nas", e.Key}
		secret, octets := c.secret(path, e.Value.Secret, e.Value.SecretFile)
		n := radius.NAS{
			Name:            e.Key,
			Source:          e.Value.Source.Prefix,
			Address:         e.Value.NASIPAddress.Addr,
			Identifier:      e.Value.Identifier,
			Secret:          secret,
			Area:            e.Value.Area,
			Profile:         c.profile(path, e.Value.Profile),
			RequireMA:       requirement[e.Value.RequireMA],
			LimitProxyState: e.Value.LimitProxyState,
			ReplyMA:         replyMA[e.Value.ReplyMA],
			MaxOutstanding:  e.Value.MaxOutstanding,
		}
		nases = append(nases, n)
		c.checkArea(path, n.Area)
		if n.ReplyMA != radius.ReplyMAAlways {
			c.warning(with(path, "reply-message-authenticator"), "answers to this NAS can be forged without one (CVE-2024-3596): only for a router that cannot read answers with it")
		}
		if !n.Source.IsValid() || octets == nil {
			continue // reported already
		}
		c.checkSource(path, first, n, octets)
		c.checkIdentity(path, names, n)
		if n.RequireMA == radius.Auto && !n.Source.IsSingleIP() {
			c.problem(with(path, "require-message-authenticator"), "auto is for one NAS, and the source %s is many: say no or require", n.Source)
		}
	}
	return nases
}

var requirement = map[string]radius.Requirement{
	"no":      radius.No,
	"auto":    radius.Auto,
	"require": radius.Require,
}

var replyMA = map[string]radius.ReplyMA{
	"always": radius.ReplyMAAlways,
	"echo":   radius.ReplyMAEcho,
	"never":  radius.ReplyMANever,
}

// known is the first NAS of a source, whose secret the others must share.
type known struct {
	name   string
	secret []byte
}

// checkSource holds that one source has one secret: it is chosen before
// anything in the packet can be believed (RFC 2865 section 3).
func (c *compiler) checkSource(path []any, first map[netip.Prefix]known, n radius.NAS, secret []byte) {
	before, ok := first[n.Source]
	if !ok {
		first[n.Source] = known{n.Name, secret}
		return
	}
	if !bytes.Equal(before.secret, secret) {
		c.problem(path, "expected the same secret as %s, which has the same source %s: the secret is chosen by the source alone", before.name, n.Source)
	}
}

// identity is how a packet tells which NAS it comes from.
type identity struct {
	source     netip.Prefix
	address    netip.Addr
	identifier string
}

func (c *compiler) checkIdentity(path []any, names map[identity]string, n radius.NAS) {
	id := identity{n.Source, n.Address, n.Identifier}
	if other, taken := names[id]; taken {
		c.problem(path, "cannot be told apart from %s: the same source %s needs another nas-ip-address or nas-identifier", other, n.Source)
		return
	}
	names[id] = n.Name
}

// checkArea warns of an area that the policy has never heard of, where it asks
// for areas at all: nearly always another spelling.
func (c *compiler) checkArea(path []any, area string) {
	if area == "" || c.policy == nil || len(c.policy.Areas()) == 0 {
		return
	}
	if _, known := c.policy.Area(area); !known {
		c.warning(with(path, "area"), "policy %s has no area %q; %s", c.policy.Name, area, yamldoc.Suggest(area, c.policy.Areas()))
	}
}

// normalRealm is a realm as packets are looked up by: in lower case.
func normalRealm(realm string) string { return strings.ToLower(strings.TrimPrefix(realm, "@")) }
