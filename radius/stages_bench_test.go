package radius

import (
	"crypto/md5"
	"testing"
	"time"
)

// What a login goes through, stage by stage; parse, compose, decide and the
// answer stand in bench_test.go, the look-up in package store. `make
// bench-check` holds all of them to their share of BenchmarkCalibration.

// BenchmarkCalibration is a piece of work that nobody here will ever make
// faster: how long it takes says how fast the machine is at the moment.
func BenchmarkCalibration(b *testing.B) {
	var octets [256]byte
	known := map[[16]byte]int{}
	for b.Loop() {
		for i := range 8 {
			octets[0] = byte(i)
			known[md5.Sum(octets[:])]++
		}
	}
}

// BenchmarkDuplicates is a new request that is admitted, remembered when it is
// answered, and forgotten at the end.
func BenchmarkDuplicates(b *testing.B) {
	proxy := newBench(b)
	t, _ := proxy.underWayLogin("")
	now := time.Unix(1e9, 0)
	d := newDuplicates(now)
	b.ReportAllocs()
	for b.Loop() {
		if _, why := d.admit(t, 10); why != forwarded {
			b.Fatal(why)
		}
		d.remember(t, now)
		d.shard(t).expire(d, now)
	}
}

func BenchmarkRehidePassword(b *testing.B) {
	nas, aaa := NewSecret([]byte("secret-between-router-and-proxy!")), NewSecret([]byte("secret-between-proxy-and-server!"))
	from, to := keying{nas, zeroAuthenticator[:]}, keying{aaa, make([]byte, authenticatorLen)}
	value := make([]byte, blockLen)
	b.ReportAllocs()
	for b.Loop() {
		if !rehidePassword(value, from, to) {
			b.Fatal("not re-hidden")
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	proxy := newBench(b)
	t, reply := proxy.underWayLogin(framed)
	a := t.attempt.Load()
	b.ReportAllocs()
	for b.Loop() {
		if why := a.verify(reply); why != forwarded {
			b.Fatal(why)
		}
	}
}

// BenchmarkRender puts the policy's attributes into an Accept, without signing.
func BenchmarkRender(b *testing.B) {
	proxy := newBench(b)
	t, reply := proxy.underWayLogin(framed)
	insert, _ := proxy.insertion(t, reply)
	room := make(packet, 0, maxPacketLen)
	b.ReportAllocs()
	for b.Loop() {
		room = insert.copyAttributes(room[:0], reply)
	}
}

func BenchmarkSign(b *testing.B) {
	secret := NewSecret([]byte("secret-between-router-and-proxy!"))
	reply := appendMA(make(packet, headerLen, 200))[:200]
	b.ReportAllocs()
	for b.Loop() {
		secret.sealReply(reply, zeroAuthenticator[:])
	}
}

// keeping keeps what it is told of, the newest only.
type keeping struct{ kept []byte }

func (k *keeping) LoggedIn(g Glimpse)   { k.kept = g.Keep(k.kept[:0]) }
func (k *keeping) Accounting(g Glimpse) { k.kept = g.Keep(k.kept[:0]) }

// BenchmarkTellSessions is what an Accept tells the table of live sessions.
func BenchmarkTellSessions(b *testing.B) {
	proxy := newBench(b)
	proxy.sessions = &keeping{}
	t, reply := proxy.underWayLogin(framed)
	insert, _ := proxy.insertion(t, reply)
	b.ReportAllocs()
	for b.Loop() {
		proxy.loggedIn(t, reply, insert)
	}
}
