package radius_test

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"

	"sekisho/radius/radiustest"
)

// parcel is one random request and what becomes of it.
type parcel struct {
	*differential
	line     *line
	serial   uint32
	datagram []byte
	request  *radiustest.Packet // as it must be understood
	refused  string             // why it must not be sent on; "": it must
	script   *script
	fate     string // why it must not be answered; "": it must
	times    int    // that it is sent
	late     int    // how many of them more than a second after the first

	mu       sync.Mutex
	visits   int                // of the server
	upstream []byte             // what it got
	reply    *radiustest.Packet // the one that counts
	answer   []byte             // what the NAS got first
	arrivals int
}

// parcel makes the next request of a line. What is spoilt still means the same
// request, if any: another could supersede yet another.
func (d *differential) parcel(l *line) *parcel {
	d.serial++
	dice, mark, code := newDice(d.seed, uint64(d.serial)), d.ownState(), l.code()
	if dice.odds(3) {
		code = radiustest.StatusServer
	}
	c := &parcel{differential: d, line: l, serial: d.serial, times: 1}
	c.datagram = dice.request(code, l.identifier(), c.serial, l.secret, mark)
	if dice.odds(30) {
		c.datagram = dice.spoiltButNot(c.datagram)
	}
	c.refused = "unknown-nas"
	if l.reference != nil {
		c.request, c.refused = l.takes(c.datagram, l.acct, mark)
	}
	if c.refused == "" && c.request.Code != radiustest.StatusServer {
		c.script = dice.script(c.request.Code)
		c.fate = c.foresee()
	}
	if c.fate == "" && dice.odds(25) {
		c.times += 1 + dice.IntN(3)
	}
	return c
}

// spoiltButNot breaks a datagram so that it does not mean another request.
func (d dice) spoiltButNot(right []byte) []byte {
	meant := mustDecode(right)
	for {
		b := d.spoilt(right)
		p, _, why := framed(b)
		if why != "" || p.ID == meant.ID && serialOf(p) == serialOf(meant) && p.Value(radiustest.UserName) == meant.Value(radiustest.UserName) {
			return b
		}
	}
}

func mustDecode(octets []byte) *radiustest.Packet {
	p, err := radiustest.Decode(octets)
	if err != nil {
		panic(err) // the test has made it
	}
	return p
}

// serialOf is the number of the parcel that a packet belongs to, 0 if none.
func serialOf(p *radiustest.Packet) uint32 {
	n, _ := strconv.ParseUint(p.Value(radiustest.AcctSessionID), 16, 32)
	return uint32(n)
}

// foresee says why a request is not answered, from an answer to it as it could
// be: that says nothing of what the server will get.
func (c *parcel) foresee() string {
	if c.script.never {
		return "timeout"
	}
	upstream := &radiustest.Packet{Code: c.request.Code}
	r := &radiustest.Request{Packet: upstream, Secret: c.line.serverSecret}
	right := r.Sign(c.script.reply(upstream, c.line.serverSecret))
	reply, ok := c.line.believes(right, upstream.Encode())
	if !ok {
		return "timeout"
	}
	return c.line.answer(c.request, upstream.Encode(), reply, nil).why
}

// arrive is the request at the server: it must be what the reference says, and
// there as often as it may. It returns what the server sends.
func (c *parcel) arrive(octets []byte) [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.visits++; c.refused != "" || c.visits > 1+c.late {
		c.differs("the server got for the %d. time what must not come (%q): %x", c.visits, c.refused, octets)
		return nil
	}
	if c.upstream == nil {
		c.arriveFirst(octets)
	} else if !bytes.Equal(octets, c.upstream) {
		c.differs("the server got another retransmission:\n%x, before\n%x", octets, c.upstream)
	}
	sent := c.script.datagrams(mustDecode(octets), c.line.serverSecret)
	for _, b := range sent {
		if reply, ok := c.line.believes(b, octets); ok {
			c.reply = reply
			break
		}
	}
	if c.fate != "" {
		c.over <- c
	}
	return sent
}

func (c *parcel) arriveFirst(octets []byte) {
	c.upstream = bytes.Clone(octets)
	c.compare("request at the server", octets, c.line.request(c.request, octets))
	if !c.line.reference.server.NoProxyState && !bytes.Equal(c.marked(octets), octets[len(octets)-8:]) {
		c.differs("the Proxy-State is not that of other packets: %x", octets)
	}
	if c.known[[16]byte(octets[4:20])] {
		c.differs("a Request Authenticator for the second time: %x", octets)
	}
	c.known[[16]byte(octets[4:20])] = true
	if c.request.Code == radiustest.AccessRequest && bytes.Equal(octets[4:20], c.datagram[4:20]) {
		c.differs("the Request Authenticator is the NAS's")
	}
}

// back is an answer at the NAS. Those to retransmissions must be the same
// octets.
func (c *parcel) back(octets []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answer != nil && !bytes.Equal(octets, c.answer) {
		c.differs("another answer to a retransmission:\n%x, before\n%x", octets, c.answer)
	}
	if c.answer == nil {
		c.compare("answer", octets, c.due(octets))
		c.answer = bytes.Clone(octets)
	}
	c.arrivals++
	c.over <- c
}

// due is the answer that the NAS must get.
func (c *parcel) due(got []byte) said {
	switch {
	case c.refused != "":
		return said{why: c.refused}
	case c.request.Code == radiustest.StatusServer:
		return c.line.status(c.request, c.line.acct)
	case c.reply == nil:
		return said{why: "no answer of the server's"}
	}
	return c.line.answer(c.request, c.upstream, c.reply, got)
}

func (c *parcel) compare(what string, got []byte, want said) {
	switch {
	case want.why != "":
		c.differs("%s:\n%x, want none: %s", what, got, want.why)
	case !bytes.Equal(got, want.octets):
		c.differs("%s:\n%x, want\n%x", what, got, want.octets)
	case !saltsAreRight(want.salts):
		c.differs("%s: salts %x in\n%x", what, want.salts, got)
	}
}

// isMissing tells of one that was waited for in vain.
func (c *parcel) isMissing() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.differs("did not end as it must (%q): the server got %x %d times, the NAS %d answers", c.fate, c.upstream, c.visits, c.arrivals)
}

// differs tells of a difference, the first few in full.
func (c *parcel) differs(format string, args ...any) {
	if c.differences.Add(1) > 3 {
		c.Fail()
		return
	}
	c.Errorf("seed %d, packet %d, %s\nrequest %x\n%s", c.seed, c.serial, c.line, c.datagram, fmt.Sprintf(format, args...))
}

// longest is the length of no datagram that is shorter than one of those that
// the request leads to.
func (c *parcel) longest() int {
	length := len(c.datagram) + 46
	if c.script != nil {
		for _, a := range c.script.attributes {
			length += 2 + len(a.Value)
		}
	}
	return min(length, 4096)
}

// weight is what the datagrams that it leads to take of a buffer together, if
// they all met in one.
func (c *parcel) weight() int {
	count := c.times
	if c.script != nil {
		count += c.script.before + c.script.after
	}
	return count * weight(c.longest())
}

// isOver reports whether nothing more has to come of it: it got as far as it
// may.
func (c *parcel) isOver() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused != "" || c.fate != "" && c.visits > c.late || c.arrivals > 0
}

// isRepeatable reports whether it has an answer that is kept.
func (c *parcel) isRepeatable() bool { return c.script != nil && c.fate == "" }
