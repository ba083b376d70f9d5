package radius

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// logInterval is how often the same trouble with the same NAS or server may
// stand in the log. What was held back is counted in the next line.
const logInterval = 10 * time.Second

// limitedLog writes one line for a flood of the same trouble. The keys are
// names from the configuration, so their number is bounded.
type limitedLog struct {
	log *slog.Logger
	now func() time.Time

	mu   sync.Mutex
	last map[troubleKey]*trouble
}

type troubleKey struct {
	who string
	why reason
}

type trouble struct {
	until time.Time
	held  int
}

func newLimitedLog(log *slog.Logger, now func() time.Time) *limitedLog {
	return &limitedLog{log: log, now: now, last: map[troubleKey]*trouble{}}
}

// warn logs unless the same was logged a moment ago. The attributes are built
// only when they are written.
func (l *limitedLog) warn(who string, why reason, attrs func() []any) {
	held, ok := l.admit(troubleKey{who, why})
	if !ok {
		return
	}
	args := []any{"reason", why.String()}
	if attrs != nil {
		args = append(args, attrs()...)
	}
	if held > 0 {
		args = append(args, "not_logged", held)
	}
	l.log.Warn("dropped: "+explanations[why], args...)
}

func (l *limitedLog) admit(k troubleKey) (held int, ok bool) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.last[k]
	if t == nil {
		t = &trouble{}
		l.last[k] = t
	}
	if now.Before(t.until) {
		t.held++
		return 0, false
	}
	held, t.held, t.until = t.held, 0, now.Add(logInterval)
	return held, true
}

// turned logs that a server came into another state. This is rare and never
// held back.
func (l *limitedLog) turned(to *target, state liveness) {
	level := slog.LevelWarn
	if state == alive {
		level = slog.LevelInfo
	}
	l.log.Log(context.Background(), level, "AAA server is "+state.String(), "aaa", to.Name, "address", to.peer.remote.String())
}

// fail logs that a decision could not be made and what happened instead.
func (l *limitedLog) fail(nas, mode string, err error) {
	held, ok := l.admit(troubleKey{nas, dropFailMode})
	if !ok {
		return
	}
	l.log.Error("no decision could be made", "nas", nas, "fail_mode", mode, "error", err, "not_logged", held)
}

// panicked logs a panic with its stack: what sets it off may come as a flood.
func (l *limitedLog) panicked(broken any) {
	if held, ok := l.admit(troubleKey{why: dropPanic}); ok {
		l.log.Error("panic", "error", broken, "stack", string(debug.Stack()), "not_logged", held)
	}
}
