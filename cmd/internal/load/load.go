// Package load asks a RADIUS server as many routers would: logins by PAP and
// CHAP and accounting, at a rate or with a window of requests under way. Every
// answer is verified. It speaks RADIUS with code of its own, not the proxy's.
package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Options are what is asked of whom.
type Options struct {
	Auth, Acct netip.AddrPort // where logins and accounting go
	Secret     []byte
	Users      []User

	CHAP       int // per cent of the logins that are by CHAP
	Accounting int // per cent of the requests that are Interim-Updates

	Sockets  int           // of 256 identifiers each
	Window   int           // requests under way at once, at most 256 for each socket; 0: as Rate says
	Rate     float64       // requests a second; 0: as fast as Window lets
	Duration time.Duration // of sending
	Timeout  time.Duration // after which a request counts as lost; nothing is sent twice
	NoMA     bool          // logins without Message-Authenticator
}

// User is a subscriber to log in.
type User struct {
	Name, Password string
	Filter         string // the only Filter-Id that the Accept must have; empty: none
	Checked        bool   // that Filter is to be looked at
}

// Report is what became of the requests.
type Report struct {
	Sent, Accepted, Rejected, Accounted uint64
	Lost                                uint64            // no answer in time
	Wrong                               map[string]uint64 // answers that are not what they should be, by what is wrong
	Held                                uint64            // that a rate asked for while every identifier was in use; not sent
	Took                                time.Duration
	Latency                             *hdrhistogram.Histogram // microseconds; at a rate from when the request was due
}

// The range of the histogram: a microsecond to a minute, to three digits.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, 60_000_000, 3) }

// Answered is how many requests were answered as they should be.
func (r *Report) Answered() uint64 { return r.Accepted + r.Rejected + r.Accounted }

// WrongInAll is how many answers were not what they should be.
func (r *Report) WrongInAll() (n uint64) {
	for _, of := range r.Wrong {
		n += of
	}
	return n
}

func (r *Report) add(other *Report) {
	r.Sent += other.Sent
	r.Accepted += other.Accepted
	r.Rejected += other.Rejected
	r.Accounted += other.Accounted
	r.Lost += other.Lost
	r.Held += other.Held
	for what, n := range other.Wrong {
		r.Wrong[what] += n
	}
	r.Latency.Merge(other.Latency)
}

// progressInterval is how often progress is told.
const progressInterval = time.Second

// Run asks until the duration is over or the context ends, waits for the last
// answers, and reports. Progress is told once a second, unless nil.
func Run(ctx context.Context, o Options, progress func(Report)) (Report, error) {
	if err := o.check(); err != nil {
		return Report{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	lines, err := dial(o, began)
	if err != nil {
		return Report{}, err
	}
	var working sync.WaitGroup
	for _, l := range lines {
		working.Go(func() { l.run(ctx) })
	}
	done := make(chan struct{})
	go func() {
		working.Wait()
		close(done)
	}()
	tick := time.NewTicker(progressInterval)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return gather(lines, began), nil
		case <-tick.C:
			if progress != nil {
				progress(gather(lines, began))
			}
		}
	}
}

func (o *Options) check() error {
	switch {
	case len(o.Users) == 0:
		return errors.New("no subscriber to log in")
	case (o.Rate > 0) == (o.Window > 0):
		return errors.New("expected a rate or a window, one of them")
	case o.Sockets < 1:
		return fmt.Errorf("%d sockets: at least one is needed", o.Sockets)
	case o.CHAP < 0 || o.CHAP > 100 || o.Accounting < 0 || o.Accounting > 100:
		return errors.New("expected per cent from 0 to 100 of CHAP and accounting")
	case o.Window > o.Sockets*identifiers:
		return fmt.Errorf("a window of %d needs %d sockets of %d identifiers", o.Window, (o.Window+identifiers-1)/identifiers, identifiers)
	}
	return nil
}

func gather(lines []*line, began time.Time) Report {
	all := Report{Wrong: map[string]uint64{}, Latency: newHistogram(), Took: time.Since(began)}
	for _, l := range lines {
		l.mu.Lock()
		all.add(&l.report)
		l.mu.Unlock()
	}
	return all
}
