package daemon

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"sekisho/cmd/internal/config"
	"sekisho/radius/session"
	"sekisho/store"
)

// sessions is the table of live sessions with what feeds and writes it.
type sessions struct {
	*session.Table
	feed    *session.Feed
	writer  *session.Writer
	end     []func() // in order; each returns when its goroutine has
	running sync.Once
}

// startSessions brings back the sessions that were live when the daemon ended,
// and keeps the table fed and written from then on.
func startSessions(c config.Sessions, s *store.Store, clock func() time.Time, log *slog.Logger) *sessions {
	c.Clock = clock
	t := session.NewTable(c.Options)
	live := &sessions{Table: t, feed: session.NewFeed(t, log), writer: session.NewWriter(t, s, s, c.History, log)}
	began := time.Now()
	announced, err := s.AnnouncedSessions()
	if err != nil {
		log.Error("what a router was told last may not be what it does, of a session that cannot be read", "error", err)
	}
	t.Interrupted(announced)
	for rows := range readSessions(s, log) {
		for _, row := range rows {
			t.Restore(row)
		}
	}
	t.Restored()
	if n := t.Len(); n > 0 {
		log.Info("sessions restored", "sessions", n, "doubtful", len(announced), "took", time.Since(began))
	}
	live.run(live.feed.Run)
	live.run(live.writer.Run)
	return live
}

// readSessions reads ahead of whoever takes the sessions over.
func readSessions(s *store.Store, log *slog.Logger) <-chan []store.Session {
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
			if rows = append(rows, row); len(rows) == together {
				read <- rows
				rows = make([]store.Session, 0, together)
			}
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
