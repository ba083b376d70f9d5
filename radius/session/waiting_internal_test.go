package session

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
)

// seen is a lens through which that login is seen, whatever was kept.
type seen struct{ login *radius.Login }

func (s seen) Names([]byte) radius.Names {
	l := s.login
	return radius.Names{
		NAS: l.NAS, Box: []byte(l.Box), Session: []byte(l.Session),
		Asked: []byte(l.Asked), UserName: []byte(l.UserName), Name: []byte(l.Name), At: l.At.UnixNano(),
	}
}

func (s seen) Login(_ []byte, l *radius.Login) { *l = *s.login }

// plain is waiting as simple as it can be: all logins in one list.
type plain []*radius.Login

func (p *plain) add(l *radius.Login) {
	if l.Session != "" {
		*p = slices.DeleteFunc(*p, func(old *radius.Login) bool { return idOf(&old.Sighting) == idOf(&l.Sighting) })
	}
	*p = append(*p, l)
}

func (p *plain) join(r *radius.Record) *radius.Login {
	var best *radius.Login
	score := 0
	for _, l := range *p {
		switch {
		case l.NAS != r.NAS || l.Box != r.Box:
		case l.Session != "" && l.Session == r.Session && before(l, stamp(r), r):
			best, score = l, 100
		case l.Session == "" && (r.UserName == l.UserName || r.UserName == l.Asked || r.UserName == l.Name) && fits(l, r) >= score && before(l, began(r), r):
			best, score = l, fits(l, r)
		}
	}
	*p = slices.DeleteFunc(*p, func(l *radius.Login) bool { return l == best })
	return best
}

func (p *plain) expire(now time.Time, patience time.Duration) (over []string) {
	for len(*p) > 0 && now.Sub((*p)[0].At) > patience {
		over = append(over, (*p)[0].Decision.Rule)
		*p = (*p)[1:]
	}
	return over
}

func rule(l *radius.Login) string {
	if l == nil {
		return "none"
	}
	return l.Decision.Rule
}

func someLogin(r *rand.Rand, i int, now time.Time) *radius.Login {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	l := &radius.Login{Decision: engine.Decision{Rule: fmt.Sprint(i)}, Asked: pick("", "u1", "u2", "u3")}
	l.NAS, l.Box, l.Session, l.At = pick("bras1", "bras2"), pick("", "", "box"), pick("", "", "1A", "1B", "1C"), now
	l.UserName, l.Name = pick(l.Asked, l.Asked, "renamed"), pick(l.Asked, l.Asked, "u3")
	l.Identity = []Attribute{{Value: pick("0311111111", "0322222222")}}
	l.Identity[0].Number = callingStationID
	return l
}

func someRecord(r *rand.Rand, now time.Time) *radius.Record {
	l := someLogin(r, 0, now)
	return &radius.Record{Sighting: l.Sighting, Status: radius.StatusStart, Delay: time.Duration(r.IntN(5)) * time.Second}
}

// TestWaitingIsLikeAList holds that logins are found, joined and given up as if
// they stood in a list, whatever their keys and however their numbers run out.
// It is not parallel: other tests want whole keys.
func TestWaitingIsLikeAList(t *testing.T) {
	for _, cut := range []key{^key(0), 3, 0} {
		keyCut = cut
		for seed := range uint64(8) {
			waitLikeAList(t, rand.New(rand.NewPCG(seed, uint64(cut))))
		}
	}
	keyCut = ^key(0)
}

func waitLikeAList(t *testing.T, r *rand.Rand) {
	w, want, now := newWaiting(), plain{}, time.Unix(1e9, 0)
	w.base = ^uint32(0) - 2*slabLogins + 1 // the last numbers
	busy := r.IntN(8)                      // how seldom a session begins
	for i := range 3000 {
		switch n := r.IntN(12 + busy); {
		case n < 2:
			now = now.Add(time.Duration(r.IntN(3)) * time.Second)
		case n < 8+busy:
			l := someLogin(r, i, now)
			w.add(seen{l}, seen{l}.Names(nil), fmt.Append(nil, i))
			want.add(l)
		case n < 11+busy:
			record := someRecord(r, now)
			if got, want := rule(w.join(record)), rule(want.join(record)); got != want {
				t.Fatalf("step %d: login %s joins %+v, want %s", i, got, record, want)
			}
		default:
			var over []string
			for a, kept := range w.expire(now, 20*time.Second) {
				a.lens.Login(kept, w.read)
				if over = append(over, rule(w.read)); string(kept) != rule(w.read) {
					t.Fatalf("step %d: %q was kept of login %s", i, kept, rule(w.read))
				}
			}
			if expired := want.expire(now, 20*time.Second); !slices.Equal(over, expired) {
				t.Fatalf("step %d: given up are %v, want %v", i, over, expired)
			}
		}
		if w.live != len(want) {
			t.Fatalf("step %d: %d wait, want %d", i, w.live, len(want))
		}
	}
}

// TestWaitingIsBounded holds what logins without accounting leave behind: the
// last of them while they come, nothing in the end.
func TestWaitingIsBounded(t *testing.T) {
	t.Parallel()
	w, now := newWaiting(), time.Unix(1e9, 0)
	l := &radius.Login{}
	for i := range maxWaiting + 1000 {
		l.Session, l.At = fmt.Sprint(i), now
		w.add(seen{l}, seen{l}.Names(nil), []byte("kept"))
	}
	found := len(w.keys.first)
	for _, more := range w.keys.further {
		found += len(more)
	}
	if w.live > maxWaiting || w.live < maxWaiting-slabLogins || w.live != found {
		t.Errorf("%d wait, %d can be found", w.live, found)
	}
	for range w.expire(now.Add(time.Hour), time.Minute) {
	}
	if w.live != 0 || w.count != 0 || len(w.slabs) != 0 || len(w.keys.first) != 0 {
		t.Errorf("%d wait in %d slabs of %d, by %d keys", w.live, len(w.slabs), w.count, len(w.keys.first))
	}
}

// TestWaitingGivesBackWhatHasJoined holds that logins whose sessions begin take
// no room until their time is over.
func TestWaitingGivesBackWhatHasJoined(t *testing.T) {
	t.Parallel()
	w := newWaiting()
	for i := range 20 * slabLogins {
		l := &radius.Login{}
		l.Session, l.At = fmt.Sprint(i), time.Unix(1e9, 0)
		w.add(seen{l}, seen{l}.Names(nil), []byte("kept"))
		if w.join(&radius.Record{Sighting: l.Sighting}) == nil {
			t.Fatalf("login %d does not join", i)
		}
	}
	if w.live != 0 || w.count != 0 {
		t.Errorf("%d wait, and there is room for %d", w.live, w.count)
	}
}

// broken is a lens through which nothing can be read.
type broken struct{}

func (broken) Names([]byte) radius.Names   { return radius.Names{} }
func (broken) Login([]byte, *radius.Login) { panic("broken") }

// TestLoginThatCannotBeReadDoesNotWaitForEver holds that it is given up like
// any other, and keeps no other from it: the sweep comes again every second.
func TestLoginThatCannotBeReadDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	table := NewTable(Options{})
	table.LoggedIn(broken{}, nil)
	l := &radius.Login{}
	l.Session, l.At = "1A", time.Unix(1e9, 0)
	table.waiting.add(broken{}, seen{l}.Names(nil), nil)
	table.LoggedIn(seen{l}, nil)
	for range 2 {
		func() {
			defer func() { recover() }() // as the Feed does
			table.Sweep()
		}()
	}
	if table.waiting.live != 0 {
		t.Errorf("%d still wait", table.waiting.live)
	}
}
