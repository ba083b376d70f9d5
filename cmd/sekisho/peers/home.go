package main

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sekisho/radius/radiustest"
)

// The secrets of the two sides.
const (
	nasSecret  = "secret-between-router-and-proxy!"
	homeSecret = "secret-between-proxy-and-server!"
)

// Numbers of RFC 2865 and RFC 5997 that only an AAA server needs.
const (
	statusServer   = 12
	serviceType    = 6
	framedProtocol = 7
	class          = 25
)

// answered are the codes of what an AAA server has answers for.
var answered = []byte{radiustest.AccessRequest, radiustest.AccountingRequest, statusServer}

// home is an AAA server that accepts everybody whose request is signed rightly,
// and takes accounting at the same ports; or two of them, of which the ports 0 and
// 2 are the first's, 1 and 3 the second's: radsecproxy, which says by the server
// what becomes of an answer, tells servers apart by their ports.
type home struct {
	manners
	conns   [4]*net.UDPConn
	serving sync.WaitGroup
	refused atomic.Uint64 // requests that were not as they should be

	counting atomic.Bool               // the requests of the first one's life
	silent   atomic.Pointer[time.Time] // since when the first one is; nil: it answers
}

func startHome(m manners) (*home, error) {
	h := &home{manners: m}
	for i := range h.conns {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			h.close()
			return nil, err
		}
		_ = conn.SetReadBuffer(4 << 20)
		h.conns[i] = conn
		h.serving.Go(func() { h.serve(i, conn) })
	}
	return h, nil
}

func (h *home) port(i int) uint16 {
	return h.conns[i].LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

func (h *home) close() {
	for _, conn := range h.conns {
		if conn != nil {
			conn.Close()
		}
	}
	h.serving.Wait()
}

// serve answers what comes to a port.
func (h *home) serve(port int, conn *net.UDPConn) {
	buffer := make([]byte, 4096)
	send, end := h.sender(conn)
	defer end()
	left := h.life
	for pace := (pace{every: h.every}); ; pace.wait() {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		if rand.Float64()*100 < h.loss {
			continue
		}
		if port%2 == 0 && h.over(&left) {
			continue
		}
		if octets := h.answer(buffer[:n]); octets != nil {
			send(octets, from)
		}
	}
}

// over counts a request to a port of the first one and tells whether its life is over.
func (h *home) over(left *int) bool {
	if h.life == 0 || !h.counting.Load() {
		return false
	}
	if *left--; *left >= 0 {
		return false
	}
	now := time.Now()
	h.silent.CompareAndSwap(nil, &now)
	return true
}

// answer composes what is to be said to a request; nil: nothing.
func (h *home) answer(octets []byte) []byte {
	p, err := radiustest.Decode(octets)
	r := &radiustest.Request{Packet: p, Raw: octets, Secret: []byte(homeSecret)}
	if err != nil || !slices.Contains(answered, p.Code) || r.Check() != nil {
		h.refused.Add(1)
		return nil
	}
	switch p.Code {
	case radiustest.AccountingRequest:
		return r.Reply(radiustest.AccountingResponse)
	case statusServer:
		return r.Sign(&radiustest.Packet{Code: radiustest.AccessAccept, ID: p.ID, Attributes: []radiustest.Attribute{radiustest.MA()}})
	}
	attributes := []radiustest.Attribute{radiustest.Number(serviceType, 2), radiustest.Number(framedProtocol, 1)}
	if h.named {
		attributes = append(attributes, radiustest.Attr(class, p.Value(radiustest.UserName)))
	}
	return r.Reply(radiustest.AccessAccept, attributes...)
}

// sender returns what sends answers from a port, at once or when they are due,
// and what ends it.
func (h *home) sender(conn *net.UDPConn) (send func([]byte, netip.AddrPort), end func()) {
	write := func(octets []byte, to netip.AddrPort) { _, _ = conn.WriteToUDPAddrPort(octets, to) }
	if h.delay == 0 {
		return write, func() {}
	}
	waiting := make(chan delayed, 1<<16) // more than anybody has under way
	h.serving.Go(func() {
		for d := range waiting {
			sleepUntil(d.due)
			write(d.octets, d.to)
		}
	})
	return func(octets []byte, to netip.AddrPort) { waiting <- delayed{time.Now().Add(h.delay), octets, to} }, func() { close(waiting) }
}

type delayed struct {
	due    time.Time
	octets []byte
	to     netip.AddrPort
}
