package engine

import (
	"slices"
	"strings"
)

// A context is how a session may be: it logs in so, there, over such a line.
type context struct {
	login    string // pattern
	from, to reading
	nas      NAS
	request  []Attribute
	line     []string // the request in words; nil if no policy asks for any
}

// A reading is how one policy reads a login pattern.
type reading struct {
	login   Login
	account bool // that it finds the account which logs in
}

// contextsOf are all contexts between which one of the policies may make a difference.
func contextsOf(from, to *Policy, nases []NAS) []context {
	var all []context
	lines := requests(from, to)
	for _, nas := range distinguished(from, to, nases) {
		for _, match := range matches(from, to) {
			for _, request := range lines {
				c := context{login: match, from: read(from, match), to: read(to, match), nas: nas, request: request}
				if len(lines) > 1 {
					c.line = []string{inWords(request)}
				}
				all = append(all, c)
			}
		}
	}
	return all
}

// distinguished leaves one NAS of each area; all of them if a policy asks for a NAS by its name.
func distinguished(from, to *Policy, nases []NAS) []NAS {
	if len(from.asked(nasKey))+len(to.asked(nasKey)) > 0 {
		return nases
	}
	var kept []NAS
	for _, n := range nases {
		if !slices.ContainsFunc(kept, func(k NAS) bool { return sameFolded(k.Area, n.Area) }) {
			kept = append(kept, n)
		}
	}
	return kept
}

func matches(from, to *Policy) []string {
	var all []string
	for _, l := range slices.Concat(from.Logins, to.Logins) {
		for _, match := range realmsOf(l.Match, from, to) {
			if !slices.Contains(all, match) {
				all = append(all, match)
			}
		}
	}
	return all
}

// realmsOf puts every realm that a rule asks for, and one that none does, in the place of {realm}.
func realmsOf(match string, policies ...*Policy) []string {
	if !strings.HasSuffix(match, "@"+realmMark) {
		return []string{match}
	}
	local := strings.TrimSuffix(match, realmMark)
	all := []string{match}
	for _, p := range policies {
		for _, realm := range p.asked(realmKey) {
			all = append(all, local+realm)
		}
	}
	return all
}

// sample stands for an account in a login; no policy has it as a prefix or suffix.
const sample = "\uf8ff"

func read(p *Policy, match string) reading {
	l := p.ReadLogin(strings.Replace(match, accountMark, sample, 1))
	return reading{l, l.Account == sample}
}

// requests are a session that sends no attribute, and for every value that a policy asks for one that sends it.
func requests(from, to *Policy) [][]Attribute {
	all := [][]Attribute{nil}
	for _, p := range []*Policy{from, to} {
		questions := p.questions()
		for _, name := range p.RequestAttributes() {
			for _, q := range questions[fact{requestKey, name}] {
				request := []Attribute{{name, q.Choices[0].example()}}
				if !slices.ContainsFunc(all, func(r []Attribute) bool { return slices.Equal(r, request) }) {
					all = append(all, request)
				}
			}
		}
	}
	return all
}

func inWords(request []Attribute) string {
	var words []string
	for _, a := range request {
		words = append(words, a.Name+"="+a.Value)
	}
	return strings.Join(words, " ")
}
