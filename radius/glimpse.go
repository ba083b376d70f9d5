package radius

import (
	"encoding/binary"
	"net/netip"
	"time"

	"sekisho/engine"
)

// Glimpse is a packet about a session as it goes by. Most of what it tells is
// never asked for, or later: it is not read, only kept.
type Glimpse struct {
	t        *transaction
	accept   packet // none: it is about accounting
	at       time.Time
	outcome  injection
	decision engine.Decision
}

// Lens is how to read what was kept of the packet, whichever configuration is
// in force by then.
func (g *Glimpse) Lens() *Lens { return g.t.nas.lens }

// MaxKept is the most that Keep appends, in octets, unless the policy gives its
// rules names of hundreds.
const MaxKept = 2*maxPacketLen + 1024

// What is kept begins with numbers, at these offsets: when the packet came and
// until when the decision stands, in ns since 1970, 0 for ever; where the
// attributes of the request and those of the Accept begin. Between them and the
// attributes stand texts, each after its length. The numbers are at least as
// long as the header of a packet; see attributesAt.
const (
	keptAt      = 0
	keptUntil   = 8
	keptRequest = 16
	keptAccept  = 20
	keptOutcome = 24
	keptRenamed = 25 // 1: the policy reads the User-Name of the Accept
	keptTexts   = 26
)

// Keep appends what the packet tells of the session. It has no pointers and
// nothing that is secret.
func (g *Glimpse) Keep(to []byte) []byte {
	begin := len(to)
	to = append(to, make([]byte, keptTexts)...)
	var room [256]byte // for any attribute
	to = appendText(to, g.t.appendBox(room[:0]))
	to = appendText(appendText(appendText(to, g.decision.Action), g.decision.Rule), g.decision.Override)
	request := len(to) - begin
	to = appendAttributes(to, g.t.request, &g.t.nas.lens.keeps)
	accept := len(to) - begin
	to = appendAttributes(to, g.accept, &granting)
	g.number(to[begin:], request, accept)
	return to
}

// number fills in the beginning.
func (g *Glimpse) number(kept []byte, request, accept int) {
	binary.NativeEndian.PutUint64(kept[keptAt:], uint64(g.at.UnixNano()))
	if !g.decision.Until.IsZero() {
		binary.NativeEndian.PutUint64(kept[keptUntil:], uint64(g.decision.Until.UnixNano()))
	}
	binary.NativeEndian.PutUint32(kept[keptRequest:], uint32(request))
	binary.NativeEndian.PutUint32(kept[keptAccept:], uint32(accept))
	kept[keptOutcome] = byte(g.outcome)
	if g.t.request.has(typeEAPMessage) && len(g.accept.find(typeUserName)) > 0 {
		kept[keptRenamed] = 1 // as userName has it
	}
}

func appendText[T ~string | ~[]byte](to []byte, text T) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// appendAttributes appends those attributes of a packet whose types are wanted.
func appendAttributes(to []byte, p packet, wanted *[256]bool) []byte {
	for at := headerLen; at < len(p); {
		next := at + int(p[at+1])
		if wanted[p[at]] {
			to = append(to, p[at:next]...)
		}
		at = next
	}
	return to
}

// granting are the attributes of an Accept that tell of the session.
var granting = [256]bool{
	typeUserName: true, typeClass: true, typeAcctInterimInterval: true, typeFramedIPAddress: true,
	typeFramedIPv6Address: true, typeFramedIPv6Prefix: true, typeDelegatedIPv6Prefix: true, typeFramedInterfaceID: true,
}

// passing are the attributes of a request that tell nothing of the session:
// what proves who asks, and what is for one hop or one server.
var passing = [...]byte{
	typeUserPassword, typeCHAPPassword, typeCHAPChallenge, typeARAPPassword, typeEAPMessage,
	typeState, typeProxyState, typeMessageAuthenticator,
}

// appendBox tells which router this is, where its entry stands for several:
// those behind one proxy, or in one prefix.
func (t *transaction) appendBox(to []byte) []byte {
	if t.nas.Address.IsValid() || t.nas.Identifier != "" {
		return to
	}
	own, from := t.client.Addr(), t.client.Addr()
	if a, ok := netip.AddrFromSlice(t.request.find(typeNASIPAddress)); ok {
		own = a
	} else if a, ok := netip.AddrFromSlice(t.request.find(typeNASIPv6Address)); ok {
		own = a
	} else if id := t.request.find(typeNASIdentifier); len(id) > 0 {
		return append(to, id...)
	}
	if own == from && t.nas.Source.IsSingleIP() {
		return to
	}
	return own.AppendTo(to)
}
