package radius_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/engine"
	"sekisho/radius"
)

// oneSlow is a store whose look-ups for one account wait until they are let go.
type oneSlow struct {
	contracts
	asked, goOn chan struct{}
}

const slowUser = " 01 0e 'm1@atson.net' "

func (s oneSlow) Subscriber(account string, f *engine.Facts) error {
	if account == "m1" {
		s.asked <- struct{}{}
		<-s.goOn
	}
	return s.contracts.Subscriber(account, f)
}

func newOneSlow() oneSlow {
	return oneSlow{subscribers, make(chan struct{}, 1), make(chan struct{})}
}

// TestEarlierAnswerThatComesLateHidesNoNewerOne has the decision about a request
// take long, whose identifier is used again meanwhile.
func TestEarlierAnswerThatComesLateHidesNoNewerOne(t *testing.T) {
	t.Parallel()
	store := newOneSlow()
	s := start(t, func(s *setup) { s.subscribers = store })
	first, next := access(t, 1, slowUser), signedAccess(t, 1, second, user)
	must(t, s.nas.Send(first))
	<-store.asked
	s.timer.advance(10 * time.Millisecond) // its socket gets another reader
	answer := s.exchange(s.nas, next)
	close(store.goOn)
	s.answer(s.nas, first)
	again := s.exchange(s.nas, next)
	if n := len(s.aaa.Seen()); n != 2 || !bytes.Equal(again, answer) {
		t.Errorf("the AAA saw %d requests, want 2: the retransmission was taken for a new one", n)
	}
}

// TestAnswerOfASlowDecisionIsKeptAsLong has one take longer than answers are
// kept for.
func TestAnswerOfASlowDecisionIsKeptAsLong(t *testing.T) {
	t.Parallel()
	store := newOneSlow()
	s := start(t, func(s *setup) {
		s.subscribers, s.config.CleanupDelay, s.config.DecisionBudget = store, 2*time.Second, 3*time.Second
	})
	request := access(t, 1, slowUser)
	must(t, s.nas.Send(request))
	<-store.asked
	s.timer.advance(2500 * time.Millisecond)
	s.exchange(s.nas, signedAccess(t, 2, second, user)) // by another reader
	close(store.goOn)
	s.answer(s.nas, request)
	s.proxy.Sweep()
	s.exchange(s.nas, request)
	if n := len(s.aaa.Seen()); n != 2 {
		t.Errorf("the AAA saw %d requests: the answer was forgotten as it left", n)
	}
}

// TestDelayThatIsTakenBack has answers kept for an hour by mistake, and then for
// two seconds: the room that they take is free again after these.
func TestDelayThatIsTakenBack(t *testing.T) {
	t.Parallel()
	const most = 60
	s := start(t, func(s *setup) { s.config.CleanupDelay, s.config.MaxRequests = time.Hour, most })
	logins := 0
	login := func() {
		logins++
		s.exchange(s.nas, signedAccess(t, byte(logins), strings.Repeat(fmt.Sprintf("%04x", logins), 8), user))
	}
	for range most / 2 {
		login()
	}
	c := s.config()
	c.CleanupDelay = 2 * time.Second
	s.inside().Reload(c)
	for range 2 * most { // ten a second: 20 of them at once
		login()
		s.timer.advance(100 * time.Millisecond)
		s.proxy.Sweep()
	}
}

// stalling is an output that blocks at its first line about something dropped,
// and lets time pass at its second.
type stalling struct {
	count atomic.Int64
	goOn  chan struct{}
	pass  func()
}

func (o *stalling) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "Dropped") {
		switch o.count.Add(1) {
		case 1:
			<-o.goOn
		case 2:
			o.pass()
		}
	}
	return len(b), nil
}

// TestRequestBehindAStall is received together with what the proxy stalls at: it
// has its whole time all the same.
func TestRequestBehindAStall(t *testing.T) {
	t.Parallel()
	for _, stall := range []time.Duration{radius.DefaultResponseWindow + time.Second, radius.DefaultRequestTime + time.Second} {
		t.Run(stall.String(), func(t *testing.T) {
			t.Parallel()
			s := start(t, answering(silent), func(s *setup) { s.server.ResponseWindow = radius.DefaultResponseWindow })
			o := &stalling{goOn: make(chan struct{}), pass: func() { s.timer.advance(stall) }}
			s.inside().SetDebug(o)
			must(t, s.nas.Send([]byte{1}))
			s.until("it stalls", func() bool { return o.count.Load() == 1 })
			must(t, s.nas.Send([]byte{1}))
			must(t, s.nas.Send(access(t, 1, user)))
			close(o.goOn)
			s.seen(1)
			s.proxy.Sweep()
			stats := s.proxy.Stats()
			if state := stats.AAA["tokyo-1"].Ports[0].State; state != "alive" {
				t.Errorf("the server is a %s, though it got its first request this moment", state)
			}
			if n := stats.NAS["bras1"].Dropped["timeout"]; n != 0 {
				t.Errorf("the request is given up, though it was sent this moment")
			}
		})
	}
}
