package session

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"sekisho/radius"
)

// Feed puts a queue before a Table, so that no packet waits for it, whatever
// else the table is asked. What finds the queue full is dropped and counted:
// the next Interim tells it again.
type Feed struct {
	table   *Table
	log     *slog.Logger
	queue   chan any // *radius.Login, *radius.Record, or a chan to be closed
	dropped atomic.Uint64
}

// queueLength is how many packets may wait for the table: a burst of three
// seconds at 20,000 packets a second.
const queueLength = 1 << 16

// NewFeed makes a queue; Run empties it.
func NewFeed(t *Table, log *slog.Logger) *Feed {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Feed{table: t, log: log, queue: make(chan any, queueLength)}
}

// LoggedIn queues an Accept; see radius.Sessions.
func (f *Feed) LoggedIn(l *radius.Login) { f.put(l) }

// Accounting queues a record; see radius.Sessions.
func (f *Feed) Accounting(r *radius.Record) { f.put(r) }

func (f *Feed) put(v any) {
	select {
	case f.queue <- v:
	default:
		f.dropped.Add(1)
	}
}

// Dropped tells how many packets found the queue full.
func (f *Feed) Dropped() uint64 { return f.dropped.Load() }

// sweepInterval is how often the table is swept.
const sweepInterval = time.Second

// lull is how long the queue is left alone once it was empty. To wake this
// goroutine costs a packet more than to be queued: at most once in this time.
const lull = time.Millisecond

// Run feeds the table, and sweeps it every second, until the context ends;
// what is queued by then is still taken in.
func (f *Feed) Run(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	rested := time.NewTimer(lull)
	defer rested.Stop()
	for {
		select {
		case v := <-f.queue:
			f.take(v)
			f.drain()
			rested.Reset(lull)
			select {
			case <-rested.C:
			case <-ctx.Done():
			}
		case <-tick.C:
			f.survive(f.table.Sweep)
		case <-ctx.Done():
			f.drain()
			return
		}
	}
}

func (f *Feed) drain() {
	for {
		select {
		case v := <-f.queue:
			f.take(v)
		default:
			return
		}
	}
}

func (f *Feed) take(v any) {
	switch v := v.(type) {
	case *radius.Login:
		f.survive(func() { f.table.LoggedIn(v) })
	case *radius.Record:
		f.survive(func() { f.table.Accounting(v) })
	case chan struct{}:
		close(v)
	}
}

// Wait returns when everything that was queued before is in the table, or the
// context ends. Run must be running.
func (f *Feed) Wait(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case f.queue <- done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// survive keeps one record from taking the others' table down.
func (f *Feed) survive(do func()) {
	defer func() {
		if broken := recover(); broken != nil {
			f.log.Error("panic in the session table", "error", fmt.Sprint(broken), "stack", string(debug.Stack()))
		}
	}()
	do()
}
