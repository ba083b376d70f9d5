package dict

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// wordsLength is how long Saying.Words may be: a million sessions keep them.
const wordsLength = 96

// words makes Saying.Words.
func (s Saying) words() string {
	whole := strings.Join(s.Text, ", ")
	switch {
	case whole == "":
		return "nothing"
	case len(whole) <= wordsLength:
		return whole
	}
	sum := fnv.New32a()
	_, _ = sum.Write(s.Wire) // never fails
	end := fmt.Sprintf("… (%08x)", sum.Sum32())
	return strings.ToValidUTF8(whole[:wordsLength-len(end)], "") + end
}

// putInWords completes the sayings.
func (p *Profile) putInWords() {
	for _, sayings := range []map[string]Saying{p.login, p.coa} {
		for action, s := range sayings {
			s.Words = s.words()
			sayings[action] = s
		}
	}
}

// Outdated reports whether a router that was told an action in those words (see
// Saying.Words) does not do what the profile says for it by now: neither an
// Accept nor a CoA would use them. Empty words are not known and never outdated,
// nor are those of an action that the profile does not say.
func (p *Profile) Outdated(action, words string) bool {
	login, atLogin := p.login[action]
	live, byCoA := p.coa[action]
	return words != "" && (atLogin || byCoA) && !(atLogin && login.Words == words) && !(byCoA && live.Words == words)
}
