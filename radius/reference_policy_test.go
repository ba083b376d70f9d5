package radius_test

import (
	"encoding/binary"
	"slices"
	"strings"

	"sekisho/engine"
	"sekisho/radius/radiustest"
)

// byLetter are subscribers whose contract the first letter of the account says.
type byLetter struct{}

func (byLetter) Subscriber(account string, f *engine.Facts) error {
	if course := map[byte]string{'a': "adsl", 'm': "mobile"}[account[0]]; course != "" {
		f.Contract = &engine.Contract{Account: account, Course: course, Options: []string{"fixed-ip"}}
	}
	return nil
}

// wanted is the filter that policySpec wants for such a subscriber; "": none.
func wanted(p, accept *radiustest.Packet) string {
	const portType, isdn = 61, "\x00\x00\x00\x02"
	login := p.Value(radiustest.UserName)
	if has(p, radiustest.EAPMessage) && has(accept, radiustest.UserName) {
		login = accept.Value(radiustest.UserName)
	}
	account, ours := strings.CutSuffix(login, "@atson.net")
	account, fixed := strings.CutPrefix(account, "f.")
	switch {
	case p.Value(portType) == isdn || !ours || account == "":
	case account[0] == 'a' && !fixed:
		return "op25b"
	case account[0] == 'm':
		return "op25b-limit"
	}
	return ""
}

// exempt reports whether nothing is added to an Accept.
func exempt(p, accept *radiustest.Packet) bool {
	return administrator(p, accept) || handedOn(accept) || hasPair(accept, "shell:") || hasPair(accept, "vpdn:")
}

func administrator(p, accept *radiustest.Packet) bool {
	const serviceType = 6
	services := slices.DeleteFunc(accept.Values(serviceType), func(v []byte) bool { return len(v) != 4 })
	if len(services) == 0 {
		services = slices.DeleteFunc(p.Values(serviceType), func(v []byte) bool { return len(v) != 4 })
	}
	return slices.ContainsFunc(services, func(v []byte) bool {
		return slices.Contains([]uint32{1, 3, 6, 7, 9, 11}, binary.BigEndian.Uint32(v))
	})
}

// handedOn reports whether the router tunnels the session on.
func handedOn(accept *radiustest.Packet) bool {
	const tunnelType, tunnelServerEndpoint = 64, 67
	types := slices.DeleteFunc(accept.Values(tunnelType), func(v []byte) bool { return len(v) != 4 })
	for _, v := range types {
		if typ := binary.BigEndian.Uint32(v) & 0xffffff; typ != 9 && typ != 13 {
			return true
		}
	}
	return len(types) == 0 && has(accept, tunnelServerEndpoint) || len(vendors(accept, vendorERX, 64)) > 0
}

func hasPair(accept *radiustest.Packet, prefix string) bool {
	return slices.ContainsFunc(vendors(accept, 9, 1), func(v string) bool {
		return strings.HasPrefix(strings.ToLower(v), prefix)
	})
}

// vendors lists the values of one attribute of a vendor.
func vendors(p *radiustest.Packet, vendor, typ uint32) (values []string) {
	for _, v := range p.Values(radiustest.VendorSpecific) {
		if len(v) < 4 || binary.BigEndian.Uint32(v) != vendor {
			continue
		}
		subs, _ := subsOf(v, 4, vendor)
		for _, s := range subs {
			if s.typ == typ {
				values = append(values, string(v[s.from:s.to]))
			}
		}
	}
	return values
}

// managed are the attributes that the profiles of the test say a filter by, in
// the order in which they are added.
var managed = []number{{vendorERX, 10}, {0, radiustest.FilterID}}

const vendorERX = 4874

// applied are the server's attributes that stay beside a filter, and ours, by
// the table of the conflict modes.
func (r *reference) applied(accept *radiustest.Packet, filter string) (stay, ours []radiustest.Attribute) {
	of := func(n number, value string) bool { return slices.Contains(managed, n) }
	own := func(n number, value string) bool {
		return of(n, value) && slices.Contains([]string{"op25b-limit", "op25b", "op25b-all"}, value)
	}
	foreign := func(n number, value string) bool { return of(n, value) && !own(n, value) }
	all, goes := accept.Attributes, own
	for _, n := range managed {
		same := func(m number, value string) bool { return m == n && value == filter }
		switch {
		case filter == "" || r.conflict == "append" && holds(all, same):
		case n.vendor > 0:
			ours = append(ours, radiustest.Vendor(n.vendor, byte(n.typ), filter))
		default:
			ours = append(ours, radiustest.Attr(byte(n.typ), filter))
		}
	}
	switch {
	case r.conflict == "append":
		return all, ours
	case r.conflict == "keep" && (filter == "" || holds(all, foreign)):
		return all, nil
	case r.conflict == "replace" && filter != "":
		goes = of
	}
	for _, a := range all {
		stay = append(stay, without(a, goes)...)
	}
	return stay, ours
}

func holds(all []radiustest.Attribute, such func(number, string) bool) bool {
	return slices.ContainsFunc(all, func(a radiustest.Attribute) bool {
		return slices.ContainsFunc(partsOf(a), func(p part) bool { return such(p.number, p.value) })
	})
}

// without is an attribute without those parts; none when nothing is left.
func without(a radiustest.Attribute, goes func(number, string) bool) []radiustest.Attribute {
	parts := partsOf(a)
	left := slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return goes(p.number, p.value) })
	switch {
	case len(left) == len(parts):
		return []radiustest.Attribute{a}
	case len(left) == 0:
		return nil
	}
	rest := radiustest.Attribute{Type: a.Type, Value: slices.Clone(a.Value[:4])}
	for _, p := range left {
		rest.Value = append(rest.Value, p.whole...)
	}
	return []radiustest.Attribute{rest}
}

// part is an attribute, or one of a vendor's inside attribute 26.
type part struct {
	number number
	value  string
	whole  []byte
}

// partsOf are none where a vendor's attributes do not fill the value.
func partsOf(a radiustest.Attribute) (all []part) {
	if a.Type != radiustest.VendorSpecific {
		return []part{{number: number{0, uint32(a.Type)}, value: string(a.Value)}}
	}
	if len(a.Value) < 4 {
		return nil
	}
	vendor, at := binary.BigEndian.Uint32(a.Value), 4
	subs, _ := subsOf(a.Value, at, vendor)
	for _, s := range subs {
		all = append(all, part{number{vendor, s.typ}, string(a.Value[s.from:s.to]), a.Value[at:s.to]})
		at = s.to
	}
	return all
}
