package radius

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestTheFirstRequestToAServerThatIsBackIsSent has the kernel report an
// earlier datagram's ICMP message on the write of this one.
func TestTheFirstRequestToAServerThatIsBackIsSent(t *testing.T) {
	t.Parallel()
	server, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	addr := server.LocalAddr().(*net.UDPAddr)
	server.Close()
	conn, err := net.DialUDP("udp", nil, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("to nobody")); err != nil {
		t.Fatal(err)
	}
	if server, err = net.ListenUDP("udp", addr); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	p := newProxy(Options{})
	a := &attempt{socket: &socket{conn: conn}, target: &target{&AAA{Name: "tokyo-1"}, nil, new(aaaCounters)}, wire: []byte{accessRequest, 7}}
	p.transmit(a)
	server.SetReadDeadline(time.Now().Add(10 * time.Second))
	got := make([]byte, 16)
	if n, err := server.Read(got); err != nil || n != 2 {
		t.Errorf("the server got %x, %v", got[:n], err)
	}
	if sent, dropped := a.target.counters.sent[accessRequest].Load(), a.target.counters.dropped[dropSend].Load(); sent != 1 || dropped != 0 {
		t.Errorf("%d counted as sent, %d as dropped", sent, dropped)
	}
}
