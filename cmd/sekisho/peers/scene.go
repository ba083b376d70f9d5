package main

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"time"

	"sekisho/cmd/internal/load"
)

// scene is a load under which a proxy may break down.
type scene struct {
	name    string
	home    manners
	second  bool          // a second AAA server is there, which is well
	healthy time.Duration // how long the first one is in any case
	alone   bool          // for sekisho only
	loss    float64       // per cent of the answers that do not get to the router
	twice   float64       // per cent of the router's packets that the network delivers twice
	load    load.Options  // but for who is asked by whom
	should  float64       // logins a second that are expected; 0: nothing is
	why     string        // what that is
}

// text is the configuration of a proxy for a scene.
func (sc *scene) text(p *peer) string {
	text := p.text
	if sc.second {
		text = strings.NewReplacer(p.spare...).Replace(text)
	}
	if sc.load.Sessions > 0 {
		text = strings.NewReplacer(sekishoAccounting...).Replace(text)
	}
	return text
}

// play has subscribers log in at a proxy.
func (sc *scene) play(ctx context.Context, p *peer, h *home, all []load.User) (load.Report, error) {
	o := sc.load
	o.Auth, o.Acct, o.Secret, o.Users, o.Class = loopback(p.port), loopback(p.acct), []byte(nasSecret), all, true
	if sc.loss > 0 || sc.twice > 0 {
		o.Dial = func(to netip.AddrPort) (load.Conn, error) {
			conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
			return lossy{conn, sc.loss, sc.twice}, err
		}
	}
	health := time.AfterFunc(sc.healthy, func() { h.counting.Store(true) })
	defer health.Stop()
	r, err := load.Run(ctx, o, nil)
	r.Sending = max(r.Sending, o.Duration) // where all of the window waited in vain there was still more to send
	return r, err
}

func loopback(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

// lossy is a socket that does not get everything that is sent to it, and of which
// some things arrive twice.
type lossy struct {
	*net.UDPConn
	loss, twice float64 // per cent
}

func (l lossy) Write(octets []byte) (int, error) {
	if rand.Float64()*100 < l.twice {
		_, _ = l.UDPConn.Write(octets) // the other one counts
	}
	return l.UDPConn.Write(octets)
}

func (l lossy) Read(octets []byte) (int, error) {
	for {
		n, err := l.UDPConn.Read(octets)
		if err != nil || rand.Float64()*100 >= l.loss {
			return n, err
		}
	}
}

// windowed is the rate that a window gives where answers take so long and a
// part of the requests has to be sent again after a time-out, perhaps more than
// once.
func windowed(window int, answer, timeout time.Duration, lost float64) float64 {
	return float64(window) / (answer + time.Duration(lost/(1-lost)*float64(timeout))).Seconds()
}
