package radius

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// deaf is a peer on a port where nobody listens for long.
func deaf(t testing.TB) *peer {
	t.Helper()
	p := &peer{remote: netip.MustParseAddrPort("127.0.0.1:9"), proxy: newProxy(Options{}), serving: new(sync.WaitGroup)}
	t.Cleanup(func() {
		p.close()
		p.serving.Wait()
	})
	return p
}

func TestIdentifiersAreNeverInUseTwice(t *testing.T) {
	t.Parallel()
	const sockets = 3
	p := deaf(t)
	random := rand.New(rand.NewPCG(1, 2))
	used := map[*socket]map[byte]bool{}
	var attempts []*attempt
	for range 20000 {
		if len(attempts) > 0 && random.IntN(100) < 48 {
			i := random.IntN(len(attempts))
			a := attempts[i]
			attempts[i] = attempts[len(attempts)-1]
			attempts = attempts[:len(attempts)-1]
			if !p.release(a) || p.release(a) {
				t.Fatal("an identifier is given back once")
			}
			delete(used[a.socket], a.id)
			continue
		}
		a := &attempt{}
		if why, err := p.acquire(a, sockets); why != forwarded {
			if len(attempts) != sockets*identifiers {
				t.Fatalf("%s (%v) with %d in use", why, err, len(attempts))
			}
			continue
		}
		a.arm()
		if used[a.socket] == nil {
			used[a.socket] = map[byte]bool{}
		}
		if used[a.socket][a.id] {
			t.Fatalf("identifier %d is in use already", a.id)
		}
		used[a.socket][a.id] = true
		attempts = append(attempts, a)
	}
	if open, busy := p.load(); busy != len(attempts) || open != sockets {
		t.Errorf("%d busy on %d sockets, want %d on %d", busy, open, len(attempts), sockets)
	}
}

func TestAPeerOpensASocketBeforeTheIdentifiersRunOut(t *testing.T) {
	t.Parallel()
	p := deaf(t)
	sockets := func(attempts int) int {
		for range attempts {
			a := &attempt{}
			if why, err := p.acquire(a, 2); why != forwarded {
				t.Fatal(why, err)
			}
			a.arm()
		}
		n, _ := p.load()
		return n
	}
	if n := sockets(identifiers - spareIdentifiers); n != 1 {
		t.Errorf("%d sockets for three quarters of the identifiers", n)
	}
	if n := sockets(1); n != 2 {
		t.Errorf("%d sockets for one more", n)
	}
	if n := sockets(2*identifiers - (identifiers - spareIdentifiers) - 1); n != 2 {
		t.Errorf("%d sockets for all identifiers of two", n)
	}
	if why, _ := p.acquire(&attempt{}, 2); why != dropNoIdentifier {
		t.Errorf("one more: %s", why)
	}
}

func TestExpiredAttemptsGiveTheirIdentifiersBack(t *testing.T) {
	t.Parallel()
	p := deaf(t)
	now := time.Unix(1000, 0)
	early, late := &attempt{deadline: now}, &attempt{deadline: now.Add(1)}
	for _, a := range []*attempt{early, late} {
		if why, err := p.acquire(a, 1); why != forwarded {
			t.Fatal(why, err)
		}
		a.arm()
	}
	if over := p.expire(now); len(over) != 0 {
		t.Errorf("%d are over at their deadline", len(over))
	}
	if over := p.expire(now.Add(1)); len(over) != 1 || over[0] != early {
		t.Errorf("over: %v", over)
	}
	if p.release(early) {
		t.Error("an expired attempt gives its identifier back again")
	}
	if a := late.socket.waiting(late.id); a != late {
		t.Error("the other one does not wait any more")
	}
	if p.closeIfIdle() {
		t.Error("closed while one waits")
	}
	p.release(late)
	if !p.closeIfIdle() {
		t.Error("not closed though nothing waits")
	}
	if why, _ := p.acquire(&attempt{}, 1); why != dropShutdown {
		t.Errorf("a closed peer gives identifiers: %s", why)
	}
}

func TestASourceAddressThatIsNotOurs(t *testing.T) {
	t.Parallel()
	p := deaf(t)
	p.source = netip.MustParseAddr("192.0.2.1")
	why, err := p.acquire(&attempt{}, 1)
	if why != dropSend || err == nil {
		t.Errorf("got %s, %v", why, err)
	}
}
