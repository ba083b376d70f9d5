package load

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"sekisho/radius/radiustest"
)

// sent is a socket that keeps what is sent on it.
type sent struct {
	Conn
	packets [][]byte
}

func (s *sent) Write(octets []byte) (int, error) {
	s.packets = append(s.packets, bytes.Clone(octets))
	return len(octets), nil
}

// answer accepts the nth packet that was sent.
func (s *sent) answer(t *testing.T, n int) []byte {
	t.Helper()
	if s.packets[n][0] == accountingRequest {
		return s.reply(t, n, accountingResponse)
	}
	return s.reply(t, n, accessAccept)
}

// reply answers the nth packet that was sent with that code.
func (s *sent) reply(t *testing.T, n int, code byte) []byte {
	t.Helper()
	p, err := radiustest.Decode(s.packets[n])
	if err != nil {
		t.Fatal(err)
	}
	r := &radiustest.Request{Packet: p, Secret: []byte("secret")}
	return r.Reply(code)
}

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// at is an instant so many seconds after the start.
func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

// lineOf is a line with one request under way at a time, for subscribers that
// are to get no filter.
func lineOf(o Options) (*line, *sent) {
	o.Secret, o.Users, o.Sockets, o.Window = []byte("secret"), []User{{Name: "b", Checked: true}, {Name: "c", Checked: true}}, 1, 1
	code := byte(accessRequest)
	if o.Accounting > 0 {
		code = accountingRequest
	}
	l := newLine(&o, code, 100, 0, start)
	out := &sent{}
	l.conn = out
	return l, out
}

func TestNoAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		tries    int
		answered float64 // when, in seconds; 0: never
		sent     int
		want     Report
	}{
		"sent once, as nothing else is said":      {0, 0, 1, Report{Sent: 1, Lost: 1}},
		"three times in vain":                     {3, 0, 3, Report{Sent: 1, Resent: 2, Lost: 1}},
		"answered before it is sent again":        {3, 2.9, 1, Report{Sent: 1, Accepted: 1, Tries: []uint64{1}, Goodput: []uint64{0, 0, 1}}},
		"answered after the second of three":      {3, 4, 2, Report{Sent: 1, Resent: 1, Accepted: 1, Tries: []uint64{0, 1}, Goodput: []uint64{0, 0, 0, 0, 1}}},
		"answered when the last was on its way":   {2, 5, 2, Report{Sent: 1, Resent: 1, Accepted: 1, Tries: []uint64{0, 1}, Goodput: []uint64{0, 0, 0, 0, 0, 1}}},
		"answered when it had just been given up": {2, 6.3, 2, Report{Sent: 1, Resent: 1, Lost: 1, Late: 1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, out := lineOf(Options{Tries: test.tries, Timeout: 3 * time.Second})
			l.sendDue(start)
			for tenth := range 120 {
				now := at(float64(tenth) / 10)
				if test.answered > 0 && now.Equal(at(test.answered)) {
					l.take(out.answer(t, 0), now)
				}
				l.sweep(now)
			}
			if len(out.packets) != test.sent {
				t.Errorf("sent %d times, want %d", len(out.packets), test.sent)
			}
			for _, again := range out.packets[1:] {
				if !bytes.Equal(again, out.packets[0]) {
					t.Errorf("sent again as %x, first as %x", again, out.packets[0])
				}
			}
			check(t, &l.report, &test.want)
			if n := l.report.Latency.TotalCount(); uint64(n) != test.want.Accepted {
				t.Errorf("%d latencies", n)
			} else if took := at(test.answered).Sub(start).Microseconds(); n > 0 && !l.report.Latency.ValuesAreEquivalent(l.report.Latency.Max(), took) {
				t.Errorf("took %d µs, want %d from the first sending", l.report.Latency.Max(), took)
			}
		})
	}
}

// check compares what was counted.
func check(t *testing.T, got, want *Report) {
	t.Helper()
	if got.Sent != want.Sent || got.Resent != want.Resent || got.Lost != want.Lost || got.Late != want.Late || got.Answered() != want.Answered() || got.WrongInAll() != want.WrongInAll() {
		t.Errorf("sent %d and %d again, answered %d, lost %d, late %d, wrong %v; want %+v", got.Sent, got.Resent, got.Answered(), got.Lost, got.Late, got.Wrong, *want)
	}
	if !slices.Equal(got.Tries, want.Tries) || !slices.Equal(got.Goodput, want.Goodput) {
		t.Errorf("tries %v, want %v; goodput %v, want %v", got.Tries, want.Tries, got.Goodput, want.Goodput)
	}
}

// TestWhatComesLateAnswersNothingElse gives one identifier to a second request
// while the first one's answers are still to come.
func TestWhatComesLateAnswersNothingElse(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{"logins": {}, "accounting of the same subscriber": {Accounting: 100}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Tries, o.Timeout = 2, time.Second
			l, out := lineOf(o)
			l.Users = l.Users[:1]
			l.sendDue(start)
			l.sweep(at(1.1)) // sent again
			l.sweep(at(2.2)) // given up
			l.next = out.packets[0][1]
			l.sendDue(at(3))
			if len(out.packets) != 3 || out.packets[2][1] != out.packets[0][1] {
				t.Fatalf("%d packets; expected a third with the identifier of the first", len(out.packets))
			}
			l.take(out.answer(t, 0), at(3.1))
			l.take(out.answer(t, 1), at(3.2))
			check(t, &l.report, &Report{Sent: 2, Resent: 1, Lost: 1, Late: 2})
			if l.busy != 1 {
				t.Fatal("the second request is no longer waited for")
			}
			l.take(out.answer(t, 2), at(3.3))
			want := &Report{Sent: 2, Resent: 1, Accepted: 1, Lost: 1, Late: 2, Tries: []uint64{1}, Goodput: []uint64{0, 0, 0, 1}}
			check(t, &l.report, want)
			l.take(out.answer(t, 0), at(3.4)) // it was sent twice, not three times
			l.take(out.answer(t, 2), at(3.5))
			if l.report.Wrong[wrongTime] != 2 || len(l.report.Wrong) != 1 {
				t.Error(l.report.Wrong)
			}
		})
	}
}

func TestEverySubscriberLogsInOnce(t *testing.T) {
	t.Parallel()
	o := aaa(t, nil)
	o.Once, o.Duration, o.Users = true, 0, nil
	for range 50 {
		o.Users = append(o.Users, benchUsers...)
	}
	r := run(t, o)
	if r.Sent != 100 || r.Accepted != 100 || r.Sending == 0 || r.Sending > r.Took {
		t.Errorf("%d sent in %v of %v, %d accepted", r.Sent, r.Sending, r.Took, r.Accepted)
	}
	o.Window = 1 // less than one for each socket
	if r := run(t, o); r.Accepted != 100 {
		t.Errorf("%d accepted, one after the other", r.Accepted)
	}
	l, out := lineOf(Options{Once: true, Timeout: time.Second})
	for i := range 4 {
		l.sendDue(start)
		if i < 2 {
			l.take(out.answer(t, i), start)
		}
	}
	if names := []string{value(t, out.packets[0]), value(t, out.packets[1])}; len(out.packets) != 2 || !slices.Equal(names, []string{"b", "c"}) || !l.over {
		t.Errorf("%d packets, of %v; over %v", len(out.packets), names, l.over)
	}
}

func value(t *testing.T, octets []byte) string {
	t.Helper()
	p, err := radiustest.Decode(octets)
	if err != nil {
		t.Fatal(err)
	}
	return p.Value(radiustest.UserName)
}

func TestPace(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		sending            time.Duration
		goodput            []uint64
		first, worst, last uint64
		ok                 bool
	}{
		"less than two seconds":                    {1900 * time.Millisecond, []uint64{5, 5}, 0, 0, 0, false},
		"the first one is no worst one":            {2900 * time.Millisecond, []uint64{1, 5, 2}, 1, 5, 5, true},
		"what came when all were sent is left out": {3900 * time.Millisecond, []uint64{5, 3, 6, 1, 1}, 5, 3, 6, true},
		"nothing any more":                         {2 * time.Second, []uint64{5}, 5, 0, 0, true},
	}
	for name, test := range tests {
		r := Report{Sending: test.sending, Goodput: test.goodput}
		if first, worst, last, ok := r.Pace(); first != test.first || worst != test.worst || last != test.last || ok != test.ok {
			t.Errorf("%s: %d, %d, %d, %v", name, first, worst, last, ok)
		}
	}
}
