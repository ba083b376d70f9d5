//go:build realparts

package realparts

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"sekisho/radius/radiustest"
)

// How the access routers of a load ask again.
const (
	retryAfter = time.Second
	retries    = 6
	// retryWindow is how long a subscriber waits until the router gives up.
	retryWindow = retries * retryAfter
)

// A Login is what a subscriber of a load types, and what has to come of it.
type Login struct {
	User, Password string
	Code           byte
	Filters        []string // Filter-Ids of the answer
}

// A Load is a number of access routers that log subscribers in, many at once.
type Load struct {
	routers chan *router
	logins  []Login

	mu       sync.Mutex
	wrong    []string // what should not have come, or should have
	answered int
	repeated int           // that were asked for more than once
	longest  time.Duration // that a login took
}

// A router is one socket with a login at a time.
type router struct {
	*radiustest.NAS
	answers map[byte][]byte // by identifier, the last answer
}

// NewLoad makes the routers.
func NewLoad(t testing.TB, n *Netns, routers int, logins []Login) *Load {
	t.Helper()
	l := &Load{routers: make(chan *router, routers), logins: logins}
	err := n.Do(func() error {
		for range routers {
			nas, err := radiustest.NewNAS(loopback(sekishoAuthPort), nasSecret)
			if err != nil {
				return err
			}
			t.Cleanup(nas.Close)
			l.routers <- &router{nas, map[byte][]byte{}}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Run logs subscribers in, so many in a second, until all is over; steps happen at
// their times meanwhile.
func (l *Load) Run(perSecond int, lasts time.Duration, steps map[time.Duration]func()) {
	var open sync.WaitGroup
	for at, step := range steps {
		open.Add(1)
		time.AfterFunc(at, func() {
			defer open.Done()
			step()
		})
	}
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	over := time.After(lasts)
	for i := 0; ; i++ {
		select {
		case <-over:
			open.Wait()
			return
		case <-tick.C:
		}
		open.Add(1)
		go func() {
			defer open.Done()
			r := <-l.routers
			l.login(r, l.logins[i%len(l.logins)])
			l.routers <- r
		}()
	}
}

// login is one subscriber's way.
func (l *Load) login(r *router, what Login) {
	started := time.Now()
	answer, tries, err := r.ask(what)
	took := time.Since(started)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		err = what.check(answer)
	}
	if err != nil {
		l.wrong = append(l.wrong, fmt.Sprintf("%s after %v and %d tries: %v", what.User, took, tries, err))
		return
	}
	l.answered++
	l.longest = max(l.longest, took)
	if tries > 1 {
		l.repeated++
	}
}

// check wants the answer to be what has to come of the login.
func (what Login) check(answer *radiustest.Packet) error {
	var filters []string
	for _, value := range answer.Values(radiustest.FilterID) {
		filters = append(filters, string(value))
	}
	if answer.Code != what.Code || fmt.Sprint(filters) != fmt.Sprint(what.Filters) {
		return fmt.Errorf("code %d with Filter-Ids %q, want %d with %q", answer.Code, filters, what.Code, what.Filters)
	}
	return nil
}

// ask sends a request, again and again, until there is an answer.
func (r *router) ask(what Login) (answer *radiustest.Packet, tries int, err error) {
	request := r.Request(codeAccessRequest, append(radiustest.PAP(what.User, what.Password), tokyoNAS, radiustest.MA())...)
	delete(r.answers, request[1])
	for tries = 1; tries <= retries; tries++ {
		if err := r.Send(request); err != nil {
			return nil, tries, err
		}
		for end := time.Now().Add(retryAfter); ; {
			octets, err := r.Receive(time.Until(end))
			if err != nil {
				break // nothing in this time
			}
			if answer, err := r.take(request, octets); answer != nil || err != nil {
				return answer, tries, err
			}
		}
	}
	return nil, retries, fmt.Errorf("no answer within %v", retryWindow)
}

// take verifies what came: an answer to this request, or once more the same answer
// to an earlier one, which is none.
func (r *router) take(request, octets []byte) (*radiustest.Packet, error) {
	if len(octets) > 1 && octets[1] != request[1] {
		if !bytes.Equal(octets, r.answers[octets[1]]) {
			return nil, fmt.Errorf("another answer to an earlier request: %x, was %x", octets, r.answers[octets[1]])
		}
		return nil, nil
	}
	answer, err := r.Verify(request, octets)
	if err == nil {
		r.answers[request[1]] = octets
	}
	return answer, err
}

// Expect wants every login to have ended as it should.
func (l *Load) Expect(t testing.TB, atLeast int) {
	t.Helper()
	t.Logf("%d logins answered, %d after a retransmission, the slowest after %v", l.answered, l.repeated, l.longest)
	if len(l.wrong) > 0 {
		t.Errorf("%d logins went wrong, the first: %s", len(l.wrong), l.wrong[0])
	}
	if l.answered < atLeast {
		t.Errorf("%d logins were answered, want %d at least", l.answered, atLeast)
	}
}
