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
	loss    float64       // per cent of the answers that do not get to the router
	load    load.Options  // but for who is asked by whom
	should  float64       // logins a second that are expected; 0: nothing is
	why     string        // what that is
}

// site is sekisho's for a scene: that of one AAA server, or of two.
func (sc *scene) site() string {
	if !sc.second {
		return sekishoSite
	}
	spare := `    spare: {address: 127.0.0.1, auth-port: HOME1, acct-port: 0, secret: "AAA", require-message-authenticator: require}` + "\n"
	return strings.NewReplacer("  pools:\n", spare+"  pools:\n", "servers: [home]", "servers: [home, spare]").Replace(sekishoSite)
}

// play has subscribers log in at a proxy.
func (sc *scene) play(ctx context.Context, proxy netip.AddrPort, h *home, all []load.User) (load.Report, error) {
	o := sc.load
	o.Auth, o.Secret, o.Users, o.Class = proxy, []byte(nasSecret), all, true
	if sc.loss > 0 {
		o.Dial = func(to netip.AddrPort) (load.Conn, error) {
			conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
			return lossy{conn, sc.loss}, err
		}
	}
	health := time.AfterFunc(sc.healthy, func() { h.counting.Store(true) })
	defer health.Stop()
	return load.Run(ctx, o, nil)
}

// lossy is a socket that does not get everything that is sent to it.
type lossy struct {
	*net.UDPConn
	loss float64 // per cent
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
