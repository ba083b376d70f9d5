package radius

import (
	"sync/atomic"
	"time"
)

// moment is an instant that goroutines share without a lock; zero is never. It
// is kept as the distance from an instant with a monotonic reading, so that a
// step of the wall clock moves nothing.
type moment struct{ distance atomic.Int64 }

var epoch = time.Now()

func (m *moment) set(t time.Time) {
	if distance := int64(t.Sub(epoch)); distance != 0 {
		m.distance.Store(distance)
		return
	}
	m.distance.Store(1) // not never
}

// clear makes it never.
func (m *moment) clear() { m.distance.Store(0) }

// time returns the instant, the zero time for never.
func (m *moment) time() time.Time {
	distance := m.distance.Load()
	if distance == 0 {
		return time.Time{}
	}
	return epoch.Add(time.Duration(distance))
}
