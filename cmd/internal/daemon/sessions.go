package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/radius/session"
	"sekisho/store"
)

// sessions is the table of live sessions with what feeds and writes it.
type sessions struct {
	*session.Table
	feed   *session.Feed
	writer *session.Writer
	store  *store.Store
	log    *slog.Logger
	end    []func() // in order; each returns when its goroutine has

	restored chan struct{} // closed when the sessions of the last run are back
	running  sync.Once
}

// startSessions feeds a table and keeps it written from now on. The sessions
// that were live when the daemon ended come back behind that: a million take
// seconds, and no packet waits for them; see restore.
func startSessions(c config.Sessions, s *store.Store, clock func() time.Time, log *slog.Logger) *sessions {
	c.Clock = clock
	t := session.NewTable(c.Options)
	live := &sessions{
		Table: t, feed: session.NewFeed(t, log), writer: session.NewWriter(t, s, s, c.History, log),
		store: s, log: log, restored: make(chan struct{}),
	}
	announced, err := s.AnnouncedSessions()
	if err != nil {
		log.Error("what a router was told last may not be what it does, of a session that cannot be read", "error", err)
	}
	t.Interrupted(announced)
	t.Restoring(s)
	live.run(live.feed.Run)
	live.run(live.writer.Run)
	live.run(live.restore)
	return live
}

// restore brings the sessions of the last run back.
func (s *sessions) restore(ctx context.Context) {
	began := time.Now()
	total, err := s.store.CountSessions()
	if err != nil {
		s.log.Error("the sessions of the last run cannot be counted", "error", err)
	}
	s.Expect(total)
	for rows := range readSessions(ctx, s.store, s.log) {
		for _, row := range rows {
			s.Restore(row)
		}
	}
	if ctx.Err() != nil {
		return
	}
	s.Restored()
	close(s.restored)
	if total > 0 {
		s.log.Info("sessions restored", "sessions", s.Len(), "took", time.Since(began))
	}
}

// readSessions reads ahead of whoever takes the sessions over.
func readSessions(ctx context.Context, s *store.Store, log *slog.Logger) <-chan []store.Session {
	const together = 1000
	read := make(chan []store.Session, 8)
	go func() {
		defer close(read)
		rows := make([]store.Session, 0, together)
		for row, err := range s.AllSessions() {
			if err != nil {
				log.Error("a session is lost until its next Interim-Update", "error", err)
				continue
			}
			if rows = append(rows, row); len(rows) < together {
				continue
			}
			if ctx.Err() != nil {
				return
			}
			read <- rows
			rows = make([]store.Session, 0, together)
		}
		read <- rows
	}()
	return read
}

func (s *sessions) run(do func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(ctx)
	}()
	s.end = append(s.end, func() {
		cancel()
		<-done
	})
}

// table is nil of a daemon that only documents itself.
func (d *Daemon) table() *session.Table {
	if d.live == nil {
		return nil
	}
	return d.live.Table
}

// close takes in what is queued and writes it.
func (s *sessions) close() {
	s.running.Do(func() {
		for _, end := range s.end {
			end()
		}
	})
}

// status is how the table is.
func (s *sessions) status() admin.Live {
	l := admin.Live{Live: s.Len(), Unsaved: s.Unsaved(), Refused: s.writer.Refusal()}
	l.Back, l.Expected = s.Progress()
	l.Restoring = s.whole() != nil
	if age, sessions := s.writer.Delay(); session.SlowDisk(age) {
		l.Slow, l.Announcing = age.Seconds(), sessions
	}
	return l
}

// stats are the numbers of table and writer.
func (s *sessions) stats() session.Stats {
	all := s.Stats()
	all.Delay, _ = s.writer.Delay()
	return all
}

// whole is nil when the sessions of the last run are back, and a *admin.Problem
// before: what is asked of all sessions cannot be answered.
func (s *sessions) whole() error {
	select {
	case <-s.restored:
		return nil
	default:
	}
	back, total := s.Progress()
	return &admin.Problem{Status: http.StatusServiceUnavailable, Detail: fmt.Sprintf("the sessions of the last run are coming back, %d of %d by now: ask again in a moment", back, total)}
}
