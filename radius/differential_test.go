package radius_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/engine"
	"sekisho/radius"
)

var differentialSeed = flag.Uint64("differential-seed", 0, "of the random packets of TestDifferential; 0: 1, and another one that is logged")

// differential sends random packets through a proxy and compares every octet
// that comes out of it, on either side, with what the reference says.
type differential struct {
	*site
	seed        uint64
	serial      uint32
	server      radius.AAA
	identifiers int // that a NAS uses in turn
	lines       []*line
	answered    []*parcel // of earlier bursts: the answers are kept still
	budget      int       // what may wait in any socket's buffer at once
	over        chan *parcel
	want        tally

	held        atomic.Int32 // requests that the server has to have before it answers
	differences atomic.Int32

	mu      sync.Mutex // guards what follows
	parcels map[uint32]*parcel
	mark    []byte            // the proxy's own Proxy-State
	known   map[[16]byte]bool // the Request Authenticators that the server got
}

// TestDifferential holds that the proxy does with random packets what the
// reference does, whether one is under way or hundreds are at once and travel in
// batches and bundles.
func TestDifferential(t *testing.T) {
	t.Parallel()
	seeds := []uint64{1, rand.Uint64()}
	if *differentialSeed != 0 {
		seeds = []uint64{*differentialSeed}
	}
	const v4, v6 = "127.0.0.1", "::1"
	tests := []struct {
		name, listen, to, home string
		most                   int // datagrams at once
		change                 func(*setup)
	}{
		{"one by one", v4, v4, v4, 1, nil},
		{"many", v4, v4, v4, 500, nil},
		{"many to a wildcard", "0.0.0.0", "127.0.0.77", v4, 500, func(s *setup) { s.server.NoProxyState = true }},
		{"many without bundles", v4, v4, v4, 500, func(s *setup) { s.config.NoSegmentation = true }},
		{"many over IPv6", v6, v6, v6, 500, func(s *setup) { s.server.RequireMA = radius.Require }},
		{"many to a wildcard of IPv6", "::", v6, v6, 500, nil},
	}
	for _, tt := range tests {
		for _, seed := range seeds {
			t.Run(fmt.Sprintf("%s/%d", tt.name, seed), func(t *testing.T) {
				t.Parallel()
				d := startDifferential(t, seed, tt.listen, tt.to, tt.home, tt.change)
				d.identifiers = min(8*tt.most, 256)
				count := differentialCount(t, max(tt.most, 250))
				for sent := 0; sent < count && !t.Failed(); {
					sent += d.burst(min(tt.most, count-sent))
				}
				d.counted()
			})
		}
	}
}

// differentialCount is how many packets each of the tests sends:
// SEKISHO_DIFFERENTIAL for a long run.
func differentialCount(t *testing.T, usual int) int {
	text := os.Getenv("SEKISHO_DIFFERENTIAL")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	return n
}

type differentialNAS struct {
	nas      radius.NAS // its settings
	secret   string
	conflict string // of its profile; "": it has none
}

// differentialNASes differ in all that the wire depends on.
var differentialNASes = []differentialNAS{
	{radius.NAS{}, nasSecret, "replace"},
	{radius.NAS{ReplyMA: radius.ReplyMAEcho}, "octets\x00of any \xffkind", "keep"},
	{radius.NAS{ReplyMA: radius.ReplyMANever, LimitProxyState: true}, "k", "append"},
	{radius.NAS{RequireMA: radius.Require}, aaaSecret, ""},
	{radius.NAS{}, fmt.Sprintf("%0200d", 1), "replace-ours"},
}

// strangers is where packets come from that belong to no NAS.
var strangers = netip.MustParseAddr("127.0.0.9")

func startDifferential(t *testing.T, seed uint64, listen, to, home string, change func(*setup)) *differential {
	t.Helper()
	d := &differential{
		site: &site{TB: t}, seed: seed, budget: 1 << 30, over: make(chan *parcel, 1<<12),
		parcels: map[uint32]*parcel{}, known: map[[16]byte]bool{}, want: newTally(),
	}
	server := d.startHome(netip.MustParseAddr(home)).address()
	nases := differentialNASes
	if netip.MustParseAddr(to).Is6() {
		nases = nases[:1] // loopback has one address
	}
	d.site = start(t, func(s *setup) {
		at := netip.AddrPortFrom(netip.MustParseAddr(listen), 0)
		s.config.Auth, s.config.Acct = []netip.AddrPort{at}, []netip.AddrPort{at}
		s.server.Auth, s.server.Acct, s.server.ResponseWindow, s.server.NoStatusCheck = server, server, time.Hour, true
		s.subscribers = byLetter{}
		if change != nil {
			change(s)
		}
		d.server = s.server
		s.nas.Name, s.nas.Source = "nobody", netip.MustParsePrefix("192.0.2.1/32")
		for i, n := range nases {
			s.config.NAS = append(s.config.NAS, n.entry(t, i, sourceOf(to, i), s.policy))
		}
	})
	for i, n := range nases {
		r := &reference{nas: n.nas, nasSecret: []byte(n.secret), conflict: n.conflict, server: d.server, serverSecret: []byte(aaaSecret)}
		for _, acct := range []bool{false, false, false, true} {
			d.connect(&line{reference: r, name: nasName(i), secret: []byte(n.secret), acct: acct}, sourceOf(to, i), to)
		}
	}
	if netip.MustParseAddr(to).Is4() {
		d.connect(&line{secret: []byte(nasSecret)}, strangers, to)
	}
	return d
}

func nasName(i int) string { return fmt.Sprintf("bras%d", i+1) }

// entry is the NAS as the proxy is told of it.
func (n differentialNAS) entry(t *testing.T, i int, source netip.Addr, policy engine.Spec) radius.NAS {
	nas := n.nas
	nas.Name, nas.Area, nas.Secret = nasName(i), "tokyo", radius.NewSecret([]byte(n.secret))
	nas.Source = netip.PrefixFrom(source, source.BitLen())
	if n.conflict != "" {
		says := dict.Sayings{"Filter-Id": {"{filter}"}, "ERX-Ingress-Policy-Name": {"{filter}"}}
		nas.Profile = profile(t, dict.ProfileSpec{Filtered: says, Conflict: dict.Conflict(n.conflict)}, compiled(t, policy))
	}
	return nas
}

// sourceOf is the address of a NAS.
func sourceOf(to string, i int) netip.Addr {
	if netip.MustParseAddr(to).Is6() {
		return netip.MustParseAddr(to)
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + i)})
}

func (d *differential) connect(l *line, from netip.Addr, to string) {
	l.differential = d
	port := d.authAddr.Port()
	if l.acct {
		port = d.acctAddr.Port()
	}
	l.open(from, netip.AddrPortFrom(netip.MustParseAddr(to), port))
}
