package coa

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/radius/session"
)

// asking runs something that waits for the keeper, beside it.
func (s *sim) asking(f func()) {
	s.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	for late := time.After(10 * time.Second); ; {
		select {
		case <-done:
			s.settle()
			return
		case <-late:
			s.Fatal("the keeper does not answer")
		default:
			s.settle()
			time.Sleep(50 * time.Microsecond)
		}
	}
}

// told hands a probe's requests on and collects what comes of them.
func (s *sim) told(do func(done func(Reply))) Reply {
	s.Helper()
	var replies []Reply
	s.asking(func() { do(func(r Reply) { replies = append(replies, r) }) })
	s.run(2 * time.Second)
	if len(replies) != 1 {
		s.Fatalf("%d replies", len(replies))
	}
	return replies[0]
}

func (s *sim) probe(id session.ID) (p *Probe, err error) {
	s.asking(func() { p, err = s.Probe(id, 0) })
	return p, err
}

// filters are the Filter-Ids that routers were sent.
func (s *sim) filters() (names []string) {
	for _, sent := range s.routed {
		name := ""
		if len(sent.r.Attributes) > 2 {
			name = string(sent.r.Attributes[2:])
		}
		names = append(names, fmt.Sprint(sent.r.Kind, " ", name))
	}
	return names
}

func TestProbeTellsEachActionAndThenWhatIsWanted(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 1)
	p, err := s.probe(first)
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"limit", "block"} {
		if r := s.told(func(done func(Reply)) { p.Tell(action, done) }); r.Outcome != Done {
			t.Errorf("%s: %s", action, r)
		}
	}
	s.run(time.Hour)
	if l, _ := s.table.Get(first); l.Applied != "block" || l.Wanted != "open" || l.Why != "held at block: a probe looks at it" {
		t.Errorf("while it is probed the session is %+v", l)
	}
	s.grant(first, "limit") // meanwhile something else is wanted
	s.run(time.Second)
	if r := s.told(p.End); r.Outcome != Done {
		t.Errorf("the end: %s", r)
	}
	want := []string{"CoA-Request op25b-limit", "CoA-Request op25b", "CoA-Request op25b-limit"}
	if got := s.filters(); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	if l, _ := s.table.Get(first); l.Applied != "limit" || l.Why != "" {
		t.Errorf("afterwards the session is %+v", l)
	}
}

// TestProbeEndsNoSession has a router refuse, with a profile that disconnects
// where it does.
func TestProbeEndsNoSession(t *testing.T) {
	t.Parallel()
	s := newSim(t, nil)
	r := s.router("bras1", 1, 20, 10)
	r.Profile = simProfile(s, dict.CoASpec{Otherwise: "disconnect"})
	s.Configure([]Router{r}, Rules{})
	s.answer = func(_ string, r Request) (Reply, time.Duration) {
		if strings.HasSuffix(string(r.Attributes), "op25b") {
			return nak(0), time.Millisecond
		}
		return ack, time.Millisecond
	}
	p, err := s.probe(first)
	if err != nil {
		t.Fatal(err)
	}
	if r := s.told(func(done func(Reply)) { p.Tell("block", done) }); r.Outcome != Refused || r.Code != coaNAK {
		t.Errorf("the answer is %s", r)
	}
	if r := s.told(p.End); r.Outcome != Done {
		t.Errorf("the end: %s", r)
	}
	if got, want := s.filters(), []string{"CoA-Request op25b", "CoA-Request op25b-off"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestProbeIsRefused(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 1)
	if _, err := s.probe(session.ID{NAS: "bras1", AcctSession: "another"}); !errors.Is(err, ErrNoSession) {
		t.Errorf("a session that is not there: %v", err)
	}
	p, err := s.probe(first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.probe(first); !errors.Is(err, ErrNotNow) {
		t.Errorf("a second one: %v", err)
	}
	if r := s.told(func(done func(Reply)) { p.Tell("close", done) }); r.Outcome != Refused || !strings.Contains(r.String(), "cannot be told close") {
		t.Errorf("an action that there is not: %s", r)
	}
	delete(s.table.all, first)
	if r := s.told(p.End); r.Outcome != Gone {
		t.Errorf("the session went: %s", r)
	}
	if held := s.lane(Place{NAS: "bras1"}).probed; len(held) != 0 {
		t.Errorf("still held: %v", held)
	}

	r := s.router("bras1", 1, 20, 10)
	r.Profile = simProfile(s, dict.CoASpec{By: "disconnect"})
	s.Configure([]Router{r}, Rules{})
	if _, err := s.probe(first); err == nil || !strings.Contains(err.Error(), "by ending the session") {
		t.Errorf("a router that can only end sessions: %v", err)
	}
}

func TestWordsOfAProbe(t *testing.T) {
	t.Parallel()
	s := oneRouter(t, 1)
	var words []string
	var err error
	s.asking(func() { _, words, err = s.Words(first, "block") })
	want := []string{`Acct-Session-Id = "bras1-000000"`, `User-Name = "userbras1-000000@isp.example"`, `Filter-Id = "op25b"`}
	if err != nil || !slices.Equal(words, want) {
		t.Errorf("%q %v, want %q", words, err, want)
	}
	p, err := s.probe(first)
	if err != nil {
		t.Fatal(err)
	}
	s.told(func(done func(Reply)) { p.Tell("block", done) })
	sent := s.routed[0].r
	octets := append(slices.Clone(sent.Identification), sent.Attributes...)
	if got, want := hex.EncodeToString(octets), "2c0e"+hex.EncodeToString([]byte("bras1-000000"))+"011e"+
		hex.EncodeToString([]byte("userbras1-000000@isp.example"))+"0b07"+hex.EncodeToString([]byte("op25b")); got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}
