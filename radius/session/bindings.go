package session

import (
	"iter"
	"net/netip"
	"slices"
)

// bindings finds sessions by address. Nearly every address has one session;
// the others, of routers that use the same addresses or of a session whose
// Stop was lost, stand in a map of their own.
type bindings struct {
	first   map[netip.Prefix]*entry
	further map[netip.Prefix][]*entry
	lengths [2][129]int // how many addresses there are of each length, by family
}

func newBindings() bindings {
	return bindings{first: map[netip.Prefix]*entry{}, further: map[netip.Prefix][]*entry{}}
}

func (b *bindings) add(at netip.Prefix, e *entry) {
	b.lengths[family(at.Addr())][at.Bits()]++
	if b.first[at] == nil {
		b.first[at] = e
		return
	}
	b.further[at] = append(b.further[at], e)
}

func (b *bindings) remove(at netip.Prefix, e *entry) {
	b.lengths[family(at.Addr())][at.Bits()]--
	further := b.further[at]
	switch {
	case b.first[at] != e:
		further = slices.DeleteFunc(further, func(other *entry) bool { return other == e })
	case len(further) == 0:
		delete(b.first, at)
		return
	default:
		b.first[at], further = further[0], further[1:]
	}
	if len(further) == 0 {
		delete(b.further, at)
		return
	}
	b.further[at] = further
}

// covering yields the sessions with that address, or with a prefix that
// contains it, the narrowest first.
func (b *bindings) covering(a netip.Addr) iter.Seq2[netip.Prefix, *entry] {
	return func(yield func(netip.Prefix, *entry) bool) {
		for bits := a.BitLen(); bits >= 0; bits-- {
			if b.lengths[family(a)][bits] == 0 {
				continue
			}
			at, err := a.Prefix(bits)
			if e := b.first[at]; err == nil && e != nil && !yield(at, e) {
				return
			}
			for _, e := range b.further[at] {
				if !yield(at, e) {
					return
				}
			}
		}
	}
}

func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}
