//go:build realparts

package realparts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// RADIUS codes and attribute types that the tests look at on the wire.
const (
	codeAccessRequest   = 1
	codeAccessAccept    = 2
	codeAccessReject    = 3
	codeAcctRequest     = 4
	codeAcctResponse    = 5
	codeAccessChallenge = 11
	codeStatusServer    = 12

	attrCHAPPassword         = 3
	attrProxyState           = 33
	attrCHAPChallenge        = 60
	attrMessageAuthenticator = 80
)

// A WirePacket is one RADIUS packet as it went over a namespace's loopback.
type WirePacket struct {
	From, To netip.AddrPort
	Raw      []byte
}

// Code is the kind of the packet.
func (p WirePacket) Code() byte { return p.Raw[0] }

// Types lists the attribute types of the packet in their order.
func (p WirePacket) Types() []byte {
	var types []byte
	for rest := p.Raw[20:]; len(rest) >= 2 && int(rest[1]) >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
		types = append(types, rest[0])
	}
	return types
}

// Values lists the values of one attribute type, in their order.
func (p WirePacket) Values(attribute byte) [][]byte {
	var values [][]byte
	for rest := p.Raw[20:]; len(rest) >= 2 && int(rest[1]) >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
		if rest[0] == attribute {
			values = append(values, rest[2:rest[1]])
		}
	}
	return values
}

// Has reports whether the packet carries the attribute type.
func (p WirePacket) Has(attribute byte) bool { return len(p.Values(attribute)) > 0 }

func (p WirePacket) String() string {
	return fmt.Sprintf("%v > %v code %d id %d attributes %v", p.From, p.To, p.Raw[0], p.Raw[1], p.Types())
}

// A Wire listens on the loopback of a namespace and remembers every RADIUS packet.
type Wire struct {
	netns *Netns
	marks atomic.Uint32

	mu      sync.Mutex
	packets []WirePacket
	passed  uint32 // the last mark that came by
}

// A mark is a packet of code markCode to the port discard.
const (
	markPort = 9
	markCode = 255
)

// wireBuffer holds what arrives while the reader waits for its turn.
const wireBuffer = 8 << 20

// TapLoopback starts to listen; it ends with the test.
func TapLoopback(t testing.TB, n *Netns) *Wire {
	t.Helper()
	var socket *os.File
	err := n.Do(func() (err error) {
		socket, err = packetSocket()
		return err
	})
	if err != nil {
		t.Fatalf("listen on the loopback of %s: %v", n.name, err)
	}
	w := &Wire{netns: n}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.record(t, socket)
	}()
	t.Cleanup(func() {
		socket.Close()
		<-ended
		if t.Failed() {
			t.Logf("---- RADIUS on the wire\n%s", w)
		}
	})
	return w
}

// packetSocket opens a socket that sees the IPv4 packets arriving in the
// namespace of the calling thread, without link headers.
func packetSocket() (*os.File, error) {
	ipv4 := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_IP))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(ipv4))
	if err != nil {
		return nil, err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
		unix.Close(fd)
		return nil, err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, wireBuffer); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "loopback"), nil
}

// record reads packets until the socket is closed.
func (w *Wire) record(t testing.TB, socket *os.File) {
	buf := make([]byte, 64<<10)
	for {
		n, err := socket.Read(buf)
		if err != nil {
			if !errors.Is(err, os.ErrClosed) {
				t.Errorf("loopback: %v", err)
			}
			return
		}
		if p, ok := radiusPacket(buf[:n]); ok {
			w.keep(p)
		}
	}
}

func (w *Wire) keep(p WirePacket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.To.Port() == markPort && p.Code() == markCode {
		w.passed = binary.BigEndian.Uint32(p.Raw[4:])
		return
	}
	w.packets = append(w.packets, p)
}

// Settle waits until everything that was received before is on record: a mark sent
// now comes by after it.
func (w *Wire) Settle(t testing.TB) {
	t.Helper()
	conn, err := w.netns.Dial("udp", fmt.Sprintf("127.0.0.1:%d", markPort))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	number := w.marks.Add(1)
	mark := make([]byte, 20)
	mark[0], mark[3] = markCode, byte(len(mark))
	binary.BigEndian.PutUint32(mark[4:], number)
	if _, err := conn.Write(mark); err != nil {
		t.Fatal(err)
	}
	Eventually(t, 10*time.Second, "the record of the wire", func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.passed < number {
			return errors.New("the mark has not come by")
		}
		return nil
	})
}

// radiusPacket reads an IPv4 packet that holds one RADIUS packet.
func radiusPacket(ip []byte) (WirePacket, bool) {
	const udpHeader, radiusHeader = 8, 20
	if len(ip) < 20 || ip[9] != unix.IPPROTO_UDP {
		return WirePacket{}, false
	}
	header := int(ip[0]&0x0f) * 4
	if len(ip) < header+udpHeader+radiusHeader {
		return WirePacket{}, false
	}
	udp, raw := ip[header:], ip[header+udpHeader:]
	length := int(binary.BigEndian.Uint16(raw[2:]))
	if length < radiusHeader || length > len(raw) {
		return WirePacket{}, false
	}
	return WirePacket{
		From: addrPort(ip[12:16], udp[0:2]),
		To:   addrPort(ip[16:20], udp[2:4]),
		Raw:  append([]byte(nil), raw[:length]...),
	}, true
}

func addrPort(address, port []byte) netip.AddrPort {
	a, _ := netip.AddrFromSlice(address) // always four octets
	return netip.AddrPortFrom(a, binary.BigEndian.Uint16(port))
}

// To lists the packets of one code that went to a port so far.
func (w *Wire) To(port uint16, code byte) []WirePacket {
	return w.filter(func(p WirePacket) bool { return p.To.Port() == port && p.Code() == code })
}

// From lists the packets of one code that came from a port so far.
func (w *Wire) From(port uint16, code byte) []WirePacket {
	return w.filter(func(p WirePacket) bool { return p.From.Port() == port && p.Code() == code })
}

func (w *Wire) filter(keep func(WirePacket) bool) []WirePacket {
	w.mu.Lock()
	defer w.mu.Unlock()
	var kept []WirePacket
	for _, p := range w.packets {
		if keep(p) {
			kept = append(kept, p)
		}
	}
	return kept
}

func (w *Wire) String() string {
	var b strings.Builder
	for _, p := range w.filter(func(WirePacket) bool { return true }) {
		fmt.Fprintln(&b, p)
	}
	return b.String()
}
