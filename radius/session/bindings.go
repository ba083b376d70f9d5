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
	first   map[spot]*entry
	further map[spot][]*entry
	lengths [2][129]int // how many addresses there are of each length, by family
}

// spot is an address or a prefix as a key without pointers: family, length,
// octets.
type spot [18]byte

func spotOf(p netip.Prefix) spot {
	s := spot{byte(family(p.Addr())), byte(p.Bits())}
	a := p.Masked().Addr().As16()
	copy(s[2:], a[:])
	return s
}

func newBindings() bindings {
	return bindings{first: map[spot]*entry{}, further: map[spot][]*entry{}}
}

func (b *bindings) add(p netip.Prefix, e *entry) {
	at := spotOf(p)
	b.lengths[at[0]][at[1]]++
	if b.first[at] == nil {
		b.first[at] = e
		return
	}
	b.further[at] = append(b.further[at], e)
}

func (b *bindings) remove(p netip.Prefix, e *entry) {
	at := spotOf(p)
	b.lengths[at[0]][at[1]]--
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
			p, _ := a.Prefix(bits) // of no other length than it can have
			at := spotOf(p)
			if e := b.first[at]; e != nil && !yield(p, e) {
				return
			}
			for _, e := range b.further[at] {
				if !yield(p, e) {
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
