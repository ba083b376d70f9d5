package radius

import "testing"

// login is a request as routers send it: name, CHAP, port, addresses, and the
// Proxy-State of a proxy before us.
const login = "010e7531406174736f6e2e6e6574031301000102030405060708090a0b0c0d0e0f0406c0000201050600000001060600000002070600000001" +
	"1f0c303331323334353637383d06000000052c0a303030303030314121046162"

// underWayLogin is a request that was sent upstream, and the server's Accept.
func (b *bench) underWayLogin(attributes string) (*transaction, packet) {
	b.Helper()
	request := assemble(accessRequest, unhex(b, login), unhex(b, "000102030405060708090a0b0c0d0e0f"), b.nas)
	t := b.send(b.auth, request)
	reply, why := parse(assemble(accessAccept, unhex(b, "501200000000000000000000000000000000"+attributes), t.attempt.Load().authenticator[:], b.aaa))
	if why != forwarded {
		b.Fatal(why)
	}
	return t, reply
}

// framed is an Accept of the usual kind.
const framed = "0606000000020706000000010806c00002fe1b0600015180190430311a1a000000090114616464722d706f6f6c3d6b796f746f2d313221042a2a"

func BenchmarkParse(b *testing.B) {
	p := assemble(accessRequest, unhex(b, login), zeroAuthenticator[:], NewSecret([]byte("s")))
	b.ReportAllocs()
	for b.Loop() {
		if _, why := parse(p); why != forwarded {
			b.Fatal(why)
		}
	}
}

func BenchmarkCompose(b *testing.B) {
	proxy := newBench(b)
	t, _ := proxy.underWayLogin("")
	a := t.attempt.Load()
	b.ReportAllocs()
	for b.Loop() {
		if why := proxy.compose(a); why != forwarded {
			b.Fatal(why)
		}
		a.target.seal(a)
	}
}

func BenchmarkDecide(b *testing.B) {
	proxy := newBench(b)
	t, reply := proxy.underWayLogin(framed)
	b.ReportAllocs()
	for b.Loop() {
		if d, err := proxy.decide(t, reply); err != nil || d.Action != "block" {
			b.Fatal(d, err)
		}
	}
}

func BenchmarkComposeReply(b *testing.B) {
	proxy := newBench(b)
	t, reply := proxy.underWayLogin(framed)
	insert, _ := proxy.insertion(t, reply)
	b.ReportAllocs()
	for b.Loop() {
		if _, why := composeReply(t, t.attempt.Load(), reply, insert); why != forwarded {
			b.Fatal(why)
		}
	}
}
