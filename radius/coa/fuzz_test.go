package coa

import (
	"encoding/binary"
	"encoding/hex"
	"net"
	"testing"
	"time"

	"sekisho/radius"
	"sekisho/radius/radiustest"
)

// FuzzReply hands octets to the client as a router's answer, rightly signed so
// that they get as far as they can. An exchange ends at most once, and only
// then is its identifier free.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{"2c", "2d6506000001f7", "2d6506000001916501", "2d65040001", "2c5012" + "00000000000000000000000000000000", "291a0f0000130ab209666f6f", "2d1202"} {
		octets, err := hex.DecodeString(seed)
		must(f, err)
		f.Add(octets)
	}
	secret := []byte("s")
	sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(f, err)
	f.Cleanup(func() { sink.Close() })
	router := sink.LocalAddr().(*net.UDPAddr).AddrPort()
	f.Fuzz(func(t *testing.T, octets []byte) {
		c := NewClient(ClientOptions{Clock: radiustest.NewClock(time.Unix(1e9, 0))})
		defer c.Close()
		ends := 0
		must(t, c.Send(&NAS{Address: router, Secret: radius.NewSecret(secret)}, Request{}, func(r Reply) {
			ends++
			if r.String() == "" || r.Outcome >= outcomes || r.Code == 0 {
				t.Errorf("%+v", r)
			}
		}))
		s := c.sockets[local{v4: true}][0]
		reply := seal(octets, s.routers[router].pending[0].wire[4:headerLen], secret)
		c.receive(s, reply, router)
		c.receive(s, reply, router)
		if ends > 1 || (ends == 1) != (s.routers[router].unused == identifiers) {
			t.Errorf("%x ended it %d times, %d identifiers are free", reply, ends, s.routers[router].unused)
		}
	})
}

// seal makes a signed packet of a code and attributes.
func seal(octets, authenticator, secret []byte) []byte {
	if len(octets) == 0 {
		octets = []byte{0}
	}
	octets = octets[:min(len(octets), 4000)]
	packet := append([]byte{octets[0], 0, 0, 0}, make([]byte, 16)...)
	packet = append(packet, octets[1:]...)
	binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
	if p, err := radius.ReadPacket(packet); err == nil && p.Find(typeMessageAuthenticator) != nil {
		radiustest.SignMA(packet, authenticator, secret)
	}
	radiustest.Sign(packet, authenticator, secret)
	return packet
}

// FuzzRelayed hands octets to the relay as an AAA server's request. What goes
// on to the router is a whole packet, and nothing that the profile manages is
// in it but the policy's own.
func FuzzRelayed(f *testing.F) {
	for _, seed := range []string{nasIP + acct + theirs + timeout + theirMark, acct + userName, "1a0a000000090104616263", nasIP + "0b02", "4512" + "00000000000000000000000000000000", nasIP + acct + ours} {
		octets, err := hex.DecodeString(seed)
		must(f, err)
		f.Add(append([]byte{43}, octets...))
		f.Add(append([]byte{40}, octets...))
	}
	sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(f, err)
	f.Cleanup(func() { sink.Close() })
	c := newCrossing(f, acks, func(r *Router) { r.CoA.Address = sink.LocalAddr().(*net.UDPAddr).AddrPort() })
	from := sink.LocalAddr().(*net.UDPAddr).AddrPort()
	f.Fuzz(func(t *testing.T, octets []byte) {
		c.clock.Advance(time.Minute) // forget the one before
		request := seal(octets, make([]byte, 16), []byte(aaaSecret))
		c.relay.receive(c.relay.ports[0], request, from, from)
		relayed := 0
		for c.read(t, sink, &relayed) {
		}
	})
}

// read takes a datagram that the relay has sent; false when there is none.
func (c *crossing) read(t *testing.T, sink *net.UDPConn, relayed *int) bool {
	buffer := make([]byte, 5000)
	if err := sink.SetReadDeadline(time.Now().Add(time.Microsecond)); err != nil {
		t.Fatal(err)
	}
	n, err := sink.Read(buffer)
	if err != nil {
		return false
	}
	p, err := radius.ReadPacket(buffer[:n])
	if err != nil {
		t.Fatalf("sent %x: %v", buffer[:n], err)
	}
	if p.Code() != coaRequest {
		return true
	}
	if *relayed++; *relayed > 1 {
		t.Errorf("relayed twice: %x", p.Octets())
	}
	for typ, attr := range p.Attributes() {
		if typ == 11 && hex.EncodeToString(attr) != ours {
			t.Errorf("sent the router %x", p.Octets())
		}
	}
	return true
}
