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
	conn   *net.UDPConn
	window int           // of this line
	every  time.Duration // between two requests of this line at a rate; 0: as the window says
	due    time.Time     // when the next request is, at a rate
	end    time.Time
	swept  time.Time // when the lost were last counted
	random *rand.Rand
	room   [4096]byte

	under [identifiers]request // under way, by identifier
	busy  int
	next  byte // identifier to look at first

	mu     sync.Mutex // of the report
	report Report
}

// request is one under way.
type request struct {
	octets []byte // nil: the identifier is free
	user   *User
	from   time.Time // when it was sent or, at a rate, when it was due
	sent   time.Time
}

// dial opens the sockets: those for logins and as many for accounting, which
// share window and rate by the per cent asked for.
func dial(o Options, began time.Time) ([]*line, error) {
	var lines []*line
	for _, part := range []struct {
		code    byte
		to      netip.AddrPort
		percent int
	}{{accessRequest, o.Auth, 100 - o.Accounting}, {accountingRequest, o.Acct, o.Accounting}} {
		for i := range o.Sockets {
			if part.percent == 0 {
				break
			}
			l := newLine(&o, part.code, part.percent, i, began)
			lines = append(lines, l)
			conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(part.to))
			if err != nil {
				closeAll(lines)
				return nil, fmt.Errorf("a socket for %s: %w", part.to, err)
			}
			l.conn = conn
		}
	}
	return lines, nil
}

func newLine(o *Options, code byte, percent, i int, began time.Time) *line {
	l := &line{Options: o, code: code, end: began.Add(o.Duration), random: rand.New(rand.NewPCG(rand.Uint64(), uint64(i)))}
	l.report = Report{Wrong: map[string]uint64{}, Latency: newHistogram()}
	if o.Rate > 0 {
		l.window = identifiers
		l.every = time.Duration(float64(o.Sockets*100) / (o.Rate * float64(percent)) * float64(time.Second))
		l.due = began.Add(l.every * time.Duration(i) / time.Duration(o.Sockets)) // one socket after the other
		return l
	}
	whole := max(1, o.Window*percent/100)
	l.window = (whole + i) / o.Sockets // together the whole window
	return l
}

func closeAll(lines []*line) {
	for _, l := range lines {
		if l.conn != nil {
			l.conn.Close()
		}
	}
}

// run sends what is due and takes in what comes until the time is over and
// nothing is waited for any more.
func (l *line) run(ctx context.Context) {
	defer l.conn.Close()
	for first := true; ; first = false {
		now := time.Now()
		sending := (first || now.Before(l.end)) && ctx.Err() == nil // also where the machine had no time for it
		if sending {
			l.sendDue(now)
		}
		if !sending && l.busy == 0 {
			return
		}
		l.receive(now)
		l.sweep(time.Now())
	}
}

// sendDue sends until the window is full or, at a rate, nothing more is due.
func (l *line) sendDue(now time.Time) {
	if l.every == 0 {
		for l.busy < l.window {
			l.send(now, now)
		}
		return
	}
	for ; !now.Before(l.due); l.due = l.due.Add(l.every) {
		if l.busy == identifiers {
			l.count(func(r *Report) { r.Held++ })
			continue
		}
		l.send(now, l.due) // a generator that comes late must not make the server look quick
	}
}

func (l *line) send(now, from time.Time) {
	for l.under[l.next].octets != nil {
		l.next++
	}
	r := &l.under[l.next]
	*r = request{user: &l.Users[l.random.IntN(len(l.Users))], from: from, sent: now}
	r.octets = l.compose(l.next, r.user)
	l.next++
	l.busy++
	l.count(func(r *Report) { r.Sent++ })
	_, _ = l.conn.Write(r.octets) // what the kernel refuses is lost like any datagram
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
	if r.octets == nil {
		l.wrong("an answer to no request")
		return
	}
	code, wrong := l.verify(r, octets)
	if wrong != wrongAuthenticator && wrong != wrongFraming { // a forged one leaves the right one to wait for
		r.octets = nil
		l.busy--
	}
	if wrong != "" {
		l.wrong(wrong)
		return
	}
	took := now.Sub(r.from)
	l.count(func(r *Report) {
		switch code {
		case accessAccept:
			r.Accepted++
		case accessReject:
			r.Rejected++
		default:
			r.Accounted++
		}
		_ = r.Latency.RecordValue(max(1, took.Microseconds())) // a minute is longer than any time-out
	})
}

// sweep gives up the requests that have waited for too long.
func (l *line) sweep(now time.Time) {
	if now.Sub(l.swept) < l.Timeout/100 {
		return
	}
	l.swept = now
	for i := range l.under {
		if r := &l.under[i]; r.octets != nil && now.Sub(r.sent) > l.Timeout {
			r.octets = nil
			l.busy--
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
