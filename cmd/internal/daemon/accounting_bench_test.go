package daemon_test

import (
	"context"
	"crypto/md5"
	"encoding/binary"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/radius/radiustest"
)

var (
	liveSessions = flag.Int("sessions", 10_000, "how many sessions are live beside the benchmark of accounting")
	acctPace     = flag.Int("pace", 20_000, "accounting packets a second beside which logins are measured")
)

// BenchmarkLoginBesideAccounting is how long a login takes through the whole
// daemon while many sessions are live, without accounting and beside Interim-
// Updates at a pace. What sends them and the AAA server that acknowledges them
// share the machine's processors with the daemon.
func BenchmarkLoginBesideAccounting(b *testing.B) {
	s, routers := openBusy(b)
	s.at(b, "2007-05-16T12:00:00+09:00")
	routers.send(b.Context(), 1, *liveSessions, 20_000)
	routers.wait(b, s)
	b.Run("idle", func(b *testing.B) { s.measureLoginsAtPace(b) })
	b.Run("accounting", func(b *testing.B) {
		ctx, end := context.WithCancel(b.Context())
		var ended sync.WaitGroup
		ended.Go(func() { routers.send(ctx, 3, 1<<30, *acctPace) })
		time.Sleep(answersKept) // until as many answers are kept for retransmissions as ever will be
		heap, written, answered, began := heapNow(), bytesWritten(b), routers.answered.Load(), time.Now()
		s.measureLoginsAtPace(b)
		end()
		ended.Wait()
		packets := routers.answered.Load() - answered
		b.ReportMetric(float64(packets)/time.Since(began).Seconds(), "packets/s")
		b.ReportMetric(float64(bytesWritten(b)-written)/float64(packets), "disk-B/packet")
		b.ReportMetric(float64(int64(heapNow())-int64(heap))/(1<<20), "MiB-growth")
	})
}

// answersKept is limits.cleanup-delay and a little more.
const answersKept = 7 * time.Second

// openBusy is a daemon that holds as many requests as come, with routers and an
// AAA server that remember nothing.
func openBusy(b *testing.B) (*site, *routers) {
	b.Helper()
	s := open(b)
	aaa, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	_ = aaa.SetReadBuffer(8 << 20)
	b.Cleanup(func() { aaa.Close() })
	go acknowledge(aaa)
	port := aaa.LocalAddr().(*net.UDPAddr).Port
	text := regexp.MustCompile(`acct-port: \d+`).ReplaceAllString(s.text, fmt.Sprintf("acct-port: %d", port))
	s.write(b, strings.ReplaceAll(text, "area: tokyo,", "area: tokyo, max-outstanding: 100000,")+"limits: {max-requests: 400000}\n")
	if _, err := s.client.Reload(b.Context(), ""); err != nil {
		b.Fatal(err)
	}
	_, acct := s.daemon.Addresses()
	r := &routers{}
	for range 64 {
		conn, err := net.Dial("udp4", acct[0])
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { conn.Close() })
		r.conns = append(r.conns, conn)
		go r.count(conn)
	}
	return s, r
}

// acknowledge answers every Accounting-Request.
func acknowledge(conn *net.UDPConn) {
	request := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(request)
		if err != nil {
			return
		}
		reply := append([]byte{radiustest.AccountingResponse, request[1], 0, 0}, request[4:20]...)
		for at := 20; at+2 <= n && request[at+1] >= 2; at += int(request[at+1]) {
			if request[at] == radiustest.ProxyState {
				reply = append(reply, request[at:at+int(request[at+1])]...)
			}
		}
		binary.BigEndian.PutUint16(reply[2:], uint16(len(reply)))
		sum := md5.Sum(append(slices.Clone(reply), aaaSecret...))
		copy(reply[4:20], sum[:])
		_, _ = conn.WriteToUDPAddrPort(reply, from) // what is lost is sent again by a real router
	}
}

// routers are the sockets of access routers.
type routers struct {
	conns    []net.Conn
	answered atomic.Int64
	id       [256]byte
}

func (r *routers) count(conn net.Conn) {
	reply := make([]byte, 4096)
	for {
		if _, err := conn.Read(reply); err != nil {
			return
		}
		r.answered.Add(1)
	}
}

// send sends records of that Acct-Status-Type, one for each session in turn, at
// a pace.
func (r *routers) send(ctx context.Context, status uint32, n, pace int) {
	began := time.Now()
	for i := 0; i < n && ctx.Err() == nil; i++ {
		for due := began.Add(time.Duration(i) * time.Second / time.Duration(pace)); time.Now().Before(due); {
			time.Sleep(200 * time.Microsecond)
		}
		which := i % len(r.conns)
		_, _ = r.conns[which].Write(record(r.id[which], status, i%*liveSessions)) // as above
		r.id[which]++
	}
}

// record is what a router tells of one of its sessions.
func record(id byte, status uint32, session int) []byte {
	p := &radiustest.Packet{Code: radiustest.AccountingRequest, ID: id, Attributes: []radiustest.Attribute{
		{Type: radiustest.NASIPAddress, Value: []byte{192, 0, 2, 1}},
		radiustest.Number(radiustest.AcctStatusType, status),
		radiustest.Attr(radiustest.AcctSessionID, fmt.Sprintf("%016X", session)),
		radiustest.Attr(radiustest.UserName, fmt.Sprintf("uf%07dab@atson.net", session)),
		radiustest.Number(8, 0x0a000000+uint32(session)),
		radiustest.Number(46, uint32(time.Now().Unix())), // Acct-Session-Time: something that changes
	}}
	octets := p.Encode()
	radiustest.Sign(octets, make([]byte, 16), []byte(nasSecret))
	return octets
}

// wait waits until the last session is live: the others came before it.
func (r *routers) wait(b *testing.B, s *site) {
	b.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		_, err := s.client.Session(b.Context(), "tokyo", "", fmt.Sprintf("%016X", *liveSessions-1))
		if err == nil {
			return
		}
		if time.Now().After(end) {
			b.Fatal("the last session is not live: ", err)
		}
		_, _ = r.conns[0].Write(record(r.id[0], 1, *liveSessions-1)) // it may have been lost
		r.id[0]++
	}
}

// measureLoginsAtPace is measureLogins, two hundred a second.
func (s *site) measureLoginsAtPace(b *testing.B) {
	auth, _ := s.daemon.Addresses()
	nas, err := radiustest.NewNAS(netip.MustParseAddrPort(auth[0]), nasSecret)
	if err != nil {
		b.Fatal(err)
	}
	defer nas.Close()
	address := radiustest.Attribute{Type: radiustest.NASIPAddress, Value: []byte{192, 0, 2, 1}}
	var took []time.Duration
	for b.Loop() {
		time.Sleep(5 * time.Millisecond)
		began := time.Now()
		if _, err := nas.Exchange(nas.Request(radiustest.AccessRequest, radiustest.PAP("ua700aa007g@atson.net", "himitsu", address)...), patience); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}

func heapNow() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// bytesWritten is what this process has sent to disks so far.
func bytesWritten(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		b.Fatal(err)
	}
	var n int64
	_, line, _ := strings.Cut(string(text), "\nwrite_bytes: ")
	if _, err := fmt.Sscan(line, &n); err != nil {
		b.Fatal(err)
	}
	return n
}
