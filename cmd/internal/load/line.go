package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// identifiers is how many requests one socket may have under way (RFC 2865
// section 2.5).
const identifiers = 256

// line is one socket of a router, for logins or for accounting, and the
// goroutine that sends and receives on it. With one goroutine it needs no lock
// but that of its report.
type line struct {
	*Options
	code   byte // of its requests
	conn   Conn
	turns  *atomic.Int64 // how many subscribers had theirs, of all lines
	diary  *diary        // of the sessions that logins begin; nil: nobody tells of them
	window int           // of this line
	every  time.Duration // between two requests of this line at a rate; 0: as the window says
	due    time.Time     // when the next request is, at a rate
	began  time.Time
	over   bool      // no new request any more
	swept  time.Time // when the lost were last counted
	random *rand.Rand
	room   [4096]byte

	under [identifiers]request // under way, by identifier
	busy  int
	next  byte // identifier to look at first
	past  [identifiers]past

	mu     sync.Mutex // of the report
	report Report
}

// request is one under way.
type request struct {
	errand
	octets []byte    // nil: the identifier is free
	from   time.Time // when it was sent first or, at a rate, when it was due
	sent   time.Time // last
	tries  int       // how often it was sent
}

// dial opens the sockets: those for logins and as many for accounting, which
// share window and rate by the per cent asked for.
func dial(o Options, began time.Time) (lines []*line, err error) {
	var turns atomic.Int64
	open := func(l *line, to netip.AddrPort) {
		l.turns = &turns
		conn, failed := o.dial(to)
		if failed != nil {
			err = fmt.Errorf("a socket for %s: %w", to, failed)
			return
		}
		l.conn = conn
		lines = append(lines, l)
	}
	for i := range o.Sockets {
		if o.Accounting > 0 {
			open(newLine(&o, accountingRequest, o.Accounting, i, began), o.Acct)
		}
		if o.Accounting == 100 {
			continue
		}
		logins := newLine(&o, accessRequest, 100-o.Accounting, i, began)
		if o.Sessions > 0 {
			open(newTeller(&o, logins, i, began), o.Acct)
		}
		open(logins, o.Auth)
	}
	if err != nil {
		closeAll(lines)
		return nil, err
	}
	return lines, nil
}

// newTeller is the line for what accounting has to tell of a line's logins.
func newTeller(o *Options, logins *line, i int, began time.Time) *line {
	logins.diary = &diary{}
	l := newLine(o, accountingRequest, 0, i, began)
	l.diary, l.window, l.over = logins.diary, identifiers, false
	return l
}

func (o *Options) dial(to netip.AddrPort) (Conn, error) {
	if o.Dial != nil {
		return o.Dial(to)
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(readBuffer) // as much as the kernel allows
	return conn, nil
}

// readBuffer has room for an answer to every identifier: 256 of them at once are
// more than the kernel's default holds.
const readBuffer = 1 << 20

func newLine(o *Options, code byte, percent, i int, began time.Time) *line {
	l := &line{Options: o, code: code, began: began, turns: new(atomic.Int64), random: rand.New(rand.NewPCG(rand.Uint64(), uint64(i)))}
	l.report = Report{Wrong: map[string]uint64{}, Latency: newHistogram()}
	if o.Rate > 0 {
		l.window = identifiers
		l.every = time.Duration(float64(o.Sockets*100) / (o.Rate * float64(percent)) * float64(time.Second))
		l.due = began.Add(l.every * time.Duration(i) / time.Duration(o.Sockets)) // one socket after the other
		return l
	}
	whole := max(1, o.Window*percent/100)
	l.window = (whole + i) / o.Sockets // together the whole window
	l.over = l.window == 0
	return l
}

func closeAll(lines []*line) {
	for _, l := range lines {
		l.conn.Close()
	}
}

// run sends what is due and takes in what comes until the time is over and
// nothing is waited for any more.
func (l *line) run(ctx context.Context) {
	defer l.conn.Close()
	for first := true; ; first = false {
		now := time.Now()
		// The first time also where the machine had no time for it.
		l.over = l.over || ctx.Err() != nil || !first && !l.Once && now.Sub(l.began) >= l.Duration
		if !l.over {
			l.sendDue(now)
		}
		if l.over && l.busy == 0 {
			return
		}
		l.receive(now)
		l.sweep(time.Now())
	}
}

// sendDue sends until the window is full or, at a rate, nothing more is due.
func (l *line) sendDue(now time.Time) {
	if l.every == 0 {
		for l.busy < l.window && l.send(now, now) {
		}
		return
	}
	for ; !now.Before(l.due) && !l.over; l.due = l.due.Add(l.every) {
		if l.busy == identifiers {
			l.count(func(r *Report) { r.Held++ })
			continue
		}
		l.send(now, l.due) // a generator that comes late must not make the server look quick
	}
}

// pick is what is to be asked now; false if nothing is.
func (l *line) pick(now time.Time) (errand, bool) {
	switch {
	case l.Sessions > 0 && l.code == accountingRequest:
		return l.diary.take(now)
	case l.Sessions > 0:
		turn := l.turns.Add(1)
		return errand{user: &l.Users[turn%int64(len(l.Users))], session: uint64(turn)}, true
	case !l.Once:
		return errand{user: &l.Users[l.random.IntN(len(l.Users))], status: interimUpdate}, true
	}
	if i := l.turns.Add(1) - 1; i < int64(len(l.Users)) {
		return errand{user: &l.Users[i]}, true
	}
	l.over = true
	return errand{}, false
}

// send sends a new request, unless there is none.
func (l *line) send(now, from time.Time) bool {
	e, ok := l.pick(now)
	if !ok {
		return false
	}
	for l.under[l.next].octets != nil {
		l.next++
	}
	r := &l.under[l.next]
	*r = request{errand: e, from: from, sent: now, tries: 1}
	r.octets = l.compose(l.next, e)
	l.next++
	l.busy++
	l.count(func(r *Report) { r.Sent, r.Sending = r.Sent+1, now.Sub(l.began) })
	_, _ = l.conn.Write(r.octets) // what the kernel refuses is lost like any datagram
	return true
}

// repeat sends a request again: the same octets from the same port, so that a
// server knows it for the same one (RFC 5080 section 2.2.1).
func (l *line) repeat(r *request, now time.Time) {
	r.sent = now
	r.tries++
	l.count(func(r *Report) { r.Resent++ })
	_, _ = l.conn.Write(r.octets)
}

// finish frees the identifier of a request that had so many answers. Others to
// it may still come.
func (l *line) finish(r *request, answers int) {
	l.past[r.octets[1]].add(r, answers)
	r.octets = nil
	l.busy--
}

// receive takes in what comes until the window has room again or the next
// request is due, for some milliseconds at most.
func (l *line) receive(now time.Time) {
	wait := 10 * time.Millisecond
	if l.every > 0 {
		wait = min(wait, l.due.Sub(now))
	}
	_ = l.conn.SetReadDeadline(now.Add(max(wait, 20*time.Microsecond)))
	for {
		n, err := l.conn.Read(l.room[:])
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil { // else a refusal that came back: what was sent is lost
			l.take(l.room[:n], time.Now())
		}
		if l.every == 0 {
			return
		}
	}
}

// take looks at an answer.
func (l *line) take(octets []byte, now time.Time) {
	if len(octets) < headerLen {
		l.wrong(wrongFraming)
		return
	}
	r := &l.under[octets[1]]
	code, wrong := byte(0), wrongTime
	if r.octets != nil {
		code, wrong = l.verify(r, octets)
	}
	switch {
	case wrong == "":
		l.right(r, code, now)
	case wrong != wrongFraming && wrong != wrongAuthenticator && wrong != wrongTime:
		l.wrong(wrong)
	case wrong != wrongFraming && l.past[octets[1]].takes(octets, l.Secret):
		l.count(func(r *Report) { r.Late++ })
		return
	default: // a forged one leaves the right one to wait for
		l.wrong(wrong)
		return
	}
	l.finish(r, 1)
}

// right counts an answer as it should be.
func (l *line) right(q *request, code byte, now time.Time) {
	took, second := now.Sub(q.from), int(now.Sub(l.began)/time.Second)
	if code == accessAccept && l.diary != nil && l.random.IntN(100) < l.Sessions {
		l.diary.begin(q.errand, now, l.Life)
	}
	l.count(func(r *Report) {
		switch code {
		case accessAccept:
			r.Accepted++
		case accessReject:
			r.Rejected++
		default:
			r.Accounted++
		}
		r.Tries = count(r.Tries, q.tries-1, 1)
		r.Goodput = count(r.Goodput, second, 1)
		_ = r.Latency.RecordValue(min(max(1, took.Microseconds()), longest.Microseconds())) // never beyond its range
	})
}

// sweep sends again the requests that have waited for too long, or gives them up.
func (l *line) sweep(now time.Time) {
	if now.Sub(l.swept) < l.Timeout/100 {
		return
	}
	l.swept = now
	for i := range l.under {
		r := &l.under[i]
		switch {
		case r.octets == nil || now.Sub(r.sent) <= l.Timeout:
		case r.tries < l.Tries:
			l.repeat(r, now)
		default:
			l.finish(r, 0)
			l.count(func(r *Report) { r.Lost++ })
		}
	}
}

func (l *line) wrong(what string) { l.count(func(r *Report) { r.Wrong[what]++ }) }

func (l *line) count(what func(*Report)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	what(&l.report)
}
