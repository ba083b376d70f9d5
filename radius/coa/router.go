package coa

import (
	"cmp"
	"fmt"
	"net/netip"

	"sekisho/dict"
	"sekisho/radius/session"
)

// Router is a NAS of the configuration as the keeper needs it. It may stand
// for several routers: then CoA has no address, or that of a proxy.
type Router struct {
	Name       string
	CoA        *NAS // nil: it is told nothing while sessions live
	Profile    *dict.Profile
	Dictionary *dict.Dictionary // how vendors frame their attributes
	Address    netip.Addr       // by which it names itself; zero: not known
	Identifier string           // likewise
	Source     netip.Prefix     // where its packets come from

	removed bool  // the configuration does not have it any more
	lost    error // why it is not known where it takes CoAs
}

// Place is one router: a NAS of the configuration and, where that stands for
// several, which of them; see session.ID.
type Place struct{ NAS, Box string }

// String is for people: "bras-tokyo", "bras-tokyo (192.0.2.7)".
func (p Place) String() string {
	if p.Box == "" {
		return p.NAS
	}
	if _, err := netip.ParseAddr(p.Box); err != nil {
		return fmt.Sprintf("%s (%s)", p.NAS, dict.Quote([]byte(p.Box))) // a NAS-Identifier: whatever octets
	}
	return fmt.Sprintf("%s (%s)", p.NAS, p.Box)
}

func placeOf(id session.ID) Place { return Place{id.NAS, id.Box} }

// Compare orders places by NAS and box.
func (p Place) Compare(other Place) int {
	return cmp.Or(cmp.Compare(p.NAS, other.NAS), cmp.Compare(p.Box, other.Box))
}

// at is one of the routers that an entry of the configuration stands for. It is
// told at its own address, unless the entry says where all are told.
func (r Router) at(box string) Router {
	if r.CoA == nil || r.CoA.Address.Addr().IsValid() {
		return r
	}
	addr, err := r.own(box)
	if r.lost = err; err != nil {
		return r
	}
	to := *r.CoA
	to.Address = netip.AddrPortFrom(addr, to.Address.Port())
	r.CoA = &to
	return r
}

// own reads the address of a router from what it calls itself. That is only
// what a packet said: it is not believed any further than the source of the
// entry, lest strangers get CoAs that are signed with our secret.
func (r *Router) own(box string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(box)
	switch {
	case box == "":
		return addr, fmt.Errorf("it is not known which of the routers of %s has the session", r.Name)
	case err != nil:
		return addr, fmt.Errorf("router %s of %s does not name itself by an address, and the site file has no coa.address for it", dict.Quote([]byte(box)), r.Name)
	case !r.Source.Contains(addr) || addr.IsMulticast() || addr.IsUnspecified():
		return addr, fmt.Errorf("router %s of %s is not within %s, the source in the site file: nothing is sent there", box, r.Name, r.Source)
	}
	return addr, nil
}

// reach tells why a router can be told nothing at all; nil when it can.
func (r *Router) reach() error {
	switch {
	case r.removed:
		return fmt.Errorf("%s is no longer in the site file", r.Name)
	case r.CoA == nil:
		return fmt.Errorf("the site file has no coa section for %s", r.Name)
	}
	return r.lost
}

// several reports whether an entry stands for routers that are told apart only
// by what they call themselves.
func (r *Router) several() bool {
	return !r.Address.IsValid() && r.Identifier == "" && r.Source.IsValid() && !r.Source.IsSingleIP()
}
