package radius_test

import (
	"slices"
	"time"

	"sekisho/radius/radiustest"
)

// burst sends so many packets at once, some several times, or fewer where the
// sockets' buffers have not the room, and waits until all is over. Then some of
// those that were answered are sent again.
func (d *differential) burst(most int) (count int) {
	dice := newDice(d.seed, 1<<40+uint64(d.serial))
	all, sent := d.pick(dice, most)
	d.enter(all)
	d.held.Store(int32(goingOn(all) * dice.IntN(5) / 4))
	for _, c := range sent {
		c.line.send(c)
	}
	d.wait(all, (*parcel).isOver)
	d.quieten()
	d.repeat(dice, append(d.answered, all...))
	silent := slices.DeleteFunc(slices.Clone(all), func(c *parcel) bool { return c.script == nil || !c.script.never })
	for _, c := range all {
		if !slices.Contains(silent, c) {
			d.want.enter(c)
		}
	}
	d.answered = append(d.answered, slices.DeleteFunc(slices.Clone(all), func(c *parcel) bool { return !c.isRepeatable() })...)
	d.answered = d.answered[max(0, len(d.answered)-remembered):]
	d.askAgain(dice, silent)
	for _, c := range silent {
		d.want.enter(c)
	}
	d.timeOut(all)
	d.leave(all)
	return len(all)
}

// pick makes the packets of a burst, and the list of what is sent.
func (d *differential) pick(dice dice, most int) (all, sent []*parcel) {
	lines := d.lines
	if dice.odds(50) { // so many from one port that their answers leave in bundles
		lines = []*line{lines[dice.IntN(len(lines))], lines[dice.IntN(len(lines))], lines[dice.IntN(len(lines))]}
		most = min(most, 200) // identifiers
	}
	for room := d.budget; len(all) < most && (room > 0 || len(all) == 0); {
		c := d.parcel(lines[dice.IntN(len(lines))])
		if most == 1 {
			c.times = 1
		}
		room -= c.weight()
		all = append(all, c)
		sent = append(sent, slices.Repeat([]*parcel{c}, c.times)...)
	}
	dice.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
	return all, sent
}

// goingOn counts the requests that the server gets.
func goingOn(all []*parcel) (n int) {
	for _, c := range all {
		if c.script != nil {
			n++
		}
	}
	return n
}

func (d *differential) enter(all []*parcel) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range all {
		d.parcels[c.serial] = c
	}
}

func (d *differential) leave(all []*parcel) {
	for len(d.over) > 0 {
		<-d.over // further answers to retransmissions
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range all {
		delete(d.parcels, c.serial)
	}
}

// ownState is the proxy's own Proxy-State, nil before the first was seen.
func (d *differential) ownState() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mark
}

// marked is the Proxy-State of the first request that the server got. The
// server's goroutine holds the lock.
func (d *differential) marked(octets []byte) []byte {
	if d.mark == nil {
		d.mark = slices.Clone(octets[len(octets)-8:])
	}
	return d.mark
}

// wait waits until that is so of all.
func (d *differential) wait(all []*parcel, so func(*parcel) bool) {
	d.Helper()
	missing := map[*parcel]bool{}
	for _, c := range all {
		if !so(c) {
			missing[c] = true
		}
	}
	for len(missing) > 0 && !d.Failed() {
		select {
		case c := <-d.over:
			if missing[c] && so(c) {
				delete(missing, c)
			}
		case <-time.After(patience): // nothing comes any more
			for c := range missing {
				c.isMissing()
			}
		}
	}
	if d.Failed() {
		d.FailNow()
	}
}

// quieten waits until the listeners have worked off what was sent to them: they
// take what arrives in turn.
func (d *differential) quieten() {
	d.Helper()
	var all []*parcel
	for _, l := range []*line{d.lines[0], d.lines[3]} {
		all = append(all, d.ping(l))
	}
	for _, c := range all {
		c.line.send(c)
	}
	d.wait(all, (*parcel).isOver)
	for _, c := range all {
		d.want.enter(c)
	}
}

// ping is a Status-Server that is answered.
func (d *differential) ping(l *line) *parcel {
	d.serial++
	p := &radiustest.Packet{Code: radiustest.StatusServer, ID: l.identifier(), Attributes: []radiustest.Attribute{radiustest.MA()}}
	copy(p.Authenticator[:], newDice(d.seed, uint64(d.serial)).octets(16))
	octets := p.Encode()
	radiustest.SignMA(octets, p.Authenticator[:], l.secret)
	return &parcel{differential: d, line: l, serial: d.serial, datagram: octets, request: mustDecode(octets), times: 1}
}

// repeat sends some of what was answered again, which is answered from the
// cache.
func (d *differential) repeat(dice dice, all []*parcel) {
	d.Helper()
	before := map[*parcel]int{}
	for _, c := range all {
		if c.isRepeatable() && c.line.last(c) && dice.odds(25) {
			c.mu.Lock()
			before[c] = c.arrivals
			c.mu.Unlock()
			c.times++
			if slices.Contains(d.answered, c) { // it is counted already
				d.want.drop(c.line.name, "duplicate", 1)
			}
		}
	}
	again := slices.DeleteFunc(slices.Clone(all), func(c *parcel) bool { _, ok := before[c]; return !ok })
	for _, c := range again {
		c.line.again(c)
	}
	d.wait(again, func(c *parcel) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.arrivals > before[c]
	})
}

// askAgain sends some of what the server kept silent to again, a second later:
// it gets the same octets, and answers.
func (d *differential) askAgain(dice dice, silent []*parcel) {
	d.Helper()
	again := slices.DeleteFunc(slices.Clone(silent), func(*parcel) bool { return dice.odds(30) })
	if len(again) == 0 {
		return
	}
	for _, c := range again {
		c.mu.Lock()
		c.script.never = false
		c.fate = c.foresee()
		c.times, c.late = c.times+1, 1
		c.mu.Unlock()
	}
	d.pass(time.Second)
	for _, c := range again {
		c.line.again(c)
	}
	d.wait(again, (*parcel).isOver)
}

// timeOut ends those requests that got no right answer.
func (d *differential) timeOut(all []*parcel) {
	d.Helper()
	waiting := int64(0)
	for _, c := range all {
		if c.fate == "timeout" {
			waiting++
		}
	}
	if waiting == 0 {
		return
	}
	d.until("only those without a right answer are under way", func() bool { return d.underWay() == waiting })
	d.pass(31 * time.Second)
	d.until("they are given up", func() bool { d.proxy.Sweep(); return d.underWay() == 0 })
}

// pass moves the clock once every decision is made: none takes time.
func (d *differential) pass(t time.Duration) {
	d.Helper()
	refusals := func(dropped map[string]uint64) uint64 {
		return dropped["hidden"] + dropped["too-big"] + dropped["code"]
	}
	d.until("what cannot be answered is dropped", func() bool {
		for name, nas := range d.proxy.Stats().NAS {
			if refusals(nas.Dropped) < refusals(d.want.dropped[name]) {
				return false
			}
		}
		return true
	})
	d.timer.advance(t)
	d.answered = nil // they may be forgotten
}

func (d *differential) underWay() (n int64) {
	for _, nas := range d.proxy.Stats().NAS {
		n += nas.Outstanding
	}
	return n
}
