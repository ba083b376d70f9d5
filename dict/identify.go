package dict

import (
	"slices"
	"strings"

	"sekisho/engine/yamldoc"
)

// Identification is how sessions are named to one kind of router, by numbers
// of attributes. Whoever sends has the values: each as the router itself sent
// it, octet for octet (RFC 5176 section 3).
type Identification struct {
	NAS        []Key // names of the router: the first that is known is sent
	CoA        []Way // the first of which everything is known is sent
	Disconnect []Way
}

// Way is a set of attributes that names a session; all of them are sent, since
// a router compares all it is sent and every further one is a way to fail.
type Way []Key

// ForCoA picks the attributes that name a session in a CoA-Request, of those
// that are known of it; false when none of the ways is known whole.
func (i Identification) ForCoA(known func(Key) bool) ([]Key, bool) { return i.pick(i.CoA, known) }

// ForDisconnect is ForCoA for a Disconnect-Request.
func (i Identification) ForDisconnect(known func(Key) bool) ([]Key, bool) {
	return i.pick(i.Disconnect, known)
}

func (i Identification) pick(ways []Way, known func(Key) bool) ([]Key, bool) {
	for _, way := range ways {
		if slices.ContainsFunc(way, func(k Key) bool { return !known(k) }) {
			continue
		}
		if n := slices.IndexFunc(i.NAS, known); n >= 0 {
			return append([]Key{i.NAS[n]}, way...), true
		}
		return slices.Clone(way), true
	}
	return nil, false
}

// What a profile that does not say names a session by. RFC 5176 section 3
// wants Acct-Session-Id, and User-Name beside it; l2tpns and NTT's routers
// show that neither can be counted on.
var (
	usualNAS  = yamldoc.Strings{"NAS-IP-Address", "NAS-IPv6-Address", "NAS-Identifier"}
	usualWays = yamldoc.Strings{"Acct-Session-Id + User-Name", "Acct-Session-Id"}
)

// identification reads the lists of attribute names of a profile.
func (c *profileCompiler) identification(s CoASpec) Identification {
	var id Identification
	for i, name := range orStrings(s.NAS, usualNAS) {
		if way := c.way([]any{"coa", "nas", i}, name); way != nil {
			id.NAS = append(id.NAS, way...)
		}
	}
	id.CoA = c.ways("identify", orStrings(s.Identify, usualWays))
	id.Disconnect = id.CoA
	if s.IdentifyToDisconnect != nil {
		id.Disconnect = c.ways("identify-to-disconnect", s.IdentifyToDisconnect)
	}
	return id
}

func orStrings(s, otherwise yamldoc.Strings) yamldoc.Strings {
	if s == nil {
		return otherwise
	}
	return s
}

func (c *profileCompiler) ways(key string, texts yamldoc.Strings) []Way {
	var ways []Way
	for i, text := range texts {
		if way := c.way([]any{"coa", key, i}, text); way != nil {
			ways = append(ways, way)
		}
	}
	return ways
}

// way reads NAME + NAME.
func (c *profileCompiler) way(path []any, text string) Way {
	var way Way
	for _, name := range strings.Split(text, "+") {
		a, ok := c.dictionary.Lookup(strings.TrimSpace(name))
		if !ok {
			c.fault(path, "the dictionary has no attribute %q: expected names such as Acct-Session-Id + User-Name", strings.TrimSpace(name))
			return nil
		}
		if !identifies(a) {
			c.fault(path, "%s names no session and no router (RFC 5176 section 3)", a.Name)
			return nil
		}
		way = append(way, a.Key)
	}
	return way
}

// identifies reports whether an attribute may name a session or a NAS: the
// lists of RFC 5176 section 3, and vendors' own.
func identifies(a *Attribute) bool {
	if a.Vendor != 0 {
		return a.Cipher == Clear
	}
	switch a.Number {
	case 1, 4, 5, 8, 30, 31, 32, 44, 50, 87, 89, 95, 96, 97, 123:
		return true
	}
	return false
}
