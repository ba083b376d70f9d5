package radius

import (
	"bytes"
	"encoding/binary"

	"sekisho/dict"
	"sekisho/engine"
)

// injection is what became of the policy's attributes in an Access-Accept.
type injection uint8

const (
	injected          injection = iota
	injectionNothing            // the action needs no attribute
	injectionKept               // the AAA's own stands, as the profile's conflict mode says
	injectionReplaced           // ours stand instead of the AAA's, as the conflict mode says
	injectionBeside             // ours stand beside the AAA's, as the conflict mode says
	injectionNoPolicy           // the NAS has no profile
	injectionAdmin              // an administrator's login, no subscriber session
	injectionTunnel             // the router is to tunnel the session on; its end asks again
	injectionTooBig             // the Accept has no room
	injectionFailed             // no decision could be made: the fail mode's attributes

	injections // how many there are
)

var injectionNames = [injections]string{
	injected:          "injected",
	injectionNothing:  "nothing-to-say",
	injectionKept:     "kept",
	injectionReplaced: "replaced",
	injectionBeside:   "beside",
	injectionNoPolicy: "no-profile",
	injectionAdmin:    "admin-login",
	injectionTunnel:   "tunnel",
	injectionTooBig:   "too-big",
	injectionFailed:   "fail-mode",
}

func (i injection) String() string { return injectionNames[i] }

// insertion is what happens to the attributes of one Accept: which are added,
// and which of the AAA's go away for them.
type insertion struct {
	profile *dict.Profile // nil: nothing is added, nothing goes
	formats *dict.Dictionary
	add     []byte // complete attributes
	outcome injection

	decision engine.Decision // that led to it; without an action where none could be made
}

// newInsertion applies the profile's conflict mode to an Accept.
func newInsertion(profile *dict.Profile, d *dict.Dictionary, saying dict.Saying, accept packet) insertion {
	i := insertion{profile: profile, formats: d, add: saying.Wire, outcome: injected}
	switch {
	case len(i.add) == 0:
		i.outcome = injectionNothing
	case profile.Conflict == dict.Keep && i.any(accept, i.foreign):
		return insertion{outcome: injectionKept}
	case profile.Conflict == dict.Replace && i.any(accept, i.foreign):
		i.outcome = injectionReplaced
	case i.any(accept, i.stays):
		i.outcome = injectionBeside
	}
	if profile.Conflict == dict.Append && i.any(accept, i.adds) {
		i.add = i.missing(accept)
	}
	return i
}

// goes reports whether an attribute of the AAA's has to go.
func (i *insertion) goes(k dict.Key, value []byte) bool {
	managed, ours := i.profile.Owns(k, value)
	switch i.profile.Conflict {
	case dict.Replace:
		return ours || managed && len(i.add) > 0
	case dict.ReplaceOurs:
		return ours
	case dict.Append:
		return false
	}
	return ours && len(i.add) > 0 // dict.Keep: theirs stand alone, or ours do
}

// adds reports whether this very value is added.
func (i *insertion) adds(k dict.Key, value []byte) bool {
	return i.inside(i.add, func(added dict.Key, v []byte) bool { return added == k && bytes.Equal(v, value) })
}

// missing returns those of our attributes that the Accept does not hold yet.
// The pieces of a value that is spread over several stay together.
func (i *insertion) missing(accept packet) []byte {
	held := func(k dict.Key, value []byte) bool {
		return i.any(accept, func(other dict.Key, v []byte) bool { return other == k && bytes.Equal(v, value) })
	}
	lacks := func(k dict.Key) bool {
		return i.inside(i.add, func(other dict.Key, v []byte) bool { return other == k && !held(k, v) })
	}
	var add []byte
	for rest := i.add; len(rest) > 0; rest = rest[rest[1]:] {
		attr := rest[:rest[1]]
		if i.inside(attr, func(k dict.Key, value []byte) bool {
			return !held(k, value) || i.spread(k) && lacks(k)
		}) {
			add = append(add, attr...)
		}
	}
	return add
}

// spread reports whether long values of an attribute go on in the next one.
func (i *insertion) spread(k dict.Key) bool {
	a, ok := i.formats.ByKey(k)
	return ok && a.Concat
}

// foreign reports whether the profile manages an attribute and no action of
// the policy sends the value.
func (i *insertion) foreign(k dict.Key, value []byte) bool {
	managed, ours := i.profile.Owns(k, value)
	return managed && !ours
}

// stays reports whether an attribute that the profile manages is left in
// beside what the action says.
func (i *insertion) stays(k dict.Key, value []byte) bool {
	managed, _ := i.profile.Owns(k, value)
	return managed && !i.goes(k, value) && !i.adds(k, value)
}

// any reports whether the Accept holds an attribute of which that is true.
func (i *insertion) any(accept packet, is func(dict.Key, []byte) bool) bool {
	return i.inside(accept[headerLen:], is)
}

// inside is any for attributes that are no whole packet.
func (i *insertion) inside(attrs []byte, is func(dict.Key, []byte) bool) bool {
	for ; len(attrs) > 0; attrs = attrs[attrs[1]:] {
		for k, value := range i.parts(attrs[:attrs[1]]) {
			if is(k, value) {
				return true
			}
		}
	}
	return false
}

// parts yields the attribute, or each of a vendor's own inside attribute 26;
// nothing of a malformed one, which is left alone as a whole.
func (i *insertion) parts(attr []byte) func(func(dict.Key, []byte) bool) {
	return func(yield func(dict.Key, []byte) bool) {
		if attr[0] != typeVendorSpecific {
			yield(dict.Key{Number: uint32(attr[0])}, attr[2:])
			return
		}
		id := vendor(attr[2:])
		if id == 0 {
			return // nobody's: its numbers are not those of the RFCs
		}
		format := i.formats.VendorFormat(id)
		if !wellFormed(attr[2:], format) {
			return
		}
		for number, value := range vendorValues(attr[2:], format) {
			if !yield(dict.Key{Vendor: id, Number: number}, value) {
				return
			}
		}
	}
}

// copyAttributes appends the server's attributes that go through to the NAS.
// Message-Authenticator and Proxy-State belong to one hop.
func (i *insertion) copyAttributes(out packet, reply packet) packet {
	for _, attr := range reply.attributes() {
		switch {
		case attr[0] == typeMessageAuthenticator || attr[0] == typeProxyState:
		case i.profile == nil:
			out = append(out, attr...)
		case attr[0] == typeVendorSpecific:
			out = i.copyVendor(out, attr, i.goes)
		case !i.goes(dict.Key{Number: uint32(attr[0])}, attr[2:]):
			out = append(out, attr...)
		}
	}
	return out
}

// copyVendor appends an attribute 26 without those inside it that have to go.
// One that loses nothing, malformed ones included, is copied octet by octet.
func (i *insertion) copyVendor(out packet, attr []byte, goes func(dict.Key, []byte) bool) packet {
	gone := false
	for k, value := range i.parts(attr) {
		gone = gone || goes(k, value)
	}
	if !gone {
		return append(out, attr...)
	}
	start := len(out)
	out = append(out, attr[:6]...) // type, length, vendor
	format := i.formats.VendorFormat(binary.BigEndian.Uint32(attr[2:]))
	rest := 4
	for k, value := range i.parts(attr) {
		whole := attr[2+rest : 2+rest+format.Header()+len(value)]
		rest += len(whole)
		if !goes(k, value) {
			out = append(out, whole...)
		}
	}
	if len(out)-start == 6 {
		return out[:start]
	}
	out[start+1] = byte(len(out) - start)
	return out
}
