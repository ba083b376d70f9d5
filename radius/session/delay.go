package session

import (
	"log/slog"
	"sync"
	"time"
)

// How long the disk may take for an announcement before that is logged, and
// after how long it is logged again.
const (
	slowDisk  = 5 * time.Second
	slowAgain = time.Minute
)

// delays are the announcements that the disk has not taken yet. Nobody is told
// before it has, however long it hangs: who looks for the reason finds it here.
type delays struct {
	log *slog.Logger

	mu    sync.Mutex
	under []*delay // the oldest first
	timer *time.Timer
	said  bool // of those that are under way it is logged
}

type delay struct {
	since    time.Time
	sessions int
}

// begin notes an announcement of so many sessions; what it returns ends it.
func (d *delays) begin(sessions int) (end func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one := &delay{time.Now(), sessions}
	if d.under = append(d.under, one); len(d.under) == 1 {
		d.timer = time.AfterFunc(slowDisk, d.complain)
	}
	return func() { d.end(one) }
}

func (d *delays) end(one *delay) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, other := range d.under {
		if other == one {
			d.under = append(d.under[:i], d.under[i+1:]...)
			break
		}
	}
	if len(d.under) > 0 {
		return
	}
	d.timer.Stop()
	if d.said {
		d.said = false
		d.log.Info("routers are told again: the disk has taken it", "waited", time.Since(one.since).Round(time.Second))
	}
}

// complain logs that the disk is slow, if it is, and comes again.
func (d *delays) complain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	age, sessions := d.oldest()
	switch {
	case sessions == 0:
	case age < slowDisk: // others have ended meanwhile
		d.timer.Reset(slowDisk - age)
	default:
		d.said = true
		d.log.Error("routers are told nothing: the disk has not taken yet whom they are about to be told of", "waiting", age.Round(time.Second), "sessions", sessions)
		d.timer.Reset(slowAgain)
	}
}

// oldest is for how long the disk has not taken an announcement, and how many
// sessions wait.
func (d *delays) oldest() (age time.Duration, sessions int) {
	for _, one := range d.under {
		sessions += one.sessions
	}
	if len(d.under) > 0 {
		age = time.Since(d.under[0].since)
	}
	return age, sessions
}

// Delay is for how long the disk has not taken what routers are about to be
// told, and of how many sessions that is; 0 when nothing waits. More may wait
// behind them.
func (w *Writer) Delay() (age time.Duration, sessions int) {
	w.delays.mu.Lock()
	defer w.delays.mu.Unlock()
	return w.delays.oldest()
}

// SlowDisk reports whether a delay is more than a disk needs.
func SlowDisk(age time.Duration) bool { return age >= slowDisk }
