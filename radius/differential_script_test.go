package radius_test

import (
	"slices"

	"sekisho/radius/radiustest"
)

// script is what the server makes of a request: an answer, with its hidden
// values in clear, and what else it sends.
type script struct {
	dice
	code       byte
	attributes []radiustest.Attribute
	signed     int // where the Message-Authenticator stands; -1: nowhere
	before     int // wrong answers before the right one
	after      int // and after it
	never      bool
}

func (d dice) script(request byte) *script {
	s := &script{dice: d, code: radiustest.AccountingResponse, attributes: d.many(), signed: -1}
	wrong := d.odds(3)
	for d.odds(40) {
		s.attributes = append(s.attributes, d.hidden(wrong))
	}
	if request == radiustest.AccessRequest {
		s.code = d.one(2, 2, 2, 2, 2, 3, 11)
		s.attributes = append(s.attributes, d.decided()...)
	}
	if d.odds(3) {
		s.code = protocolError
	}
	d.Shuffle(len(s.attributes), func(i, j int) { s.attributes[i], s.attributes[j] = s.attributes[j], s.attributes[i] })
	s.attributes = d.fitted(s.attributes)
	if n := len(s.attributes); d.odds(70) {
		s.signed = []int{0, n, d.IntN(n + 1)}[d.IntN(3)]
	}
	if d.odds(15) {
		s.before = 1 + d.IntN(3)
	}
	if d.odds(15) {
		s.after = 1 + d.IntN(3)
	}
	s.never = d.odds(3)
	return s
}

// decided are attributes of an answer that the proxy looks at.
func (d dice) decided() (all []radiustest.Attribute) {
	for d.odds(35) {
		name := []string{"op25b", "op25b-limit", "op25b-all", "of-the-server", "op25b-"}[d.IntN(5)]
		all = append(all, radiustest.Attr(radiustest.FilterID, name))
		if d.odds(40) {
			all[len(all)-1] = d.vendor(4874, 10, []byte(name))
		}
	}
	if d.odds(10) {
		all = append(all, radiustest.Number(6, uint32(d.IntN(12))))
	}
	if d.odds(10) {
		all = append(all, radiustest.Number(64, uint32(d.IntN(2))<<24|uint32(d.one(1, 9, 13))))
	}
	if d.odds(6) {
		all = append(all, radiustest.Attr(67, "lns.example"))
	}
	if d.odds(10) {
		pair := []string{"shell:priv-lvl=15", "Shell:x", "vpdn:tunnel-id=1", "ip:inacl#1=x"}[d.IntN(4)]
		all = append(all, radiustest.Vendor(9, 1, pair))
	}
	if d.odds(3) {
		all = append(all, radiustest.Vendor(4874, 64, "group"))
	}
	if d.odds(10) {
		all = append(all, d.login(uint32(d.IntN(9))))
	}
	if d.odds(15) {
		all = append(append(all, d.eap()...), radiustest.Attribute{Type: radiustest.State, Value: d.octets(8)})
	}
	return all
}

// datagrams are what the server sends to a request that came.
func (s *script) datagrams(request *radiustest.Packet, secret []byte) (all [][]byte) {
	r := &radiustest.Request{Packet: request, Secret: secret}
	right := r.Sign(s.reply(request, secret))
	for range s.before {
		all = append(all, s.wrong(r, right))
	}
	if !s.never {
		all = append(all, right)
	}
	for range s.after {
		if all = append(all, s.wrong(r, right)); !s.never && s.odds(50) {
			all[len(all)-1] = right
		}
	}
	return all
}

func (s *script) reply(request *radiustest.Packet, secret []byte) *radiustest.Packet {
	h := hop{secret, request.Authenticator[:]}
	if request.Code == radiustest.AccountingRequest {
		h.authenticator = zeros
	}
	p := &radiustest.Packet{Code: s.code, ID: request.ID, Attributes: hiddenAll(slices.Clone(s.attributes), h)}
	if s.signed >= 0 {
		p.Attributes = slices.Insert(p.Attributes, s.signed, radiustest.MA())
	}
	states := request.Values(radiustest.ProxyState)
	switch s.IntN(5) {
	case 0:
		slices.Reverse(states)
	case 1:
		states = append(states, states...)
	case 2:
		states = [][]byte{[]byte("somebody's")}
	}
	length := len(p.Encode())
	for _, state := range states {
		if length += 2 + len(state); length <= 4096 {
			p.Attributes = append(p.Attributes, radiustest.Attribute{Type: radiustest.ProxyState, Value: state})
		}
	}
	return p
}

// wrong is an answer that is none.
func (s *script) wrong(r *radiustest.Request, right []byte) []byte {
	b := slices.Clone(right)
	p, err := radiustest.Decode(right)
	switch s.IntN(6) {
	case 0: // forged
		b[4+s.IntN(16)] ^= 1 << s.IntN(8)
		return b
	case 1: // to another request
		b[1] += byte(1 + s.IntN(3))
		return b
	case 2: // with another secret
		return (&radiustest.Request{Packet: r.Packet, Secret: []byte("another")}).Sign(p)
	case 3: // a code that does not fit
		p.Code = s.one(1, 4, 12, 13, 40, 200)
		return r.Sign(p)
	case 4: // a wrong Message-Authenticator beneath a right signature
		if at := slices.IndexFunc(p.Attributes, func(a radiustest.Attribute) bool { return a.Type == radiustest.MessageAuthenticator }); at >= 0 {
			p.Attributes[at].Value[3] ^= 4
			b = p.Encode()
			radiustest.Sign(b, r.Authenticator[:], r.Secret)
			return b
		}
	}
	if err != nil {
		return b[:10]
	}
	return b[:s.IntN(len(b))]
}
