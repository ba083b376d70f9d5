// Package load asks a RADIUS server as many routers would: logins by PAP and
// CHAP and accounting, at a rate or with a window of requests under way. Every
// answer is verified. It speaks RADIUS with code of its own, not the proxy's.
// What has no answer in time is sent again if asked for, as routers do.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
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

	// Per cent of the logins that begin a session, of which accounting tells in
	// packets beyond Window: its Start at once, an Interim-Update, and its Stop
	// after Life. If there are any, every login names a session of its own
	// (Acct-Session-Id), and the subscribers log in one after the other.
	Sessions int
	Life     time.Duration

	Sockets  int           // of 256 identifiers each
	Window   int           // requests under way at once, at most 256 for each socket; 0: as Rate says
	Rate     float64       // requests a second; 0: as fast as Window lets
	Duration time.Duration // of sending; of no account with Once
	Once     bool          // every subscriber logs in once, and that is all
	Timeout  time.Duration // after which a request is sent again or, after the last of Tries, counts as lost
	Tries    int           // how often a request is sent at the most; 0: once
	NoMA     bool          // logins without Message-Authenticator
	Class    bool          // every Accept must have the subscriber's name as Class, which tells if answers are mixed up

	Dial func(to netip.AddrPort) (Conn, error) // opens a socket; nil: net.DialUDP
}

// Conn is a connected socket as net.UDPConn is one.
type Conn interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
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
	Resent                              uint64            // sendings beyond the first of a request
	Tries                               []uint64          // how many were answered after one sending, two, ...
	Lost                                uint64            // no answer in time, not after the last sending either
	Late                                uint64            // right answers to requests that were given up, or answered before
	Wrong                               map[string]uint64 // answers that are not what they should be, by what is wrong
	Held                                uint64            // that a rate asked for while every identifier was in use; not sent
	Took                                time.Duration
	Sending                             time.Duration           // of Took, until the last new request was sent
	Goodput                             []uint64                // right answers in each second of Took
	Latency                             *hdrhistogram.Histogram // microseconds from the first sending; at a rate from when the request was due
}

// The range of the histogram: from a microsecond, to three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longest.Microseconds(), 3)
}

// longest is the largest latency that is told apart: what takes longer counts as
// this.
const longest = time.Minute

// Answered is how many requests were answered as they should be.
func (r *Report) Answered() uint64 { return r.Accepted + r.Rejected + r.Accounted }

// WrongInAll is how many answers were not what they should be.
func (r *Report) WrongInAll() (n uint64) {
	for _, of := range r.Wrong {
		n += of
	}
	return n
}

// Pace is the goodput of the first whole second in which there were new requests
// to send, when windows and queues had to fill, of the worst one after it, and
// of the last; false if there are no two.
func (r *Report) Pace() (first, worst, last uint64, ok bool) {
	whole := int(r.Sending / time.Second)
	if whole < 2 {
		return 0, 0, 0, false
	}
	each := make([]uint64, whole) // the last ones may have had no answer
	copy(each, r.Goodput)
	return each[0], slices.Min(each[1:]), each[whole-1], true
}

func (r *Report) add(other *Report) {
	r.Sent += other.Sent
	r.Resent += other.Resent
	r.Late += other.Late
	r.Tries = sum(r.Tries, other.Tries)
	r.Goodput = sum(r.Goodput, other.Goodput)
	r.Sending = max(r.Sending, other.Sending)
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

// sum adds up what stands at the same place.
func sum(a, b []uint64) []uint64 {
	for i, n := range b {
		a = count(a, i, n)
	}
	return a
}

// count adds to what stands at a place, which need not be there yet.
func count(a []uint64, at int, n uint64) []uint64 {
	if at >= len(a) {
		a = append(a, make([]uint64, at+1-len(a))...)
	}
	a[at] += n
	return a
}

// progressInterval is how often progress is told.
const progressInterval = time.Second

// Run asks until the duration is over, every subscriber had its turn, or the
// context ends, waits for the last answers, and reports. Progress is told once a second, unless nil.
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
	case o.Sessions < 0 || o.Sessions > 100 || o.Sessions > 0 && (o.Once || o.Accounting > 0 || o.Rate > 0):
		return errors.New("expected per cent from 0 to 100 of sessions, and with them a window and no other accounting")
	case o.Once && o.Accounting > 0:
		return errors.New("where every subscriber logs in once there is no accounting")
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
