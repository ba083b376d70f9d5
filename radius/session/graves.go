package session

import "time"

// stone is what is left of a session that is over: when that was, by our clock
// and, where it tells, by that of the NAS; and when it had begun by the latter.
type stone struct {
	stamp        int64 // ns
	event, began int64 // s; 0: not known
}

// graves remember for a while which sessions are over, so that a record that
// was overtaken by their Stop does not bring them back.
type graves struct {
	stones map[ID]stone
	order  []grave // the oldest first
}

type grave struct {
	id     ID
	stone  stone
	buried int64
}

const (
	// graveTime is how late a record may come. One that comes later brings its
	// session back, until it has missed its Interims.
	graveTime = int64(5 * time.Minute)
	// maxGraves bounds what a NAS that closes many sessions makes us remember.
	maxGraves = 1 << 18
)

func (g *graves) bury(id ID, s stone) {
	if len(g.order) >= maxGraves {
		g.forgetFirst()
	}
	g.stones[id] = s
	g.order = append(g.order, grave{id, s, s.stamp})
}

func (g *graves) forgetFirst() {
	first := g.order[0]
	if g.stones[first.id] == first.stone {
		delete(g.stones, first.id)
	}
	g.order[0] = grave{}
	g.order = g.order[1:]
}

// expire forgets those that are old enough at the instant now, and those of a
// time to come: the clock was set back.
func (g *graves) expire(now int64) {
	for len(g.order) > 0 && (now-g.order[0].buried > graveTime || g.order[0].buried > now+blur) {
		g.forgetFirst()
	}
	if len(g.order) == 0 {
		g.order = nil // give a burst's memory back
	}
}
