package radius_test

import "reflect"

// tally is what the proxy must have counted.
type tally struct {
	dropped  map[string]map[string]uint64 // by NAS, "" for an unknown one, and reason
	answered map[string]map[byte]uint64   // by NAS and code
	sent     map[byte]uint64              // to the server, by code
}

func newTally() tally {
	return tally{map[string]map[string]uint64{}, map[string]map[byte]uint64{}, map[byte]uint64{}}
}

func (t tally) drop(nas, why string, times int) {
	if t.dropped[nas] == nil {
		t.dropped[nas] = map[string]uint64{}
	}
	if times > 0 {
		t.dropped[nas][why] += uint64(times)
	}
}

// enter counts what a parcel that is over has led to.
func (t tally) enter(c *parcel) {
	nas, answered := c.line.name, 1
	if c.refused != "" {
		t.drop(nas, c.refused, c.times)
		return
	}
	if c.script == nil {
		answered = c.times // nothing is kept of a Status-Server
	} else {
		t.sent[c.request.Code] += uint64(1 + c.late)
		t.drop(nas, "duplicate", c.times-1)
	}
	if c.fate != "" {
		t.drop(nas, c.fate, 1)
		return
	}
	if t.answered[nas] == nil {
		t.answered[nas] = map[byte]uint64{}
	}
	t.answered[nas][c.answer[0]] += uint64(answered)
}

// counted compares what the proxy has counted with what it must have.
func (d *differential) counted() {
	if d.Failed() {
		return
	}
	var got tally
	same := func() bool {
		got = newTally()
		stats := d.proxy.Stats()
		got.dropped[""], got.sent = stats.Unknown, stats.AAA["tokyo-1"].Sent
		for name, nas := range stats.NAS {
			got.dropped[name], got.answered[name] = nas.Dropped, nas.Answered
		}
		for name := range got.dropped {
			d.want.drop(name, "", 0)
			if len(got.answered[name]) == 0 {
				delete(got.answered, name)
			}
		}
		return reflect.DeepEqual(got, d.want)
	}
	defer func() {
		if d.Failed() {
			d.Logf("seed %d, counted\n%v, want\n%v", d.seed, got, d.want)
		}
	}()
	d.until("all is counted", same)
}
