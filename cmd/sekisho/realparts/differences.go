//go:build realparts

package realparts

import (
	"bytes"
	"slices"

	"sekisho/radius/radiustest"
)

// The differences between sekisho and FreeRADIUS 3.2.1 as a proxy, in the words of
// docs/wire.md.
const (
	movesMARequest  = "puts the Message-Authenticator of a request elsewhere than first"
	movesMAAnswer   = "puts the Message-Authenticator of an answer elsewhere than first"
	lacksMAAnswer   = "leaves the Message-Authenticator out of answers"
	otherProxyState = "adds a Proxy-State of another content"

	refusesExtendedVendor = "sends nothing when a vendor's extended attribute that it does not know is in the packet"
	inventsReject         = "answers with an Access-Reject of its own when the home server keeps silent"
	refusesLong           = "sends nothing when a long extended attribute that it does not know is in the packet"
)

const attrTunnelServerEndpoint = 67

// A difference is a class of them. It levels a list of attributes so that the class
// is gone from it, whichever side the list is from.
type difference struct {
	name  string
	level func([]radiustest.Attribute) []radiustest.Attribute
}

var differences = []difference{
	{"drops attributes without a value, but Chargeable-User-Identity", func(list []radiustest.Attribute) []radiustest.Attribute {
		return each(list, func(a radiustest.Attribute) []radiustest.Attribute {
			if len(a.Value) == 0 && a.Type != 89 {
				return nil
			}
			return []radiustest.Attribute{a}
		})
	}},
	{"gives every attribute of a vendor an attribute 26 of its own", func(list []radiustest.Attribute) []radiustest.Attribute {
		return each(list, splitVendor)
	}},
	{"drops a vendor's attributes without a value", func(list []radiustest.Attribute) []radiustest.Attribute {
		return each(list, func(a radiustest.Attribute) []radiustest.Attribute {
			if subs, ok := vendorSubs(a.Value); ok && a.Type == radiustest.VendorSpecific && len(subs) == 1 && len(subs[0].Value) == 0 {
				return nil
			}
			return []radiustest.Attribute{a}
		})
	}},
	{"adds a State of its own to an Access-Challenge without one", func(list []radiustest.Attribute) []radiustest.Attribute {
		// Told apart from one of the AAA server's by its place behind everything.
		if last := len(list) - 1; last >= 0 && list[last].Type == radiustest.State && len(list[last].Value) == 16 {
			return list[:last]
		}
		return list
	}},
	{"filters sessions that are handed on through a tunnel", func(list []radiustest.Attribute) []radiustest.Attribute {
		if has(list, attrTunnelServerEndpoint) {
			return without(list, radiustest.FilterID)
		}
		return list
	}},
	{"puts a Filter-Id in the place of the one that it replaces", func(list []radiustest.Attribute) []radiustest.Attribute {
		filters := slices.DeleteFunc(slices.Clone(list), func(a radiustest.Attribute) bool { return a.Type != radiustest.FilterID })
		return append(without(list, radiustest.FilterID), filters...)
	}},
	{"sets the tag of a Tunnel-Preference of a wrong length to zero", func(list []radiustest.Attribute) []radiustest.Attribute {
		return each(list, func(a radiustest.Attribute) []radiustest.Attribute {
			if a.Type == 83 && len(a.Value) != 4 && len(a.Value) > 0 {
				a.Value = append([]byte{0}, a.Value[1:]...)
			}
			return []radiustest.Attribute{a}
		})
	}},
	{"takes zeros off the end of a User-Password, and drops it when nothing is left", func(list []radiustest.Attribute) []radiustest.Attribute {
		return each(list, func(a radiustest.Attribute) []radiustest.Attribute {
			if a.Type != radiustest.UserPassword {
				return []radiustest.Attribute{a}
			}
			if a.Value = bytes.TrimRight(a.Value, "\x00"); len(a.Value) == 0 {
				return nil
			}
			return []radiustest.Attribute{a}
		})
	}},
	{"leaves a tag of zero out of text", func(list []radiustest.Attribute) []radiustest.Attribute {
		return each(list, func(a radiustest.Attribute) []radiustest.Attribute {
			if slices.Contains([]byte{67, 81, 82}, a.Type) && len(a.Value) > 1 && a.Value[0] == 0 {
				a.Value = a.Value[1:]
			}
			return []radiustest.Attribute{a}
		})
	}},
}

// without leaves one type of attribute out.
func without(list []radiustest.Attribute, typ byte) []radiustest.Attribute {
	return slices.DeleteFunc(slices.Clone(list), func(a radiustest.Attribute) bool { return a.Type == typ })
}

// classes names all of them.
func classes() []string {
	names := []string{
		movesMARequest, movesMAAnswer, lacksMAAnswer, otherProxyState, inventsReject, refusesExtendedVendor, refusesLong,
	}
	for _, d := range differences {
		names = append(names, d.name)
	}
	return names
}

// each replaces every attribute by what change makes of it.
func each(list []radiustest.Attribute, change func(radiustest.Attribute) []radiustest.Attribute) []radiustest.Attribute {
	var out []radiustest.Attribute
	for _, a := range list {
		out = append(out, change(a)...)
	}
	return out
}

// splitVendor takes an attribute 26 with several of the vendor's apart.
func splitVendor(a radiustest.Attribute) []radiustest.Attribute {
	if a.Type != radiustest.VendorSpecific {
		return []radiustest.Attribute{a}
	}
	subs, ok := vendorSubs(a.Value)
	if !ok {
		return []radiustest.Attribute{a}
	}
	var out []radiustest.Attribute
	for _, s := range subs {
		value := append(append([]byte(nil), a.Value[:4]...), sub(s.Type, s.Value)...)
		out = append(out, radiustest.Attribute{Type: radiustest.VendorSpecific, Value: value})
	}
	return out
}

// has reports whether an attribute of the type is on the list.
func has(list []radiustest.Attribute, typ byte) bool {
	return slices.ContainsFunc(list, func(a radiustest.Attribute) bool { return a.Type == typ })
}
