package coa

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"sekisho/dict"
	"sekisho/radius/session"
)

// compose writes what a router is told so that a session has an action; the
// error says for people why it cannot be told.
func (r *Router) compose(s *session.Session, action string) (Request, error) {
	if err := r.reach(); err != nil {
		return Request{}, err
	}
	if r.Profile == nil {
		return Request{}, fmt.Errorf("the site file has no profile for %s", r.Name)
	}
	switch r.Profile.Means(action) {
	case dict.ByCoA:
		said, _ := r.Profile.CoA(action)
		which, err := r.which(s, Change)
		return Request{Kind: Change, Identification: which, Attributes: said.Wire}, err
	case dict.ByDisconnect:
		return r.disconnect(s)
	}
	why := r.Profile.NoCoA(action)
	if why == "" {
		why = "its profile does not say it"
	}
	return Request{}, fmt.Errorf("%s cannot be told %s: %s", r.Name, action, why)
}

func (r *Router) disconnect(s *session.Session) (Request, error) {
	which, err := r.which(s, Disconnect)
	return Request{Kind: Disconnect, Identification: which}, err
}

// which names a session in the way that the profile has for this router.
func (r *Router) which(s *session.Session, kind Kind) ([]byte, error) {
	pick := r.Profile.Identification().ForCoA
	if kind == Disconnect {
		pick = r.Profile.Identification().ForDisconnect
	}
	keys, ok := pick(func(k dict.Key) bool { return identity(s, k) != nil })
	if !ok {
		return nil, fmt.Errorf("%s has not sent what its profile names sessions by", r.Name)
	}
	var wire []byte
	for _, k := range keys {
		wire = append(wire, r.attribute(k, identity(s, k))...)
	}
	return wire, nil
}

// attribute writes one attribute.
func (r *Router) attribute(k dict.Key, value []byte) []byte {
	if k.Vendor == 0 {
		return append([]byte{byte(k.Number), byte(2 + len(value))}, value...)
	}
	a, ok := r.Dictionary.ByKey(k)
	if !ok {
		return nil // not possible: the profile was compiled with this dictionary
	}
	return a.Wire(value)
}

// identity is what a session has of an attribute that may name it; nil for
// nothing. Octets that the router sent are given back as they were.
func identity(s *session.Session, k dict.Key) []byte {
	for _, a := range s.Identity {
		if a.Key == k && a.Value != "" {
			return []byte(a.Value)
		}
	}
	if k.Vendor != 0 {
		return nil
	}
	switch k.Number {
	case typeUserName:
		return text(s.UserName)
	case typeAcctSessionID:
		return text(s.AcctSession)
	case typeFramedIPAddress:
		return addr(s.Address)
	case typeFramedIPv6Prefix:
		return prefix(s.Prefix)
	case typeFramedInterfaceID:
		return interfaceID(s.InterfaceID)
	case typeDelegatedIPv6Prefix:
		return prefix(s.Delegated)
	}
	return nil
}

func text(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

func addr(a netip.Addr) []byte {
	if !a.IsValid() {
		return nil
	}
	return a.AsSlice()
}

func interfaceID(id uint64) []byte {
	if id == 0 {
		return nil
	}
	return binary.BigEndian.AppendUint64(nil, id)
}

// prefix writes one as RFC 3162 section 2.3 says: a reserved octet, the length
// in bits, and only as many octets of the address as it needs.
func prefix(p netip.Prefix) []byte {
	if !p.IsValid() {
		return nil
	}
	octets := p.Masked().Addr().As16()
	return append([]byte{0, byte(p.Bits())}, octets[:(p.Bits()+7)/8]...)
}
