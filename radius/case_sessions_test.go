package radius_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/radius"
	"sekisho/radius/radiustest"
	"sekisho/radius/session"
)

// table keeps the sessions of a proxy in this process; a daemon has its own.
func table(t **session.Table) func(*setup) {
	return func(s *setup) {
		*t = session.NewTable(session.Options{Clock: func() time.Time { return june }})
		s.sessions = atOnce{*t}
	}
}

// atOnce tells a table what a feed would tell it soon.
type atOnce struct{ table *session.Table }

func (a atOnce) LoggedIn(g radius.Glimpse) { a.table.LoggedIn(g.Lens(), g.Keep(nil)) }

func (a atOnce) Accounting(g radius.Glimpse) {
	var r radius.Record
	g.Lens().Record(g.Keep(nil), &r)
	a.table.Accounting(&r)
}

// live lists the live sessions by Acct-Session-Id, with their addresses.
func (s *site) live(t *session.Table) []string {
	s.Helper()
	all := []string{}
	d, outside := s.proxy.(*daemon)
	if !outside {
		for _, l := range t.Page(session.Filter{}, session.ID{}, 100) {
			all = append(all, l.AcctSession+" "+l.Address.String())
		}
		return all
	}
	text, err := d.ask("/v1/sessions")
	must(s, err)
	var page struct {
		Sessions []struct {
			Session   string
			Addresses []string
		}
	}
	must(s, json.Unmarshal(text, &page))
	for _, l := range page.Sessions {
		all = append(all, l.Session+" "+strings.Join(l.Addresses, " "))
	}
	return all
}

// lives waits until exactly these sessions are live.
func (s *site) lives(t *session.Table, want ...string) {
	s.Helper()
	if want == nil {
		want = []string{}
	}
	s.until("the live sessions are "+strings.Join(want, ", "), func() bool { return slices.Equal(s.live(t), want) })
}

// The attributes of a session's records.
const (
	statusStart = " 28 06 00000001"
	statusOn    = " 28 06 00000007"
	statusOff   = " 28 06 00000008"
	sessionA    = " 2c 04 'A1' 08 06 c6336401" // 198.51.100.1
	sessionB    = " 2c 04 'B2' 08 06 c6336402"
	delayed5    = " 29 06 00000005"
	otherNAS    = " 20 06 'osak'"
)

func TestCase31TheStartIsKeptOnceWhileTheServerIsDown(t *testing.T) {
	t.Parallel()
	var live *session.Table
	s := start(t, answering(silent), table(&live))
	must(t, s.acct.Send(accounting(t, 1, user+statusStart+sessionA)))
	s.seen(1)
	s.lives(live, "A1 198.51.100.1")
	must(t, s.acct.Send(accounting(t, 2, user+statusStart+sessionA+delayed5))) // the NAS tries again
	both := s.seen(2)
	if got := both[1].Value(41); got != "\x00\x00\x00\x05" {
		t.Errorf("the second was forwarded with Acct-Delay-Time %x", got)
	}
	s.quiet(s.acct) // no server has taken it: neither does the proxy
	s.lives(live, "A1 198.51.100.1")
}

func TestCase33AccountingOnAndOffEndTheSessions(t *testing.T) {
	for name, status := range map[string]string{"on": statusOn, "off": statusOff} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var live *session.Table
			s := start(t, table(&live))
			s.exchange(s.acct, accounting(t, 1, user+statusStart+sessionA))
			s.exchange(s.acct, accounting(t, 2, user+statusStart+sessionB))
			s.exchange(s.acct, accounting(t, 3, user+otherNAS+statusStart+sessionA)) // at another router behind the same address
			s.lives(live, "A1 198.51.100.1", "B2 198.51.100.2", "A1 198.51.100.1")
			answer := s.exchange(s.acct, accounting(t, 4, user+status))
			match(t, "answer", attributesOf(answer), "")
			if got := s.seen(4)[3].Values(radiustest.AcctStatusType); len(got) != 1 {
				t.Errorf("forwarded with Acct-Status-Types %x", got)
			}
			s.lives(live, "A1 198.51.100.1")
		})
	}
}
