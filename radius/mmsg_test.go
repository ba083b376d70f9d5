package radius

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"
	"weak"

	"golang.org/x/sys/unix"
)

// post is a letter that counts how often it is sent by itself.
type post struct {
	e       envelope
	alone   int
	refused bool
}

func (l *post) envelope() envelope { return l.e }

func (l *post) send(*Proxy) bool {
	l.alone++
	return !l.refused
}

// opened listens somewhere until the test ends.
func opened(t *testing.T, addr string) *listener {
	t.Helper()
	l, err := listen(netip.MustParseAddrPort(addr), auth)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	l.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	return l
}

// arrived reads that many datagrams, and says whence, whereto and what each is.
func arrived(t *testing.T, l *listener, count int) (all []string) {
	t.Helper()
	in := newInbox(l.raw, l.asks())
	for len(all) < count {
		n, err := in.read()
		if err != nil {
			t.Fatalf("%d of %d arrived: %v", len(all), count, err)
		}
		for i := range n {
			all = append(all, fmt.Sprintf("%s>%s:%s", in.from(i), l.destination(in.to(i)), in.octets(i)))
		}
	}
	return all
}

func TestBatchesArriveWholeAndFromWhereTheyWereSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to, hit string
		sources       []string
	}{
		"IPv4":                  {from: "127.0.0.1:0", to: "127.0.0.1:0", hit: "127.0.0.1"},
		"IPv6":                  {from: "[::1]:0", to: "[::1]:0", hit: "::1"},
		"wildcard of IPv4":      {from: "127.0.0.1:0", to: "0.0.0.0:0", hit: "127.0.0.7"},
		"wildcard of IPv6":      {from: "[::1]:0", to: "[::]:0", hit: "::1"},
		"from wildcard of IPv4": {"0.0.0.0:0", "0.0.0.0:0", "127.0.0.7", []string{"127.0.0.9", "127.0.0.10"}},
		"from wildcard of IPv6": {"[::]:0", "[::]:0", "::1", []string{"::1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := opened(t, c.from), opened(t, c.to)
			sources := []netip.AddrPort{from.addr}
			if from.wildcard {
				sources = nil
				for _, s := range c.sources {
					sources = append(sources, netip.AddrPortFrom(netip.MustParseAddr(s), from.addr.Port()))
				}
			}
			at := netip.AddrPortFrom(netip.MustParseAddr(c.hit), to.addr.Port())
			out := newOutbox()
			var want []string
			for i := range batch {
				source := sources[i%len(sources)]
				text := bytes.Repeat([]byte{byte('a' + i%26)}, 20+i/5)
				out.post(&post{e: envelope{&from.outlet, text, at, source}})
				want = append(want, fmt.Sprintf("%s>%s:%s", source, at, text))
			}
			out.flush(newProxy(Options{}))
			got := arrived(t, to, batch)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("arrived\n%q, want\n%q", got, want)
			}
		})
	}
}

// TestBatchGoesByEverySocket mixes letters of several sockets and ports, some
// of which the kernel does not take.
func TestBatchGoesByEverySocket(t *testing.T) {
	t.Parallel()
	one, two, to, other := opened(t, "127.0.0.1:0"), opened(t, "127.0.0.1:0"), opened(t, "127.0.0.1:0"), opened(t, "127.0.0.1:0")
	out := newOutbox()
	tooLong := &post{e: envelope{&one.outlet, make([]byte, 70000), to.addr, one.addr}}
	var whole []*post
	want := map[*listener][]string{}
	for i := range 21 {
		from, at := one, to
		if i%2 > 0 {
			from = two
		}
		if i%3 > 0 {
			at = other
		}
		text := fmt.Sprintf("%0*d", 10+i%2, i)
		l := &post{e: envelope{&from.outlet, []byte(text), at.addr, from.addr}}
		whole = append(whole, l)
		out.post(l)
		want[at] = append(want[at], fmt.Sprintf("%s>%s:%s", from.addr, at.addr, text))
		if i == 8 {
			out.post(tooLong)
		}
	}
	out.flush(newProxy(Options{}))
	for l, texts := range maps.All(want) {
		got := arrived(t, l, len(texts))
		slices.Sort(got)
		slices.Sort(texts)
		if !slices.Equal(got, texts) {
			t.Errorf("arrived\n%q, want\n%q", got, texts)
		}
	}
	if tooLong.alone != 1 {
		t.Errorf("the one that the kernel refuses was sent by itself %d times", tooLong.alone)
	}
	if slices.ContainsFunc(whole, func(l *post) bool { return l.alone > 0 }) {
		t.Error("others were sent by themselves")
	}
}

// refuseSegmentation makes the kernel refuse UDP_SEGMENT on a socket, as it
// does where checksums are off or the card computes none.
func refuseSegmentation(t *testing.T, l *listener) {
	t.Helper()
	if err := l.raw.Control(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_NO_CHECK, 1); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

func TestNoSegmentationWhereItIsNotWanted(t *testing.T) {
	t.Parallel()
	from, to := opened(t, "127.0.0.1:0"), opened(t, "127.0.0.1:0")
	refuseSegmentation(t, from)
	p := newProxy(Options{})
	p.current.Store(&snapshot{config: &Config{NoSegmentation: true}})
	out := newOutbox()
	for range 5 {
		out.post(&post{e: envelope{&from.outlet, []byte("of one length"), to.addr, from.addr}})
	}
	out.flush(p)
	if from.singly.Load() {
		t.Error("it was tried all the same")
	}
	arrived(t, to, 5)
}

func TestBundleThatCannotBeCutUp(t *testing.T) {
	t.Parallel()
	from, to := opened(t, "127.0.0.1:0"), opened(t, "127.0.0.1:0")
	refuseSegmentation(t, from)
	out := newOutbox()
	send := func() (alone int) {
		letters := make([]*post, 5)
		for i := range letters {
			letters[i] = &post{e: envelope{&from.outlet, []byte("of one length"), to.addr, from.addr}}
			out.post(letters[i])
		}
		out.flush(newProxy(Options{}))
		for _, l := range letters {
			alone += l.alone
		}
		return alone
	}
	if alone := send(); alone != 5 || !from.singly.Load() {
		t.Errorf("%d of 5 were sent by themselves, the socket is known for it: %v", alone, from.singly.Load())
	}
	if alone := send(); alone != 0 {
		t.Errorf("then %d of 5 were sent by themselves, want none", alone)
	}
	arrived(t, to, 5)
}

// TestBundleThatWouldNotGoSinglyEither holds that a NAS at a port that cannot be
// sent to does not make the others' datagrams go singly from then on.
func TestBundleThatWouldNotGoSinglyEither(t *testing.T) {
	t.Parallel()
	from := opened(t, "127.0.0.1:0")
	out := newOutbox()
	for range 5 {
		out.post(&post{e: envelope{&from.outlet, []byte("of one length"), netip.MustParseAddrPort("127.0.0.1:0"), from.addr}, refused: true})
	}
	out.flush(newProxy(Options{}))
	if out.errno != unix.EINVAL || from.singly.Load() {
		t.Errorf("refused by %v, the socket is known for it: %v", out.errno, from.singly.Load())
	}
}

// TestSentLettersAreForgotten holds that an outbox which waits for the next
// letters keeps none of the last ones in memory, nor what hangs on them.
func TestSentLettersAreForgotten(t *testing.T) {
	t.Parallel()
	one, two, to := opened(t, "127.0.0.1:0"), opened(t, "127.0.0.1:0"), opened(t, "127.0.0.1:0")
	out := newOutbox()
	var letters []weak.Pointer[post]
	for i := range batch {
		l := &post{e: envelope{&one.outlet, []byte("of one length")[:5+i%3], to.addr, one.addr}}
		if i%2 > 0 {
			l.e.via = &two.outlet
		}
		letters = append(letters, weak.Make(l))
		out.post(l)
	}
	out.flush(newProxy(Options{}))
	runtime.GC()
	if slices.ContainsFunc(letters, func(l weak.Pointer[post]) bool { return l.Value() != nil }) {
		t.Error("letters are still held")
	}
	runtime.KeepAlive(out)
}

// TestEmptyDatagramsEndNoBatch has datagrams without octets among others.
func TestEmptyDatagramsEndNoBatch(t *testing.T) {
	t.Parallel()
	from, to := opened(t, "127.0.0.1:0"), opened(t, "127.0.0.1:0")
	var want []string
	for _, text := range []string{"", "one", "", "", "two", ""} {
		if err := from.reply([]byte(text), to.addr, from.addr); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("%s>%s:%s", from.addr, to.addr, text))
	}
	if got := arrived(t, to, len(want)); !slices.Equal(got, want) {
		t.Errorf("arrived\n%q, want\n%q", got, want)
	}
}

// TestRefusedPortEndsNoReading has an ICMP message come back before a datagram
// does.
func TestRefusedPortEndsNoReading(t *testing.T) {
	t.Parallel()
	server := opened(t, "127.0.0.1:0")
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server.addr))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	server.close()
	if _, err := conn.Write([]byte("to nobody")); err != nil {
		t.Fatal(err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	in := newInbox(raw, askNothing)
	if n, err := in.read(); n != 0 || err != unix.ECONNREFUSED {
		t.Fatalf("read %d, %v", n, err)
	}
	again, err := listen(server.addr, auth)
	if err != nil {
		t.Fatal(err)
	}
	defer again.close()
	if _, err := again.conn.WriteToUDPAddrPort([]byte("back"), conn.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
		t.Fatal(err)
	}
	if n, err := in.read(); n != 1 || err != nil || string(in.octets(0)) != "back" {
		t.Fatalf("read %d, %v", n, err)
	}
}
