package session

import (
	"strings"
	"unique"

	"sekisho/engine"
)

// word is one of the few texts that many sessions share, actions, rules,
// realms, in the space of a pointer. The zero word is the empty text.
type word struct{ text unique.Handle[string] }

func wordOf(s string) word {
	if s == "" {
		return word{}
	}
	return word{unique.Make(s)}
}

func (w word) String() string {
	if w == (word{}) {
		return ""
	}
	return w.text.Value()
}

// shared keeps one copy of each of the few sets of request attributes that
// sessions have. Beyond its limit it keeps no more.
type shared map[string][]engine.Attribute

const maxShared = 1 << 12

func (s shared) facts(request []engine.Attribute) []engine.Attribute {
	if len(request) == 0 {
		return nil
	}
	var room [256]byte
	key := room[:0]
	for _, a := range request {
		key = append(append(append(append(key, a.Name...), 0), a.Value...), 0)
	}
	if known, ok := s[string(key)]; ok {
		return known
	}
	own := make([]engine.Attribute, len(request))
	for i, a := range request {
		own[i] = engine.Attribute{Name: wordOf(a.Name).String(), Value: strings.Clone(a.Value)}
	}
	if len(s) < maxShared {
		s[string(key)] = own
	}
	return own
}
