package radius

import (
	"net/netip"
	"testing"
)

func TestNASTable(t *testing.T) {
	t.Parallel()
	secrets := map[string]*Secret{}
	entry := func(name, source, address, identifier string) NAS {
		if secrets[source] == nil {
			secrets[source] = NewSecret([]byte(source))
		}
		n := NAS{Name: name, Source: netip.MustParsePrefix(source), Identifier: identifier, Secret: secrets[source]}
		if address != "" {
			n.Address = netip.MustParseAddr(address)
		}
		return n
	}
	table := newNASTable([]NAS{
		entry("wide", "10.0.0.0/8", "", ""),
		entry("narrow", "10.1.0.0/16", "", ""),
		entry("host", "10.1.2.3/32", "", ""),
		entry("by source", "192.0.2.1/32", "", ""),
		entry("by identifier", "192.0.2.1/32", "", "bras7"),
		entry("by address", "192.0.2.1/32", "198.51.100.7", ""),
		entry("by both", "192.0.2.1/32", "198.51.100.7", "bras7"),
		entry("by IPv6 address", "192.0.2.1/32", "2001:db8::7", ""),
		entry("named only", "192.0.2.2/32", "", "bras8"),
		entry("v6", "2001:db8::/32", "", ""),
		entry("v6 narrow", "2001:db8:1::/48", "", ""),
		entry("unaligned", "172.16.5.9/12", "", ""),
	}, newRegistry())
	const ip7, ip6, id7, id8 = "0406c6336407", "5f1220010db8000000000000000000000007", "20076272617337", "20076272617338"
	tests := []struct{ name, from, attributes, want, secret string }{
		{"longest prefix: host", "10.1.2.3", "", "host", "10.1.2.3/32"},
		{"longest prefix: narrow", "10.1.2.4", "", "narrow", "10.1.0.0/16"},
		{"longest prefix: wide", "10.2.0.1", "", "wide", "10.0.0.0/8"},
		{"host bits of an entry", "172.31.0.1", "", "unaligned", "172.16.5.9/12"},
		{"no match", "11.0.0.1", "", "", ""},
		{"by source", "192.0.2.1", "", "by source", "192.0.2.1/32"},
		{"by another identifier", "192.0.2.1", id8, "by source", "192.0.2.1/32"},
		{"by identifier", "192.0.2.1", id7, "by identifier", "192.0.2.1/32"},
		{"by address", "192.0.2.1", ip7, "by address", "192.0.2.1/32"},
		{"another address, below", "192.0.2.1", "0406c6336406", "by source", "192.0.2.1/32"},
		{"another address, above", "192.0.2.1", "0406c6336408", "by source", "192.0.2.1/32"},
		{"address before identifier", "192.0.2.1", ip7 + id8, "by address", "192.0.2.1/32"},
		{"by both", "192.0.2.1", id7 + ip7, "by both", "192.0.2.1/32"},
		{"by IPv6 address", "192.0.2.1", ip6, "by IPv6 address", "192.0.2.1/32"},
		{"an address of 3 octets is none", "192.0.2.1", "0405c63364", "by source", "192.0.2.1/32"},
		{"an address is not asked for the secret", "10.2.0.1", ip7, "wide", "10.0.0.0/8"},
		{"named", "192.0.2.2", id8, "named only", "192.0.2.2/32"},
		{"not by that name", "192.0.2.2", id7, "", "192.0.2.2/32"},
		{"not by any name", "192.0.2.2", "", "", "192.0.2.2/32"},
		{"an empty name", "192.0.2.2", "2002", "", "192.0.2.2/32"},
		{"IPv6", "2001:db8:2::1", "", "v6", "2001:db8::/32"},
		{"IPv6, longest prefix", "2001:db8:1::1", "", "v6 narrow", "2001:db8:1::/48"},
		{"IPv6, no match", "2001:db9::1", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			source := table.source(netip.MustParseAddr(tt.from))
			if source == nil || tt.secret == "" {
				if source != nil || tt.secret != "" {
					t.Errorf("source %v, want the one with the secret %q", source, tt.secret)
				}
				return
			}
			if source.secret != secrets[tt.secret] {
				t.Errorf("secret %q, want %q", source.secret.octets, tt.secret)
			}
			n := source.identify(append(make(packet, headerLen), unhex(t, tt.attributes)...))
			if got := nameOf(n); got != tt.want {
				t.Errorf("NAS %q, want %q", got, tt.want)
			}
		})
	}
}

func nameOf(n *nasEntry) string {
	if n == nil {
		return ""
	}
	return n.Name
}

func TestRoute(t *testing.T) {
	t.Parallel()
	atson, rest := &route{name: "atson"}, &route{name: "rest"}
	s := &snapshot{realms: map[string]*route{"atson.net": atson, "日本.jp": {name: "idn"}}}
	both := &snapshot{realms: map[string]*route{"atson.net": atson, "*": rest}}
	tests := []struct{ name, user, want, otherwise string }{
		{"realm", "u@atson.net", "atson", "atson"},
		{"capitals", "u@ATSON.Net", "atson", "atson"},
		{"last at sign", "u@other@atson.net", "atson", "atson"},
		{"not the last at sign", "u@atson.net@other", "", "rest"},
		{"a longer realm", "u@x.atson.net", "", "rest"},
		{"no realm", "atson.net", "", "rest"},
		{"empty realm", "u@", "", "rest"},
		{"no user", "@atson.net", "atson", "atson"},
		{"nothing", "", "", "rest"},
		{"other scripts by their octets", "u@日本.jp", "idn", "rest"},
		{"253 octets", "@" + string(make([]byte, 252)), "", "rest"},
		{"the mark for every other is no realm to ask for", "u@*", "", "rest"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := routeName(s.route([]byte(tt.user))); got != tt.want {
				t.Errorf("goes to %q, want %q", got, tt.want)
			}
			if got := routeName(both.route([]byte(tt.user))); got != tt.otherwise {
				t.Errorf("with a rest: goes to %q, want %q", got, tt.otherwise)
			}
		})
	}
}

func routeName(r *route) string {
	if r == nil {
		return ""
	}
	return r.name
}
