package load

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/radius/radiustest"
)

// TestAccountingTellsOfLogins has two subscribers log in, the second two
// seconds later, and looks at what is told of them each second.
func TestAccountingTellsOfLogins(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer byte
		life   time.Duration
		logins []string
		told   []string // each second
	}{
		"accepted":             {accessAccept, 6 * time.Second, []string{"c 1", "b 2"}, []string{"c 1 Start", "", "b 2 Start", "c 1 Interim", "", "b 2 Interim", "c 1 Stop", "", "b 2 Stop", ""}},
		"rejected":             {accessReject, 6 * time.Second, []string{"c 1", "b 2"}, make([]string, 10)},
		"it lives for no time": {accessAccept, 0, []string{"c 1"}, []string{"c 1 Start, c 1 Interim, c 1 Stop"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logins, asked := lineOf(Options{Sessions: 100, Life: test.life, Timeout: time.Minute})
			teller, told := newTeller(logins.Options, logins, 0, start), &sent{}
			teller.conn = told
			for second, want := range test.told {
				now := at(float64(second))
				if second == 0 || second == 2 {
					logins.sendDue(now)
					logins.take(asked.reply(t, len(asked.packets)-1, test.answer), now)
				}
				before := len(told.packets)
				teller.sendDue(now)
				if got := strings.Join(tales(t, told.packets[before:]), ", "); got != want {
					t.Errorf("second %d: %q, want %q", second, got, want)
				}
				for n := before; n < len(told.packets); n++ {
					teller.take(told.reply(t, n, accountingResponse), now)
				}
			}
			if got := tales(t, asked.packets); !slices.Equal(got, test.logins) {
				t.Errorf("logins %q, want %q", got, test.logins)
			}
			if r := teller.report; r.Lost > 0 || r.WrongInAll() > 0 || int(r.Accounted) != len(told.packets) || teller.over {
				t.Errorf("%d packets: %+v; over %v", len(told.packets), r, teller.over)
			}
		})
	}
}

// TestSessionsComeAndGo runs until an AAA server has seen some of them end.
func TestSessionsComeAndGo(t *testing.T) {
	t.Parallel()
	const enough = 40
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var logins sync.Map // by session
	var stops atomic.Int64
	o := aaa(t, func(r *radiustest.Request, answer []byte) [][]byte {
		session, user := r.Value(radiustest.AcctSessionID), r.Value(radiustest.UserName)
		if of, there := logins.LoadOrStore(session, user); !there && r.Code == accountingRequest || of != user {
			t.Errorf("session %s: code %d of %s, there %v, of %s", session, r.Code, user, there, of)
		}
		if r.Code == accountingRequest && r.Value(radiustest.AcctStatusType)[3] == acctStop && stops.Add(1) == enough {
			cancel()
		}
		return [][]byte{answer}
	})
	o.Sessions, o.Duration = 100, time.Hour
	o.Timeout, o.Tries = time.Second, 100 // a busy machine drops some
	r, err := Run(ctx, o, nil)
	if err != nil || r.Lost > 0 || r.Rejected > 0 || r.WrongInAll() > 0 || r.Accounted < 2*enough {
		t.Errorf("%v: %d accepted, %d accounted, %d lost, wrong %v", err, r.Accepted, r.Accounted, r.Lost, r.Wrong)
	}
}

func TestOptionsThatExcludeEachOther(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*Options){
		"sessions, each subscriber once":     func(o *Options) { o.Sessions, o.Once = 10, true },
		"sessions at a rate":                 func(o *Options) { o.Sessions, o.Window, o.Rate = 10, 0, 100 },
		"sessions and other accounting":      func(o *Options) { o.Sessions, o.Accounting = 10, 10 },
		"more sessions than logins":          func(o *Options) { o.Sessions = 101 },
		"accounting, each subscriber once":   func(o *Options) { o.Accounting, o.Once = 10, true },
		"a rate and a window":                func(o *Options) { o.Rate = 10 },
		"a window beyond all identifiers":    func(o *Options) { o.Window = 513 },
		"more logins by CHAP than there are": func(o *Options) { o.CHAP = 101 },
	} {
		o := Options{Users: benchUsers, Sockets: 2, Window: 5}
		if err := o.check(); err != nil {
			t.Fatal(err)
		}
		if set(&o); o.check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// tales tells packets in words: subscriber, session, what accounting says.
func tales(t *testing.T, packets [][]byte) (all []string) {
	t.Helper()
	for _, octets := range packets {
		p, err := radiustest.Decode(octets)
		if err != nil {
			t.Fatal(err)
		}
		tale := p.Value(radiustest.UserName) + " " + p.Value(radiustest.AcctSessionID)
		if status := p.Value(radiustest.AcctStatusType); status != "" {
			tale += []string{"", " Start", " Stop", " Interim"}[status[3]]
		}
		all = append(all, tale)
	}
	return all
}
