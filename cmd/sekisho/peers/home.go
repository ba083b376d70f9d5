package main

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"sekisho/radius/radiustest"
)

// The secrets of the two sides.
const (
	nasSecret  = "secret-between-router-and-proxy!"
	homeSecret = "secret-between-proxy-and-server!"
)

// home is an AAA server that accepts everybody whose request is signed rightly.
// It has two ports: radsecproxy tells servers apart by theirs.
type home struct {
	conns   [2]*net.UDPConn
	serving sync.WaitGroup
	refused atomic.Uint64 // requests that were not as they should be
}

func startHome() (*home, error) {
	h := &home{}
	for i := range h.conns {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			h.close()
			return nil, err
		}
		_ = conn.SetReadBuffer(4 << 20)
		h.conns[i] = conn
		h.serving.Go(func() { h.serve(conn) })
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

func (h *home) serve(conn *net.UDPConn) {
	buffer := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		h.answer(conn, buffer[:n], from)
	}
}

func (h *home) answer(conn *net.UDPConn, octets []byte, from netip.AddrPort) {
	p, err := radiustest.Decode(octets)
	if err != nil || p.Code != radiustest.AccessRequest || !radiustest.CheckMA(octets, p.Authenticator[:], []byte(homeSecret)) {
		h.refused.Add(1)
		return
	}
	r := &radiustest.Request{Packet: p, Secret: []byte(homeSecret)}
	_, _ = conn.WriteToUDPAddrPort(r.Reply(radiustest.AccessAccept, radiustest.Number(6, 2), radiustest.Number(7, 1)), from)
}
