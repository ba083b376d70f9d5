package dict

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// NamesSpec says what the policy's filters are called on a router.
type NamesSpec struct {
	IPv4    string            `yaml:"ipv4,omitempty" jsonschema:"description=name of the IPv4 filter; {filter} if not said"`
	IPv6    string            `yaml:"ipv6,omitempty" jsonschema:"description=name of the IPv6 filter; none if the router cannot be told one"`
	Map     map[string]string `yaml:"map,omitempty" jsonschema:"description=the router's name for a filter of the policy; its own if not said"`
	Longest int               `yaml:"longest,omitempty" jsonschema:"minimum=1,maximum=253,description=octets of a name"`
	Pattern string            `yaml:"pattern,omitempty" jsonschema:"description=regular expression that a whole name must match"`
	Means   string            `yaml:"means,omitempty" jsonschema:"description=what the pattern demands in words"`
	Lowest  int               `yaml:"lowest,omitempty" jsonschema:"minimum=0,description=names are numbers and not below this one"`
	Highest int               `yaml:"highest,omitempty" jsonschema:"minimum=0,description=names are numbers and not above this one"`
	Numbers string            `yaml:"numbers,omitempty" jsonschema:"description=what the router takes a name of digits for: it is warned of; none if it is a name like any other"`
}

// noRate as rate-attribute: the operator has told the shaper to read none.
// plainNumbers as names.numbers: the router has no numbers that a name could be.
const (
	noRate       = "none"
	plainNumbers = "none"
)

// The limits that are known of routers, in octets: those of the shipped
// profiles, l2tpns the shortest, Cisco IOS XR and Juniper MX the longest.
const (
	shortestLimit = 31
	longestLimit  = 64
)

// aclNumber is what a number in Filter-Id may be taken for where nothing else is
// known: numbered access lists of Cisco IOS, 3000 to 3999 on Huawei's switches.
const aclNumber = "several routers take a number in Filter-Id for that of an access list"

// called is what the router calls a filter of the policy.
func (s NamesSpec) called(filter string) string {
	if own, ok := s.Map[filter]; ok {
		return own
	}
	return filter
}

// ForFamilies are the names of a filter of the policy on the router; ipv6 is
// empty where the router is told none.
func (s NamesSpec) ForFamilies(filter string) (ipv4, ipv6 string) {
	fill := strings.NewReplacer("{filter}", s.called(filter))
	return fill.Replace(or(s.IPv4, "{filter}")), fill.Replace(s.IPv6)
}

// filler replaces the placeholders by what they are for the action.
func (c *profileCompiler) filler(a Action) *strings.Replacer {
	ipv4, ipv6 := c.spec.Names.ForFamilies(a.Filter)
	return strings.NewReplacer("{filter}", c.spec.Names.called(a.Filter), "{ipv4}", ipv4, "{ipv6}", ipv6,
		"{rules}", a.Rules(), "{pool}", a.Pool, "{action}", a.Name)
}

// names checks every name that a router is to be told.
func (c *profileCompiler) names() {
	s := c.spec.Names
	pattern, err := regexp.Compile("^(?:" + s.Pattern + ")$")
	if err != nil {
		c.fault([]any{"names", "pattern"}, "names.pattern: %v", err)
		return
	}
	if s.IPv6 == "" && c.spec.tellsFamilies() {
		c.warn([]any{"names"}, "the router is told nothing for IPv6: port 25 stays open there unless its own configuration closes it")
	}
	if !c.spec.tellsNames() {
		return
	}
	for _, filter := range c.filters() {
		ipv4, ipv6 := s.ForFamilies(filter)
		for _, name := range slices.Compact([]string{ipv4, ipv6}) {
			if name != "" {
				c.checkName(s, pattern, filter, name)
			}
		}
	}
}

// tellsFamilies reports whether the profile has a name for IPv4 alone.
func (s ProfileSpec) tellsFamilies() bool {
	for _, templates := range s.Filtered {
		if slices.ContainsFunc(templates, func(t string) bool { return strings.Contains(t, "{ipv4}") }) {
			return true
		}
	}
	return false
}

// filters are the policy's names of the filters, and the open filter.
func (c *profileCompiler) filters() []string {
	var filters []string
	for _, a := range c.actions {
		if a.Filter != "" {
			filters = append(filters, a.Filter)
		}
	}
	if c.spec.OpenFilter != "" {
		filters = append(filters, c.spec.OpenFilter)
	}
	return filters
}

func (c *profileCompiler) checkName(s NamesSpec, pattern *regexp.Regexp, filter, name string) {
	path := []any{"names"}
	number, err := strconv.Atoi(name)
	switch {
	case s.Longest > 0 && len(name) > s.Longest:
		c.fault(path, "the filter name %q has %d octets, and the router takes %d", name, len(name), s.Longest)
	case s.Pattern != "" && !pattern.MatchString(name):
		c.fault(path, "the filter name %q: the router takes %s", name, or(s.Means, s.Pattern))
	case s.Highest > 0 && (err != nil || number < s.Lowest || number > s.Highest):
		c.fault(path, "the filter name %q: the router takes numbers from %d to %d: give it one under names: {map: {%s: …}}", name, s.Lowest, s.Highest, filter)
	case s.Pattern == "" && strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= unicode.MaxASCII }):
		c.warn(path, "the filter name %q: many routers take no blanks and nothing but printable ASCII in a name", name)
	case c.spec.RateAttribute != "" && err == nil:
		c.warn(path, "the filter name %q is a number, and the router's shaper reads numbers as a rate", name)
	case s.Highest == 0 && err == nil && c.numbers() != plainNumbers:
		c.warn(path, "the filter name %q is a number: %s", name, c.numbers())
	}
	if s.Longest == 0 && len(name) > shortestLimit {
		c.warn(path, "the filter name %q has %d octets: what this router takes is not known (names: {longest: …}); others take from %d to %d",
			name, len(name), shortestLimit, longestLimit)
	}
}

// numbers is what the router takes a name of digits for.
func (c *profileCompiler) numbers() string {
	if c.spec.Names.Numbers == "" && !c.spec.says("Filter-Id") {
		return plainNumbers
	}
	return or(c.spec.Names.Numbers, aclNumber)
}

// sayings are all that the profile says to a router.
func (s ProfileSpec) sayings() []Sayings {
	all := []Sayings{s.Filtered, s.Unfiltered, s.CoA.Filtered, s.CoA.Unfiltered}
	all = slices.AppendSeq(all, maps.Values(s.Actions))
	return slices.AppendSeq(all, maps.Values(s.CoA.Actions))
}

// says reports whether the profile says anything in an attribute.
func (s ProfileSpec) says(attribute string) bool {
	return slices.ContainsFunc(s.sayings(), func(said Sayings) bool { return said[attribute] != nil })
}

// tellsNames reports whether the router is told names of filters at all, rather
// than their rules.
func (s ProfileSpec) tellsNames() bool {
	for _, said := range s.sayings() {
		for _, templates := range said {
			if slices.ContainsFunc(templates, namesFilter) {
				return true
			}
		}
	}
	return s.OpenFilter != ""
}

func namesFilter(template string) bool {
	return strings.Contains(template, "{filter}") || strings.Contains(template, "{ipv4}") || strings.Contains(template, "{ipv6}")
}
