package radius

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"sekisho/engine"
)

// memory are Subscribers that keep what they are asked, and tell of an account
// only what there is to tell: u… have a contract, g… a grant.
type memory struct {
	course engine.Contract

	mu   sync.Mutex
	kept map[string]string // what was asked, and a copy made at once
}

func (m *memory) Subscriber(account string, f *engine.Facts) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept != nil {
		m.kept[account] = strings.Clone(account)
	}
	switch account[0] {
	case 'u':
		f.Know(&m.course, account)
	case 'g':
		f.Overrides = []engine.Override{{ID: account, Action: "open"}}
	}
	return nil
}

func remembering(t testing.TB) (*bench, *memory) {
	b, m := newBench(t), &memory{course: engine.Contract{Course: "adsl"}}
	b.subscribers = m
	return b, m
}

// loginOf is a request of that name that waits for its Accept.
func (b *bench) loginOf(name string) *transaction {
	request := append(unhex(b, "0101000000000000000000000000000000000000"), typeUserName, byte(2+len(name)))
	s := b.current.Load()
	return &transaction{snapshot: s, nas: s.nases.sources[netip.MustParsePrefix("127.0.0.1/32")].entries[0], request: append(request, name...)}
}

// TestDecisionsLeaveNothingBehind decides about many logins, by facts that are
// used again and again, and wants each to be about its own login only.
func TestDecisionsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	b, m := remembering(t)
	m.kept = map[string]string{}
	accept := b.loginOf("").request
	const goroutines, each = 4, 2000
	var deciding sync.WaitGroup
	for g := range goroutines {
		deciding.Go(func() {
			for i := range each {
				account := fmt.Sprintf("%c%d-%d%s", "usg"[i%3], g, i, strings.Repeat("x", i%150))
				name, want := account+"@atson.net", engine.Decision{Action: "block", Rule: "all"}
				switch {
				case i%7 == 0:
					name, want.Rule = account, engine.ByUnknownContract // a name that no pattern reads
				case account[0] == 's':
					want.Rule = engine.ByUnknownContract
				case account[0] == 'g':
					want = engine.Decision{Action: "open", Rule: engine.ByOverride, Override: account}
				}
				d, err := b.decide(b.loginOf(name), accept)
				if err != nil || d.Action != want.Action || d.Rule != want.Rule || d.Override != want.Override {
					t.Errorf("%s: %+v %v, want %+v", name, d, err, want)
				}
			}
		})
	}
	deciding.Wait()
	if want := goroutines * (each - each/7 - 1); len(m.kept) != want {
		t.Errorf("%d accounts were asked for, want %d", len(m.kept), want)
	}
	for asked, was := range m.kept {
		if asked != was {
			t.Fatalf("the account %q has become %q", was, asked)
		}
	}
}

func TestDecisionsDoNotAllocate(t *testing.T) {
	b, _ := remembering(t)
	login := b.loginOf("u1@atson.net")
	if n := testing.AllocsPerRun(1000, func() {
		if d, err := b.decide(login, login.request); err != nil || d.Rule != "all" {
			t.Fatal(d, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
