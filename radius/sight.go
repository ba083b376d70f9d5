package radius

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"sekisho/dict"
)

// identifying are the attributes without a vendor by which a NAS may be told
// which session is meant (RFC 5176 section 3), but for the User-Name and the
// addresses, which have fields of their own.
var identifying = [256]bool{
	typeNASIPAddress: true, typeNASIdentifier: true, typeNASIPv6Address: true,
	typeNASPort: true, typeNASPortID: true, typeCalledStationID: true, typeCallingStationID: true,
	typeAcctSessionID: true, typeAcctMultiSessionID: true, typeCUI: true,
}

// exemptions are the outcomes after which a session is nobody's to tell
// anything about.
var exemptions = [injections]string{
	injectionKept:     injectionNames[injectionKept],
	injectionNoPolicy: injectionNames[injectionNoPolicy],
	injectionAdmin:    injectionNames[injectionAdmin],
	injectionTunnel:   injectionNames[injectionTunnel],
}

// told is the action that an Accept says, after that outcome of a decision for
// an action.
func (r *Lens) told(outcome injection, action string) string {
	switch outcome {
	case injected, injectionNothing, injectionReplaced, injectionBeside:
		return action
	case injectionFailed:
		return r.nas.Profile.Fail
	}
	return ""
}

// identity appends what may name the session, octet for octet: what is usual,
// and what the profile of this router says besides.
func (r *Lens) identity(named []Attribute, w whole, request packet) []Attribute {
	look := insertion{formats: r.snapshot.dict}
	for _, attr := range request.attributes() {
		for k, value := range look.parts(attr) {
			if len(value) > 0 && (k.Vendor == 0 && identifying[byte(k.Number)] || r.nas.names(k)) {
				named = append(named, Attribute{k, w.text(value)})
			}
		}
	}
	return named
}

// names reports whether the profile of a NAS names sessions by an attribute
// that is not the usual one. User-Name has a field of its own.
func (n *nasEntry) names(k dict.Key) bool {
	if n.Profile == nil || k.Vendor == 0 && k.Number == typeUserName {
		return false
	}
	id := n.Profile.Identification()
	in := func(w dict.Way) bool { return slices.Contains(w, k) }
	return slices.Contains(id.NAS, k) || slices.ContainsFunc(id.CoA, in) || slices.ContainsFunc(id.Disconnect, in)
}

// addresses takes over the addresses that a packet gives the session. Those
// that stand for "the NAS chooses" are none (RFC 2865 section 5.8), nor is
// 0.0.0.0, which routers send before there is one.
func (s *Sighting) addresses(p packet) {
	if a, ok := netip.AddrFromSlice(p.find(typeFramedIPAddress)); ok && a.Is4() && a != userChooses && a != nasChooses && !a.IsUnspecified() {
		s.Address = a
	}
	if a, ok := netip.AddrFromSlice(p.find(typeFramedIPv6Address)); ok && a.Is6() && !a.IsUnspecified() {
		s.Address6 = a
	}
	if f, ok := prefix(p.find(typeFramedIPv6Prefix)); ok {
		s.Prefix = f
	}
	if d, ok := prefix(p.find(typeDelegatedIPv6Prefix)); ok {
		s.Delegated = d
	}
	if id := p.find(typeFramedInterfaceID); len(id) == 8 {
		s.InterfaceID = binary.BigEndian.Uint64(id)
	}
}

var userChooses, nasChooses = netip.AddrFrom4([4]byte{255, 255, 255, 255}), netip.AddrFrom4([4]byte{255, 255, 255, 254})

// prefix reads a prefix as RFC 3162 section 2.3 writes it: a reserved octet,
// the length in bits, and as many octets of the address as are not zero.
func prefix(value []byte) (netip.Prefix, bool) {
	if len(value) < 2 || len(value) > 18 || value[1] > 128 {
		return netip.Prefix{}, false
	}
	var octets [16]byte
	copy(octets[:], value[2:])
	p, err := netip.AddrFrom16(octets).Prefix(int(value[1]))
	return p, err == nil
}

// echoed finds the actions that the record's attributes say.
func (r *Lens) echoed(record packet) []string {
	profile := r.nas.Profile
	if profile == nil {
		return nil
	}
	var held []Attribute
	look := insertion{profile: profile, formats: r.snapshot.dict}
	for _, attr := range record.attributes() {
		for k, value := range look.parts(attr) {
			if managed, _ := profile.Owns(k, value); managed {
				held = append(held, Attribute{k, string(value)})
			}
		}
	}
	if held == nil {
		return nil
	}
	return saying(profile, r.snapshot, held)
}

// saying lists the actions that all of these attributes belong to.
func saying(profile *dict.Profile, s *snapshot, held []Attribute) []string {
	var actions []string
	for _, action := range s.policy.Actions {
		said, _ := profile.Login(action.Name)
		look := insertion{profile: profile, formats: s.dict, add: said.Wire}
		all := true
		for _, h := range held {
			all = all && look.adds(h.Key, []byte(h.Value))
		}
		if all {
			actions = append(actions, action.Name)
		}
	}
	if actions == nil {
		return []string{""}
	}
	return actions
}

// number reads the first attribute of that type as an integer; one that is not
// four octets long counts as absent (RFC 6929 section 2.8).
func number(p packet, typ byte) (uint32, bool) {
	value := p.find(typ)
	if len(value) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(value), true
}

func seconds(p packet, typ byte) time.Duration {
	n, _ := number(p, typ)
	return time.Duration(n) * time.Second
}
