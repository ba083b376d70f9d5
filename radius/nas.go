package radius

import (
	"net/netip"
	"slices"
)

// nasEntry is a NAS together with what is counted for it.
type nasEntry struct {
	NAS
	counters *nasCounters
	lens     *Lens
}

// source is an address range that packets come from: one secret, and the NASes
// that speak from there.
type source struct {
	secret  *Secret
	entries []*nasEntry // most particular first
}

// nasTable finds the NAS of a packet.
type nasTable struct {
	lengths []int // prefix lengths in use, longest first
	sources map[netip.Prefix]*source
}

func newNASTable(nases []NAS, counters *registry) *nasTable {
	t := &nasTable{sources: map[netip.Prefix]*source{}}
	for _, n := range nases {
		prefix := n.Source.Masked()
		s := t.sources[prefix]
		if s == nil {
			s = &source{secret: n.Secret}
			t.sources[prefix] = s
		}
		s.entries = append(s.entries, &nasEntry{NAS: n, counters: counters.nas(n.Name)})
		if !slices.Contains(t.lengths, sourceLength(prefix)) {
			t.lengths = append(t.lengths, sourceLength(prefix))
		}
	}
	slices.SortFunc(t.lengths, func(a, b int) int { return b - a })
	for _, s := range t.sources {
		slices.SortStableFunc(s.entries, func(a, b *nasEntry) int { return b.particularity() - a.particularity() })
	}
	return t
}

// sourceLength orders IPv4 and IPv6 prefixes among their own kind only: a
// prefix of the other family never contains the address.
func sourceLength(p netip.Prefix) int { return p.Bits() }

// source returns the narrowest range that contains the address.
func (t *nasTable) source(from netip.Addr) *source {
	for _, bits := range t.lengths {
		prefix, err := from.Prefix(bits)
		if err != nil {
			continue // longer than an address of this family
		}
		if s, ok := t.sources[prefix]; ok {
			return s
		}
	}
	return nil
}

// particularity orders the NASes behind one source: those that are named by
// NAS-IP(v6)-Address, then by NAS-Identifier, then the one known by the source
// alone.
func (n *nasEntry) particularity() int {
	rank := 0
	if n.Address.IsValid() {
		rank += 2
	}
	if n.Identifier != "" {
		rank++
	}
	return rank
}

// only returns the NAS that must have sent even what cannot be read, nil where
// the source is that of several.
func (s *source) only() *nasEntry {
	if len(s.entries) != 1 {
		return nil
	}
	return s.entries[0]
}

// identify tells which of the NASes behind the source sent the packet; nil if
// none of them gives itself that name. A Status-Server comes from whatever
// stands at that address, often a proxy, which need not use any of the names.
func (s *source) identify(p packet) *nasEntry {
	for _, n := range s.entries {
		if n.speaks(p) {
			return n
		}
	}
	if p.code() == statusServer {
		return s.entries[len(s.entries)-1]
	}
	return nil
}

func (n *nasEntry) speaks(p packet) bool {
	if n.Address.IsValid() && !namesAddress(p, n.Address) {
		return false
	}
	return n.Identifier == "" || string(p.find(typeNASIdentifier)) == n.Identifier
}

func namesAddress(p packet, want netip.Addr) bool {
	typ := byte(typeNASIPv6Address)
	if want.Is4() {
		typ = typeNASIPAddress
	}
	got, ok := netip.AddrFromSlice(p.find(typ))
	return ok && got == want
}
