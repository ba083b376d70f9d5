package radius_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"sekisho/radius"
	"sekisho/radius/radiustest"
)

// reference says what the proxy must do with a packet between one NAS and one
// server. It is written down from docs/wire.md and the RFCs once more, with
// loops that allocate as they like, and calls nothing of package radius.
type reference struct {
	nas          radius.NAS // for its settings
	nasSecret    []byte
	conflict     string // the profile's mode; "": the NAS has no profile
	server       radius.AAA
	serverSecret []byte
}

var zeros = make([]byte, 16)

// framed takes the packet in a datagram apart; why it is none. octets is the
// packet without what follows it.
func framed(datagram []byte) (p *radiustest.Packet, octets []byte, why string) {
	if len(datagram) < 20 {
		return nil, nil, "short"
	}
	length := int(binary.BigEndian.Uint16(datagram[2:]))
	if length < 20 || length > 4096 || length > len(datagram) {
		return nil, nil, "length"
	}
	octets = datagram[:length]
	p, err := radiustest.Decode(octets)
	if err != nil || has(p, 0) {
		return nil, nil, "malformed"
	}
	if signatures := p.Values(radiustest.MessageAuthenticator); len(signatures) > 1 || len(signatures) == 1 && len(signatures[0]) != 16 {
		return nil, nil, "malformed"
	}
	return p, octets, ""
}

func has(p *radiustest.Packet, typ byte) bool { return p.Values(typ) != nil }

// takes says what the proxy makes of a datagram at a port: the request in it,
// or why it drops it. mark is the proxy's own Proxy-State,
// nil while it is not known.
func (r *reference) takes(datagram []byte, acct bool, mark []byte) (*radiustest.Packet, string) {
	p, octets, why := framed(datagram)
	if why != "" {
		return nil, why
	}
	if p.Code != radiustest.StatusServer && p.Code != map[bool]byte{false: radiustest.AccessRequest, true: radiustest.AccountingRequest}[acct] {
		return nil, "code"
	}
	seed, signed := p.Authenticator[:], has(p, radiustest.MessageAuthenticator)
	if p.Code == radiustest.AccountingRequest {
		if seed = zeros; !radiustest.CheckSign(octets, zeros, r.nasSecret) {
			return nil, "bad-authenticator"
		}
	}
	if signed && !radiustest.CheckMA(octets, seed, r.nasSecret) {
		return nil, "bad-message-authenticator"
	}
	if why := r.lacks(p, signed); why != "" {
		return nil, why
	}
	if p.Code != radiustest.StatusServer {
		why = r.cannotGoOn(p, mark)
	}
	return p, why
}

// lacks says what a request lacks that it must have, or has that it must not.
func (r *reference) lacks(p *radiustest.Packet, signed bool) string {
	const arapPassword = 70
	eap := has(p, radiustest.EAPMessage)
	switch {
	case p.Code == radiustest.AccountingRequest:
	case !signed && (eap || p.Code == radiustest.StatusServer || r.nas.RequireMA == radius.Require):
		return "missing-message-authenticator"
	case !signed && r.nas.LimitProxyState && has(p, radiustest.ProxyState):
		return "limit-proxy-state"
	case eap && (has(p, radiustest.UserPassword) || has(p, radiustest.CHAPPassword) || has(p, arapPassword)):
		return "eap-conflict"
	}
	return ""
}

// cannotGoOn says why a request is not sent to the server.
func (r *reference) cannotGoOn(p *radiustest.Packet, mark []byte) string {
	states := p.Values(radiustest.ProxyState)
	if len(states) > 16 || slices.ContainsFunc(states, func(s []byte) bool { return mark != nil && bytes.Equal(s, mark) }) {
		return "loop"
	}
	return r.request(p, nil).why
}

// said is a packet as it must be. salts are those in it, as the proxy chose
// them.
type said struct {
	octets []byte
	salts  [][]byte
	why    string // it must not be
}

// request is what the server must get for a request. Of what it got, only what
// the proxy has to choose by itself is believed: identifier, authenticator,
// salts and the content of its Proxy-State.
func (r *reference) request(p *radiustest.Packet, got []byte) said {
	header := [20]byte{}
	copy(header[:], got)
	w := writing{out: []byte{p.Code, header[1], 0, 0}, got: got}
	w.out = append(w.out, header[4:]...)
	from, to := hop{r.nasSecret, p.Authenticator[:]}, hop{r.serverSecret, header[4:20]}
	if p.Code == radiustest.AccountingRequest {
		from.authenticator, to.authenticator = zeros, zeros
	} else {
		w.put(radiustest.MA())
	}
	whole := true
	for _, a := range p.Attributes {
		if a.Type != radiustest.MessageAuthenticator {
			whole = w.rehide(a, from, to) && whole
		}
	}
	if p.Code == radiustest.AccessRequest && has(p, radiustest.CHAPPassword) && !has(p, radiustest.CHAPChallenge) {
		w.put(radiustest.Attribute{Type: radiustest.CHAPChallenge, Value: p.Authenticator[:]})
	}
	if !r.server.NoProxyState {
		mark := make([]byte, 8)
		if len(got) > 8 {
			copy(mark, got[len(got)-8:])
		}
		w.put(radiustest.Attribute{Type: radiustest.ProxyState, Value: mark})
	}
	if !whole && p.Code != radiustest.AccountingRequest {
		return said{why: "hidden"}
	}
	return w.end(to.authenticator, r.serverSecret, p.Code == radiustest.AccountingRequest)
}

// believes reports whether a datagram of the server's is an answer to the
// request that it got.
func (r *reference) believes(datagram, request []byte) (*radiustest.Packet, bool) {
	p, octets, why := framed(datagram)
	if why != "" || p.ID != request[1] {
		return nil, false
	}
	fitting := map[byte]string{radiustest.AccessRequest: "\x02\x03\x0b\x34", radiustest.AccountingRequest: "\x05\x34"}[request[0]]
	if !strings.Contains(fitting, string(rune(p.Code))) || !radiustest.CheckSign(octets, request[4:20], r.serverSecret) {
		return nil, false
	}
	if has(p, radiustest.MessageAuthenticator) {
		return p, radiustest.CheckMA(octets, request[4:20], r.serverSecret)
	}
	return p, request[0] != radiustest.AccessRequest || r.server.RequireMA != radius.Require && !has(p, radiustest.EAPMessage)
}

// answer is what the NAS must get when the server has answered the request
// that it got. Of what the NAS got only the salts are believed.
func (r *reference) answer(p *radiustest.Packet, request []byte, reply *radiustest.Packet, got []byte) said {
	if reply.Code == protocolError && p.Code == radiustest.AccountingRequest {
		return said{why: "code"}
	}
	attributes, ours := reply.Attributes, []radiustest.Attribute(nil)
	if reply.Code == radiustest.AccessAccept && r.conflict != "" && !exempt(p, reply) {
		attributes, ours = r.applied(reply, wanted(p, reply))
	}
	answer := r.compose(p, request, reply.Code, attributes, ours, got)
	if answer.why == "too-big" && ours != nil {
		return r.compose(p, request, reply.Code, reply.Attributes, nil, got)
	}
	return answer
}

const protocolError = 52

func (r *reference) compose(p *radiustest.Packet, request []byte, code byte, attributes, ours []radiustest.Attribute, got []byte) said {
	if code == protocolError {
		code = radiustest.AccessReject
	}
	w := writing{out: append([]byte{code, p.ID, 0, 0}, zeros...), got: got}
	from, to := hop{r.serverSecret, request[4:20]}, hop{r.nasSecret, p.Authenticator[:]}
	if p.Code == radiustest.AccountingRequest {
		from.authenticator, to.authenticator = zeros, zeros
	} else if r.signs(p) {
		w.put(radiustest.MA())
	}
	whole := true
	for _, a := range attributes {
		if a.Type != radiustest.MessageAuthenticator && a.Type != radiustest.ProxyState {
			whole = w.rehide(a, from, to) && whole
		}
	}
	w.put(ours...)
	for _, state := range p.Values(radiustest.ProxyState) {
		w.put(radiustest.Attribute{Type: radiustest.ProxyState, Value: state})
	}
	if !whole && p.Code != radiustest.AccountingRequest {
		return said{why: "hidden"}
	}
	return w.end(p.Authenticator[:], r.nasSecret, true)
}

// signs reports whether an answer begins with a Message-Authenticator.
func (r *reference) signs(p *radiustest.Packet) bool {
	switch r.nas.ReplyMA {
	case radius.ReplyMANever:
		return has(p, radiustest.EAPMessage)
	case radius.ReplyMAEcho:
		return has(p, radiustest.MessageAuthenticator)
	}
	return true
}

// status is the answer to a Status-Server.
func (r *reference) status(p *radiustest.Packet, acct bool) said {
	w := writing{out: append([]byte{radiustest.AccessAccept, p.ID, 0, 0}, zeros...)}
	if acct {
		w.out[0] = radiustest.AccountingResponse
	}
	w.put(radiustest.MA())
	return w.end(p.Authenticator[:], r.nasSecret, true)
}

// writing is a packet that grows.
type writing struct {
	out   []byte
	got   []byte // where the salts are read, at the same places
	salts [][]byte
}

func (w *writing) put(attributes ...radiustest.Attribute) {
	for _, a := range attributes {
		w.out = append(append(w.out, a.Type, byte(2+len(a.Value))), a.Value...)
	}
}

// rehide puts an attribute whose hidden values are hidden anew for another hop;
// one that cannot be is put as it is, which is false.
func (w *writing) rehide(a radiustest.Attribute, from, to hop) (whole bool) {
	at := len(w.out) + 2
	w.put(a)
	whole = true
	for _, piece := range hiddenIn(a) {
		value := w.out[at+piece.from : at+piece.to]
		plain, ok := from.reveal(piece.cipher, value)
		if whole = whole && ok; !ok {
			continue
		}
		if piece.cipher == likeTunnel {
			salt := []byte{0x80, 0}
			if end := at + piece.from + 2; end <= len(w.got) {
				salt = w.got[end-2 : end]
			}
			w.salts = append(w.salts, salt)
			copy(plain, salt)
		}
		copy(value, to.hide(piece.cipher, plain))
	}
	return whole
}

// end signs a packet: Message-Authenticator and, unless it is to stay as it is,
// the authenticator.
func (w *writing) end(seed, secret []byte, sign bool) said {
	if len(w.out) > 4096 {
		return said{why: "too-big"}
	}
	binary.BigEndian.PutUint16(w.out[2:], uint16(len(w.out)))
	radiustest.SignMA(w.out, seed, secret)
	if sign {
		radiustest.Sign(w.out, seed, secret)
	}
	return said{octets: w.out, salts: w.salts}
}

// saltsAreRight reports whether each is sent once in its packet and has its highest
// bit set.
func saltsAreRight(salts [][]byte) bool {
	known := map[string]bool{}
	for _, salt := range salts {
		if salt[0] < 0x80 || known[string(salt)] {
			return false
		}
		known[string(salt)] = true
	}
	return true
}
