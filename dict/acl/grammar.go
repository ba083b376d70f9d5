package acl

import (
	"regexp"
	"strings"
)

// families is a set of address families.
type families uint8

const (
	ipv4 families = 1 << iota
	ipv6
	both = ipv4 | ipv6
)

func (f families) String() string {
	return [...]string{ipv4: "IPv4", ipv6: "IPv6", both: "IPv4 and IPv6"}[f]
}

// grammar is as much of a router's configuration as it takes to find the
// filters it defines.
type grammar struct {
	comment  string           // marks at the beginning of a line that make it one
	sections []section        // lines that say which family the following are about
	filters  []filterPatterns // lines that define a filter
}

type section struct {
	line     *regexp.Regexp
	families families
}

// filterPatterns finds definitions; the pattern's only group is the name.
type filterPatterns struct {
	line     *regexp.Regexp
	families families // 0: those of the section
}

func defines(families families, pattern string) filterPatterns {
	return filterPatterns{regexp.MustCompile(pattern), families}
}

func begins(families families, pattern string) section {
	return section{regexp.MustCompile(pattern), families}
}

// nftables are sets, in whose name the members stand.
var nftables = grammar{
	comment:  "#",
	sections: []section{begins(ipv4, `^\s*table ip `), begins(ipv6, `^\s*table ip6 `), begins(both, `^\s*table inet `)},
	filters:  []filterPatterns{defines(0, `^\s*(?:add )?set (?:inet|ip|ip6)? ?(?:sekisho )?(\S+) \{`)},
}

var accessLists = grammar{
	comment: "!",
	filters: []filterPatterns{
		defines(ipv4, `^\s*ip access-list (?:extended|standard) (\S+)`),
		defines(ipv4, `^\s*access-list (\d+) `),
		defines(ipv6, `^\s*ipv6 access-list (\S+)`),
	},
}

// grammars are those of the routers that hold filters by name.
var grammars = map[string]grammar{
	"generic":   accessLists,
	"cisco-ios": accessLists,
	"cisco-xr": {comment: "!", filters: []filterPatterns{
		defines(ipv4, `^\s*ipv4 access-list (\S+)`), defines(ipv6, `^\s*ipv6 access-list (\S+)`),
	}},
	"juniper-mx": {comment: "#/", sections: []section{begins(ipv4, `^\s*family inet \{`), begins(ipv6, `^\s*family inet6 \{`)}, filters: []filterPatterns{
		defines(ipv4, `^\s*set (?:\S+ )*?firewall (?:family inet )?filter "?([^\s"]+)`),
		defines(ipv6, `^\s*set (?:\S+ )*?firewall family inet6 filter "?([^\s"]+)`),
		defines(0, `^\s*filter "?([^\s"]+)"? \{`),
	}},
	"juniper-erx": {comment: "!", filters: []filterPatterns{
		defines(ipv4, `^\s*ip policy-list (\S+)`), defines(ipv6, `^\s*ipv6 policy-list (\S+)`),
	}},
	"huawei": {comment: "#", filters: []filterPatterns{defines(both, `^\s*user-group (\S+)`)}},
	"nokia-sros": {comment: "#", filters: []filterPatterns{
		defines(ipv4, `(?:^|\s|/)ip-filter "?([^\s"]+)`), defines(ipv6, `(?:^|\s|/)ipv6-filter "?([^\s"]+)`),
	}},
	"ericsson": {comment: "!", filters: []filterPatterns{defines(ipv4, `^\s*ip access-list (\S+)`)}},
	"mikrotik": {comment: "#", sections: []section{begins(ipv4, `^/ip firewall`), begins(ipv6, `^/ipv6 firewall`)}, filters: []filterPatterns{
		defines(0, `\ssrc-address-list="?([^\s"]+)`),
	}},
	"l2tpns":       {comment: "#", filters: []filterPatterns{defines(ipv4, `^\s*ip access-list (?:extended|standard) "?([^\s"]+)`)}},
	"accel-ppp":    nftables,
	"strongswan":   nftables,
	"address-pool": nftables,
	"hostapd":      nftables,
}

// defined is a filter that a configuration defines.
type defined struct {
	name     string
	families families
	line     int
}

// read finds the filters that a configuration defines, in its order.
func (g grammar) read(text string) []defined {
	var found []defined
	current := ipv4
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r \t")
		if trimmed := strings.TrimLeft(line, " \t\uFEFF"); trimmed == "" || strings.ContainsRune(g.comment, rune(trimmed[0])) {
			continue
		}
		for _, s := range g.sections {
			if s.line.MatchString(line) {
				current = s.families
			}
		}
		for _, f := range g.filters {
			if m := f.line.FindStringSubmatch(line); m != nil {
				found = append(found, defined{m[1], orFamilies(f.families, current), i + 1})
			}
		}
	}
	return found
}

func orFamilies(f, otherwise families) families {
	if f == 0 {
		return otherwise
	}
	return f
}
