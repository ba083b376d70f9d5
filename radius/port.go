package radius

import "net/netip"

// Port is one UDP port that takes RADIUS packets and answers from the address
// that was hit, for the packages that listen beside the proxy.
type Port struct{ listener *listener }

// Listen opens a port; what is said in errors that it is for.
func Listen(addr netip.AddrPort, what string) (*Port, error) {
	l, err := listenAs(addr, auth, what)
	return &Port{l}, err
}

// Addr is where it listens.
func (p *Port) Addr() netip.AddrPort { return p.listener.addr }

// Serve hands every datagram to handle until Close. The octets are
// overwritten by the next one.
func (p *Port) Serve(handle func(octets []byte, from, local netip.AddrPort)) {
	p.listener.serve(func(_ *listener, d datagram) { handle(d.octets, d.from, d.local) }, func() {})
}

// Reply sends octets from the address that a request was sent to.
func (p *Port) Reply(octets []byte, to, local netip.AddrPort) error {
	return p.listener.reply(octets, to, local)
}

// Close ends Serve.
func (p *Port) Close() { p.listener.close() }
