package dict

import (
	"fmt"
	"strings"
)

// smtp is the port that this is about; 465 and 587 are never filtered.
const smtp = 25

// limitAction is the action that throttles port 25 instead of closing it, in
// every shipped policy.
const limitAction = "limit"

// Limits reports whether the action throttles port 25 instead of closing it.
func (a Action) Limits() bool { return a.Name == limitAction }

// Rules are the rules of the action's filter as NAS-Filter-Rule carries them
// (RFC 4849 section 2, RFC 6733 section 4.3.1): NUL between two of them, TCP by
// its number, since that is what RFC 6733 allows. No rule can limit, so an
// action that limits permits.
func (a Action) Rules() string { return strings.Join(a.RuleList(), "\x00") }

// RuleList is Rules one by one.
func (a Action) RuleList() []string {
	const rest = "permit in ip from any to any"
	if a.Limits() {
		return []string{rest}
	}
	var rules []string
	for _, host := range a.Allow {
		for _, address := range host.Addresses {
			rules = append(rules, fmt.Sprintf("permit in 6 from any to %s/%d %d", address, address.BitLen(), smtp))
		}
	}
	return append(rules, fmt.Sprintf("deny in 6 from any to any %d", smtp), rest)
}

// doubtRules warns of what the rules of an action cannot say.
func (c *profileCompiler) doubtRules(path []any, sayings Sayings, action Action) {
	for _, templates := range sayings {
		for _, template := range templates {
			if !strings.Contains(template, "{rules}") {
				continue
			}
			if action.Limits() {
				c.warn(path, "action %s: no filter rule limits, so the router is told to permit everything", action.Name)
			}
			if n := len(action.RuleList()); c.spec.MostRules > 0 && n > c.spec.MostRules {
				c.warn(path, "action %s: takes %d rules, and the router takes %d", action.Name, n, c.spec.MostRules)
			}
		}
	}
}
