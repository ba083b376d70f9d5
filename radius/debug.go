package radius

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"sync"

	"sekisho/dict"
	"sekisho/engine"
)

// Debug writes one packet's way as text, in the shape that FreeRADIUS users
// read: every packet with its attributes, the decision, and what was dropped
// and why. Secrets and hidden values are masked. Nil is a Debug that writes
// nothing.
type Debug struct {
	mu  sync.Mutex
	out io.Writer
}

// SetDebug turns debug output on, or off with nil.
func (p *Proxy) SetDebug(out io.Writer) {
	if out == nil {
		p.debug.Store(nil)
		return
	}
	p.debug.Store(&Debug{out: out})
}

var codeNames = map[byte]string{
	accessRequest:      "Access-Request",
	accessAccept:       "Access-Accept",
	accessReject:       "Access-Reject",
	accountingRequest:  "Accounting-Request",
	accountingResponse: "Accounting-Response",
	accessChallenge:    "Access-Challenge",
	statusServer:       "Status-Server",
	protocolError:      "Protocol-Error",
}

// CodeName returns the name of a packet code, or its number.
func CodeName(code byte) string {
	if name, ok := codeNames[code]; ok {
		return name
	}
	return fmt.Sprintf("code-%d", code)
}

// masked are the values that would help to guess a password, beside those that
// the dictionary knows as hidden.
var masked = map[dict.Key]bool{
	{Number: typeCHAPPassword}: true,
	{Number: typeARAPPassword}: true,
	{Number: 214}:              true, // Ascend-Send-Secret, Ascend-Receive-Secret of old boxes
	{Number: 215}:              true,
	{Vendor: 311, Number: 1}:   true, // MS-CHAP-Response
	{Vendor: 311, Number: 3}:   true, // MS-CHAP-CPW-1, MS-CHAP-CPW-2 and the passwords that go with them
	{Vendor: 311, Number: 4}:   true,
	{Vendor: 311, Number: 5}:   true,
	{Vendor: 311, Number: 6}:   true,
	{Vendor: 311, Number: 25}:  true, // MS-CHAP2-Response
	{Vendor: 311, Number: 27}:  true, // MS-CHAP2-CPW
	{Vendor: 4874, Number: 9}:  true, // ERX-Tunnel-Password, which travels in the clear
}

// maskedPair reports whether an attribute is a text pair that sets a secret,
// such as vpdn:l2tp-tunnel-password=….
func maskedPair(k dict.Key, value []byte) bool {
	if k.Vendor != ciscoVendor || k.Number != ciscoAVPair {
		return false
	}
	name, _, _ := bytes.Cut(bytes.ToLower(value), []byte("="))
	for _, word := range []string{"password", "secret", "key", "psk"} {
		if bytes.Contains(name, []byte(word)) {
			return true
		}
	}
	return false
}

func (d *Debug) received(t *transaction) {
	if d == nil {
		return
	}
	d.write(t, func(b *block) {
		b.packet("Received", t.request, t.client, t.local)
		b.line("NAS %s, area %q, profile %q", t.nas.Name, t.nas.Area, profileName(t.nas.Profile))
	})
}

func profileName(p *dict.Profile) string {
	if p == nil {
		return ""
	}
	return p.Name
}

func (d *Debug) sent(t *transaction, a *attempt) {
	if d == nil {
		return
	}
	d.write(t, func(b *block) {
		b.line("Realm goes to AAA server %s", a.target.Name)
		b.packet("Sent", a.wire, local(a.socket), a.socket.peer.remote)
	})
}

func (d *Debug) replied(t *transaction, a *attempt, reply packet) {
	if d == nil {
		return
	}
	d.write(t, func(b *block) { b.packet("Received", reply, a.socket.peer.remote, local(a.socket)) })
}

func (d *Debug) decided(t *transaction, decision engine.Decision) {
	if d == nil {
		return
	}
	d.write(t, func(b *block) {
		b.line("Decision: %s by rule %s%s", decision.Action, decision.Rule, until(decision))
	})
}

func until(decision engine.Decision) string {
	if decision.Until.IsZero() {
		return ", for as long as the facts stay"
	}
	return ", until " + decision.Until.Format("2006-01-02T15:04:05Z07:00")
}

func (d *Debug) answered(t *transaction) {
	if d == nil {
		return
	}
	d.write(t, func(b *block) {
		b.packet("Sent", t.reply, t.local, t.client)
		b.line("Finished request")
	})
}

func (d *Debug) note(t *transaction, format string, args ...any) {
	if d == nil {
		return
	}
	d.write(t, func(b *block) { b.line(format, args...) })
}

// refused shows a datagram that never became a transaction.
func (d *Debug) refused(a *arrival, why reason) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.out, "(-) Dropped %d octets from %s to %s: %s (%s)\n",
		len(a.datagram.octets), a.datagram.from, a.datagram.local, explanations[why], why)
}

// block collects the lines of one step, so that they stay together.
type block struct {
	bytes.Buffer
	serial uint64
	dict   *dict.Dictionary
}

func (d *Debug) write(t *transaction, fill func(*block)) {
	b := &block{serial: t.serial, dict: t.snapshot.dict}
	fill(b)
	d.mu.Lock()
	defer d.mu.Unlock()
	_, _ = d.out.Write(b.Bytes()) // whoever watches may go away
}

func (b *block) line(format string, args ...any) {
	fmt.Fprintf(b, "(%d) %s\n", b.serial, fmt.Sprintf(format, args...))
}

func (b *block) packet(verb string, p packet, from, to netip.AddrPort) {
	b.line("%s %s Id %d from %s to %s length %d", verb, CodeName(p.code()), p.id(), from, to, len(p))
	for _, attr := range p.attributes() {
		if attr[0] == typeVendorSpecific && len(attr) >= 6 {
			b.vendor(attr)
			continue
		}
		b.attribute(dict.Key{Number: uint32(attr[0])}, attr[2:])
	}
}

func (b *block) vendor(attr []byte) {
	id := vendor(attr[2:])
	known := false
	for number, value := range vendorValues(attr[2:], b.dict.VendorFormat(id)) {
		known = true
		b.attribute(dict.Key{Vendor: id, Number: number}, value)
	}
	if !known {
		b.line("  Attr-26 = 0x%x", attr[2:])
	}
}

func (b *block) attribute(k dict.Key, value []byte) {
	a, ok := b.dict.ByKey(k)
	switch {
	case masked[k] || maskedPair(k, value) || b.dict.HoldsHidden(k) || ok && a.Cipher != dict.Clear:
		b.line("  %s = <<< secret >>>", attributeName(a, k))
	case !ok:
		b.line("  %s = 0x%x", attributeName(a, k), value)
	default:
		b.line("  %s = %s", a.Name, a.Format(value))
	}
}

func attributeName(a *dict.Attribute, k dict.Key) string {
	switch {
	case a != nil:
		return a.Name
	case k.Vendor != 0:
		return fmt.Sprintf("Attr-26.%d.%d", k.Vendor, k.Number)
	}
	return fmt.Sprintf("Attr-%d", k.Number)
}

func local(s *socket) netip.AddrPort {
	addr, _ := netip.ParseAddrPort(s.conn.LocalAddr().String())
	return addr
}
