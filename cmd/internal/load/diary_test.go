package load

import (
	"slices"
	"strings"
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
		logins []string
		told   []string // each second
	}{
		"accepted": {accessAccept, []string{"c 1", "b 2"}, []string{"c 1 Start", "", "b 2 Start", "c 1 Interim", "", "b 2 Interim", "c 1 Stop", "", "b 2 Stop", ""}},
		"rejected": {accessReject, []string{"c 1", "b 2"}, make([]string, 10)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logins, asked := lineOf(Options{Sessions: 100, Life: 6 * time.Second, Timeout: time.Minute})
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
