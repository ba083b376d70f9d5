package radius

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"sekisho/dict"
	"sekisho/engine"

	"layeh.com/radius/dictionary"
)

// adminServices are the Service-Types of an administrator's login on the
// router itself: Login, Administrative, NAS-Prompt and the Callback forms of
// these. A filter there could lock the operators out.
var adminServices = map[uint32]bool{1: true, 3: true, 6: true, 7: true, 9: true, 11: true}

// ownTunnels are the Tunnel-Types (RFC 2868 section 3.1) that say how this
// session itself is carried: ESP and VLAN. By the others a router hands the
// session on to another one.
var ownTunnels = map[uint32]bool{9: true, 13: true}

// exempt reports whether there is nothing to decide about an Accept, and why:
// then not even the fail mode may add anything.
func exempt(t *transaction, accept packet) (injection, bool) {
	switch {
	case t.nas.Profile == nil:
		return injectionNoPolicy, true
	case adminLogin(t.request, accept):
		return injectionAdmin, true
	case tunnelled(accept):
		return injectionTunnel, true
	}
	return injected, false
}

// insertion decides what happens to an Accept that is not exempt. True means
// that it must not be forwarded: the profile's fail mode is to drop.
func (p *Proxy) insertion(t *transaction, accept packet) (insertion, bool) {
	profile := t.nas.Profile
	decision, err := p.decide(t, accept)
	if err != nil {
		return p.fail(t, profile, accept, err)
	}
	saying, ok := profile.Login(decision.Action)
	if !ok { // refused at load
		return p.fail(t, profile, accept, fmt.Errorf("profile %s cannot say action %q", profile.Name, decision.Action))
	}
	insert := newInsertion(profile, t.snapshot.dict, saying, accept)
	insert.decision = decision
	return insert, false
}

// ruled counts a decision that is carried out.
func (p *Proxy) ruled(t *transaction, decision engine.Decision) {
	if decision.Action == "" {
		return // the fail mode's
	}
	p.debug.Load().decided(t, decision)
	p.counters.decided(decision.Action, decision.Rule)
}

func (p *Proxy) inserted(t *transaction, outcome injection) {
	t.nas.counters.injections[outcome].Add(1)
	p.debug.Load().note(t, "Injection: %s", outcome)
}

// fail answers by the profile's fail mode: a login is worth more than a
// filter, and a Reject is never invented.
func (p *Proxy) fail(t *transaction, profile *dict.Profile, accept packet, err error) (insertion, bool) {
	p.log.fail(t.nas.Name, profile.Fail, err)
	if profile.Fail == dict.FailDrop {
		return insertion{outcome: injectionFailed}, true
	}
	saying, _ := profile.Login(profile.Fail)
	insert := newInsertion(profile, t.snapshot.dict, saying, accept)
	insert.outcome = injectionFailed
	return insert, false
}

// decide asks the policy. Whatever breaks in there comes back as an error.
func (p *Proxy) decide(t *transaction, accept packet) (d engine.Decision, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("panic while deciding: %v", broken)
		}
	}()
	policy := t.snapshot.policy
	facts := knownFacts.Get().(*decisionFacts)
	facts.Facts = engine.Facts{
		Login:   policy.ReadLogin(facts.text(userName(t.request, accept))),
		NAS:     engine.NAS{Name: t.nas.Name, Area: t.nas.Area},
		Request: t.snapshot.requestFacts(facts.Request[:0], t.request),
	}
	if facts.Login.Account != "" {
		if err := p.subscribers.Subscriber(facts.Login.Account, &facts.Facts); err != nil {
			return d, err
		}
	}
	d = engine.Decide(policy, &facts.Facts, p.clock())
	knownFacts.Put(facts)
	return d, nil
}

// decisionFacts are the facts of one decision after another, and the texts of
// their logins.
type decisionFacts struct {
	engine.Facts
	texts strings.Builder
}

// knownFacts are those of decisions that are over: nothing of one remains in
// the answer, and each would be four hundred octets for the collector.
var knownFacts = sync.Pool{New: func() any { return new(decisionFacts) }}

// textsTogether is how much memory texts of logins share, in octets: those of
// some two hundred.
const textsTogether = 4 << 10

// text copies octets. Texts lie one behind the other in memory that is written
// once: whoever keeps one keeps its neighbours, but no text ever changes.
func (f *decisionFacts) text(octets []byte) string {
	begin := f.texts.Len()
	if begin+len(octets) > f.texts.Cap() {
		f.texts.Reset() // it belongs to whoever has texts of it
		f.texts.Grow(textsTogether)
		begin = 0
	}
	f.texts.Write(octets)
	return f.texts.String()[begin:]
}

// userName is the login that the decision is about: what the subscriber sent,
// except under EAP, where that may be an outer identity and the server's word
// counts if it gives one (RFC 2865 section 5.1).
func userName(request, accept packet) []byte {
	if request.has(typeEAPMessage) {
		if name := accept.find(typeUserName); len(name) > 0 {
			return name
		}
	}
	return request.find(typeUserName)
}

// asks reports whether the policy's rules ask about an attribute of that type.
func (s *snapshot) asks(typ byte) bool {
	return slices.ContainsFunc(s.asked, func(a askedAttribute) bool { return a.attr.Vendor == 0 && byte(a.attr.Number) == typ })
}

// requestFacts appends the request attributes that the policy's rules ask about.
func (s *snapshot) requestFacts(facts []engine.Attribute, request packet) []engine.Attribute {
	for _, asked := range s.asked {
		if value := s.value(request, asked.attr); len(value) > 0 {
			facts = append(facts, engine.Attribute{Name: asked.name, Value: plainText(asked.attr, value)})
		}
	}
	return facts
}

// value finds the first instance of an attribute, a vendor's too.
func (s *snapshot) value(request packet, attr *dict.Attribute) []byte {
	if attr.Vendor == 0 {
		return request.find(byte(attr.Number))
	}
	format := s.dict.VendorFormat(attr.Vendor)
	for _, a := range request.attributes() {
		if a[0] != typeVendorSpecific || vendor(a[2:]) != attr.Vendor {
			continue
		}
		for number, value := range vendorValues(a[2:], format) {
			if number == attr.Number {
				return value
			}
		}
	}
	return nil
}

// plainText writes a value as a policy file does: text without quotes.
func plainText(attr *dict.Attribute, value []byte) string {
	if attr.Kind == dictionary.AttributeString {
		return string(value)
	}
	return attr.Format(value)
}

// adminLogin reports whether this is somebody logging in to the router itself.
// The server's Service-Types count; where it sends none, what was asked for.
func adminLogin(request, accept packet) bool {
	admin, said := adminService(accept)
	if !said {
		admin, _ = adminService(request)
	}
	return admin || hasCiscoPair(accept, "shell:")
}

// adminService reports whether any Service-Type is an administrator's, and
// whether there is one at all. One that is not four octets long counts as
// absent (RFC 6929 section 2.8).
func adminService(p packet) (admin, said bool) {
	for _, attr := range p.attributes() {
		if attr[0] == typeServiceType && len(attr) == 6 {
			said = true
			admin = admin || adminServices[binary.BigEndian.Uint32(attr[2:])]
		}
	}
	return admin, said
}

// tunnelled reports whether the Accept tells the router to hand the session on
// through a tunnel, so that PPP ends elsewhere and another request comes from
// there.
func tunnelled(accept packet) bool {
	typed := false
	for _, attr := range accept.attributes() {
		if attr[0] == typeTunnelType && len(attr) == 6 {
			typed = true
			if !ownTunnels[binary.BigEndian.Uint32(attr[2:])&0xffffff] {
				return true
			}
		}
	}
	return !typed && accept.has(typeTunnelServerEndpoint) || hasCiscoPair(accept, "vpdn:") || hasERXTunnelGroup(accept)
}

// Junos is told by its own attribute to tunnel a session on.
const (
	erxVendor      = 4874
	erxTunnelGroup = 64
)

func hasERXTunnelGroup(p packet) bool {
	for range vendorInstances(p, erxVendor, erxTunnelGroup) {
		return true
	}
	return false
}

// ciscoVendor and ciscoAVPair are where Cisco's routers and those that follow
// them take text commands from.
const (
	ciscoVendor = 9
	ciscoAVPair = 1
)

// hasCiscoPair reports whether an AV pair begins like this, in any case.
func hasCiscoPair(p packet, prefix string) bool {
	for value := range vendorInstances(p, ciscoVendor, ciscoAVPair) {
		if len(value) >= len(prefix) && bytes.EqualFold(value[:len(prefix)], []byte(prefix)) {
			return true
		}
	}
	return false
}

// vendorInstances yields the values of one attribute of a vendor that frames
// its attributes as RFC 2865 recommends.
func vendorInstances(p packet, id, number uint32) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, attr := range p.attributes() {
			if attr[0] != typeVendorSpecific || vendor(attr[2:]) != id {
				continue
			}
			for n, value := range vendorValues(attr[2:], dict.VendorFormat{Type: 1, Length: 1}) {
				if n == number && !yield(value) {
					return
				}
			}
		}
	}
}
