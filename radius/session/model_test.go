package session_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
	"sekisho/radius/session"

	"github.com/google/go-cmp/cmp"
)

// routers is the truth that a random history is made of: what two routers do,
// and the packets about it that are under way.
type routers struct {
	*rand.Rand
	now     time.Time
	counter map[string]int
	live    map[string]*call // by NAS and Acct-Session-Id
	mail    []envelope
}

// call is a session as its router knows it.
type call struct {
	line
	began time.Time
}

// envelope is a record under way. Under a letter of the same number the router
// has sent it before.
type envelope struct {
	record  *radius.Record
	happens time.Time // the event
	arrives time.Time
}

func (r *routers) dial() {
	nas := fmt.Sprintf("bras%d", 1+r.IntN(2))
	r.counter[nas]++
	user := fmt.Sprintf("u%d@atson.net", r.IntN(5))
	l := line{nas: nas, session: fmt.Sprintf("%08X", r.counter[nas]), user: user, address: fmt.Sprintf("198.51.100.%d", 1+r.IntN(250))}
	c := &call{l, r.now}
	r.live[nas+"/"+l.session] = c
	r.post(radius.StatusStart, c)
}

func (r *routers) hangUp() {
	if len(r.live) == 0 {
		return
	}
	key := slices.Sorted(maps.Keys(r.live))[r.IntN(len(r.live))]
	c := r.live[key]
	delete(r.live, key)
	r.post(radius.StatusStop, c)
}

// reboot ends the sessions of a router without a word about them; its counter
// begins anew, sometimes.
func (r *routers) reboot() {
	nas := fmt.Sprintf("bras%d", 1+r.IntN(2))
	maps.DeleteFunc(r.live, func(key string, _ *call) bool { return strings.HasPrefix(key, nas+"/") })
	if r.IntN(2) == 0 {
		r.counter[nas] = 0
	}
	r.now = r.now.Add(3 * time.Second)
	r.post(radius.StatusOn, &call{line{nas: nas}, r.now})
}

func (r *routers) interims() {
	for _, key := range slices.Sorted(maps.Keys(r.live)) {
		r.post(radius.StatusInterim, r.live[key])
	}
}

// post sends a record as a network does: it is lost and sent again with its
// delay, comes twice, and is overtaken.
func (r *routers) post(status radius.Status, c *call) {
	n := &network{now: r.now}
	rec := radius.Record{Sighting: c.sighting(n), Status: status, Event: r.now}
	if status != radius.StatusStart {
		rec.Lasted = r.now.Sub(c.began).Truncate(time.Second)
	}
	copies := 1 + r.IntN(5)/4
	if (status == radius.StatusInterim || status == radius.StatusStart) && r.IntN(4) == 0 {
		copies = 0 // lost for good
	}
	for range copies {
		late := time.Duration(r.IntN(2)) * time.Duration(r.IntN(20_000)) * time.Millisecond
		again := rec
		again.Delay = late.Truncate(time.Second)
		r.mail = append(r.mail, envelope{&again, r.now, r.now.Add(late)})
	}
}

// deliver gives the table what has arrived by now, in the order of arrival.
func (r *routers) deliver(t *session.Table) {
	slices.SortStableFunc(r.mail, func(a, b envelope) int { return a.arrives.Compare(b.arrives) })
	for len(r.mail) > 0 && !r.mail[0].arrives.After(r.now) {
		r.mail[0].record.At = r.mail[0].arrives
		t.Accounting(r.mail[0].record)
		r.mail = r.mail[1:]
	}
}

// TestRandomHistories holds that after any history of logins, reboots, loss,
// repetition and reordering the table tells the truth, once the mail has
// arrived and every session has sent an Interim.
func TestRandomHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := &routers{Rand: rand.New(rand.NewPCG(seed, 0)), now: noon, counter: map[string]int{}, live: map[string]*call{}}
		table := session.NewTable(session.Options{Clock: func() time.Time { return r.now }})
		for range 200 {
			r.now = r.now.Add(time.Duration(r.IntN(10_000)) * time.Millisecond)
			switch n := r.IntN(20); {
			case n < 10:
				r.dial()
			case n < 17:
				r.hangUp()
			case n < 18:
				r.interims()
			case n < 19 && r.IntN(4) == 0:
				r.reboot()
			default:
				decide(r, table)
			}
			r.deliver(table)
			check(t, table)
		}
		r.now = r.now.Add(time.Minute)
		r.deliver(table)
		settle(r, table)
		if diff := cmp.Diff(truth(r), told(table)); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// settle has every session send an Interim that is not lost.
func settle(r *routers, t *session.Table) {
	r.now = r.now.Add(time.Minute)
	for _, key := range slices.Sorted(maps.Keys(r.live)) {
		c := r.live[key]
		rec := &radius.Record{Sighting: c.sighting(&network{now: r.now}), Status: radius.StatusInterim, Event: r.now, Lasted: r.now.Sub(c.began)}
		t.Accounting(rec)
	}
}

// decide does what a keeper does, at random.
func decide(r *routers, t *session.Table) {
	actions := []string{"open", "limit", "block"}
	for _, id := range t.Due(r.now) {
		t.Decided(id, engine.Decision{Action: actions[r.IntN(3)], Rule: "r", Until: r.now.Add(time.Duration(r.IntN(100)) * time.Second)}, r.now)
	}
	for _, s := range t.Page(session.Filter{Drift: true}, session.ID{}, 1000) {
		switch r.IntN(4) {
		case 0:
			t.Told(s.ID, s.Wanted, session.Acknowledged, "")
		case 1:
			t.Told(s.ID, "", session.NotTold, "NAK 401")
		}
	}
}

func truth(r *routers) map[string]string {
	all := map[string]string{}
	for key, c := range r.live {
		all[key] = c.user + " " + c.address
	}
	return all
}

func told(t *session.Table) map[string]string {
	all := map[string]string{}
	for s := range t.All(session.Filter{}) {
		all[s.NAS+"/"+s.AcctSession] = s.UserName + " " + s.Address.String()
	}
	return all
}

// check holds what must always be so: indexes and counts agree with the
// sessions themselves.
func check(t *testing.T, table *session.Table) {
	t.Helper()
	var sessions, drift, byAccount, byAddress int
	for s := range table.All(session.Filter{}) {
		sessions++
		if s.Drift() {
			drift++
		}
		if slices.Contains(table.Account(s.Account), s.ID) {
			byAccount++
		}
		for _, h := range table.Now(s.Address) {
			if h.AcctSession == s.AcctSession && h.NAS == s.NAS {
				byAddress++
			}
		}
	}
	stats, counted, drifting := table.Stats(), 0, 0
	for _, n := range stats.NAS {
		drifting += n.Drift
		for _, of := range n.Sessions {
			counted += of
		}
	}
	listed := len(slices.Collect(table.Drift()))
	if sessions != table.Len() || sessions != counted || sessions != byAccount || sessions != byAddress || drift != drifting || drift != listed {
		t.Fatalf("%d sessions: Len %d, counted %d, by account %d, by address %d; %d drift: counted %d, listed %d",
			sessions, table.Len(), counted, byAccount, byAddress, drift, drifting, listed)
	}
}
