// Package acl writes the router's side of a policy: configuration text with
// the filters that a profile's attributes name, from the hosts that the policy
// allows. It also reads such a configuration to find which filters it lacks.
//
// It speaks to no router; the grammar of each stands in the templates beside
// it, and docs/routers.md says where that was taken from.
package acl

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"text/template"

	"sekisho/dict"
)

// Rate is how much an action that limits lets through, for each subscriber.
type Rate struct {
	Kbps        int // where the router polices traffic: kbit/s
	Connections int // where it counts: new connections a minute
}

// UsualRate serves a mail client and starves a mass sender.
var UsualRate = Rate{Kbps: 64, Connections: 10}

// Subject is what a text is about.
type Subject struct {
	Policy  string // its name
	Profile string // its name
	Spec    dict.ProfileSpec
	Actions []dict.Action // loosest first
	Rate    Rate
}

//go:embed routers/*.tmpl nftables.tmpl
var files embed.FS

var templates = sync.OnceValue(func() *template.Template {
	t := template.New("routers").Funcs(template.FuncMap{
		"header": header, "counter": newCounter,
		"add": func(a, b int) int { return a + b }, "mul": func(a, b int) int { return a * b },
	})
	return template.Must(t.ParseFS(files, "nftables.tmpl", "routers/*.tmpl")) // held by the tests
})

// Routers names the routers that there is text for, sorted.
func Routers() []string {
	found, err := fs.Glob(files, "routers/*.tmpl")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for i, name := range found {
		found[i] = strings.TrimSuffix(strings.TrimPrefix(name, "routers/"), ".tmpl")
	}
	slices.Sort(found)
	return found
}

// polices are the routers that can limit port 25 for each subscriber, or, as
// Nokia's, for all of them together.
var polices = map[string]bool{
	"juniper-mx": true, "juniper-erx": true, "huawei": true, "nokia-sros": true, "mikrotik": true,
	"accel-ppp": true, "strongswan": true, "hostapd": true, "address-pool": true,
}

// Text writes the configuration of a router for every action that has a
// filter, or for the one named only.
func Text(s Subject, action string) (string, error) {
	t := templates().Lookup(s.Spec.ACL + ".tmpl")
	if s.Spec.ACL == "" || t == nil {
		return "", fmt.Errorf("profile %s: there is no configuration text for its routers; acl: in the profile may name one of %s",
			s.Profile, strings.Join(Routers(), ", "))
	}
	page := page{Subject: s, Filters: s.filters(action)}
	if len(page.Filters) == 0 {
		return "", fmt.Errorf("policy %s: no action%s has a filter", s.Policy, of(action))
	}
	var text bytes.Buffer
	if err := t.Execute(&text, page); err != nil {
		return "", fmt.Errorf("router text %s: %w", s.Spec.ACL, err)
	}
	return text.String(), nil
}

func of(action string) string {
	if action == "" {
		return ""
	}
	return " " + action
}

// page is what a template is filled with.
type page struct {
	Subject
	Filters []Filter
}

// Filter is one filter on the router.
type Filter struct {
	Action         string // of the policy; empty for the open filter
	IPv4, IPv6     string // its name for each address family; IPv6 is empty where the router is told none
	Open           bool   // permits everything: the profile's open-filter
	Limits         bool   // lets a little through
	Polices        bool   // the router can; where it cannot, a filter that limits permits everything
	Allow4, Allow6 []Server
	Rules          []string // of RFC 4849
}

// Server is an address that stays reachable on port 25.
type Server struct {
	Host    string
	Address netip.Addr
}

// filters are those of the actions that have one, and the open filter.
func (s Subject) filters(action string) []Filter {
	var list []Filter
	if open := s.Spec.OpenFilter; open != "" && action == "" && s.Spec.NeedsOpenFilter() {
		f := Filter{Open: true}
		f.IPv4, f.IPv6 = s.Spec.Names.ForFamilies(open)
		list = append(list, f)
	}
	for _, a := range s.Actions {
		if a.Filter != "" && (action == "" || action == a.Name) {
			list = append(list, s.filter(a))
		}
	}
	return list
}

func (s Subject) filter(a dict.Action) Filter {
	f := Filter{Action: plain(a.Name), Limits: a.Limits(), Polices: polices[s.Spec.ACL], Rules: a.RuleList()}
	f.IPv4, f.IPv6 = s.Spec.Names.ForFamilies(a.Filter)
	for _, host := range a.Allow {
		for _, address := range host.Addresses {
			if address.Is4() {
				f.Allow4 = append(f.Allow4, Server{plain(host.Name), address})
			} else {
				f.Allow6 = append(f.Allow6, Server{plain(host.Name), address})
			}
		}
	}
	return f
}

// plain is a name of the policy for a comment or a description: a quotation
// mark or a line break in it would end what it stands in.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '"' || r == '\\' {
			return '_'
		}
		return r
	}, name)
}

// oneLine is a text for people for a comment.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// header is the comment that every text begins with; mark opens a comment line
// of the router.
func header(mark string, p page) string {
	lines := []string{
		"sekisho: filters of policy " + plain(p.Policy) + " for profile " + plain(p.Profile),
		oneLine(p.Spec.For),
		"Only TCP port 25 from subscribers is filtered; 465 and 587 are untouched. After a change of the",
		"policy's hosts or filters print this anew.",
		"",
	}
	for _, f := range p.Filters {
		lines = append(lines, f.describe())
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(strings.TrimRight(mark+" "+line, " ") + "\n")
	}
	return b.String()
}

// describe says in one line what a filter is for.
func (f Filter) describe() string {
	names := f.IPv4
	switch f.IPv6 {
	case "":
		names += " (IPv4 only)"
	case f.IPv4:
	default:
		names += ", " + f.IPv6
	}
	switch {
	case f.Open:
		return names + ": permits everything; takes a filter off a live session by CoA"
	case f.Limits && !f.Polices:
		return names + ": action " + f.Action + ", which these routers cannot limit: permits everything"
	case f.Limits:
		return names + ": action " + f.Action + ", port 25 is limited" + f.except()
	}
	return names + ": action " + f.Action + ", port 25 is closed" + f.except()
}

func (f Filter) except() string {
	var hosts []string
	for _, s := range slices.Concat(f.Allow4, f.Allow6) {
		if !slices.Contains(hosts, s.Host) {
			hosts = append(hosts, s.Host)
		}
	}
	if len(hosts) == 0 {
		return ", without exception"
	}
	return " but to " + strings.Join(hosts, ", ")
}

// family is an address family of nftables, with its filters.
type family struct {
	Table, Type string
	Filters     []familyFilter
}

type familyFilter struct {
	Name   string
	Limits bool
	Allow  []Server
}

// Ranges reports whether the sets hold ranges of addresses instead of single
// ones.
func (p page) Ranges() bool { return p.Spec.ACL == "address-pool" }

// Families are the filters for nftables, whose sets hold one family each.
func (p page) Families() []family {
	v4, v6 := family{Table: "ip", Type: "ipv4_addr"}, family{Table: "ip6", Type: "ipv6_addr"}
	for _, f := range p.Filters {
		if f.Open {
			continue
		}
		v4.Filters = append(v4.Filters, familyFilter{f.IPv4, f.Limits, f.Allow4})
		v6.Filters = append(v6.Filters, familyFilter{f.IPv6, f.Limits, f.Allow6})
	}
	return []family{v4, v6}
}

// counter numbers the lines of an access list.
type counter struct{ n, step int }

func newCounter(step int) *counter { return &counter{step: step} }

// Next is the next number.
func (c *counter) Next() int {
	c.n += c.step
	return c.n
}
