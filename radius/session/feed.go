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
	queue   queue
	record  radius.Record // room for what is read; the goroutine's that runs
	dropped atomic.Uint64
}

// NewFeed makes a queue; Run empties it.
func NewFeed(t *Table, log *slog.Logger) *Feed {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Feed{table: t, log: log, queue: newQueue()}
}

// LoggedIn queues an Accept; see radius.Sessions.
func (f *Feed) LoggedIn(g radius.Glimpse) { f.put(&g, true) }

// Accounting queues a record; see radius.Sessions.
func (f *Feed) Accounting(g radius.Glimpse) { f.put(&g, false) }

func (f *Feed) put(g *radius.Glimpse, accept bool) {
	if !f.queue.put(g, accept) {
		f.dropped.Add(1)
	}
}

// Dropped tells how many packets found the queue full.
func (f *Feed) Dropped() uint64 { return f.dropped.Load() }

// sweepInterval is how often the table is swept.
const sweepInterval = time.Second

// lull is how long the queue is left alone once it was empty. To wake this
// goroutine costs a packet more than to be queued: at most once in this time.
const lull = 10 * time.Millisecond

// Run feeds the table, and sweeps it every second, until the context ends;
// what is queued by then is still taken in.
func (f *Feed) Run(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	rested := time.NewTimer(lull)
	defer rested.Stop()
	for {
		select {
		case <-f.queue.filled:
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

// drain takes in what is queued, and what comes meanwhile.
func (f *Feed) drain() {
	for {
		pages, waits := f.queue.take()
		if len(pages) == 0 && len(waits) == 0 {
			return
		}
		for _, p := range pages {
			f.takeIn(p)
		}
		for _, done := range waits {
			close(done)
		}
		f.queue.giveBack(pages)
	}
}

func (f *Feed) takeIn(p *page) {
	begin := uint32(0)
	for i := range p.packets {
		of := &p.packets[i]
		kept := p.octets[begin:of.end]
		begin = of.end
		f.survive(func() {
			if of.accept {
				f.table.LoggedIn(of.lens, kept)
				return
			}
			of.lens.Record(kept, &f.record)
			f.table.Accounting(&f.record)
		})
	}
}

// Wait returns when everything that was queued before is in the table, or the
// context ends. Run must be running.
func (f *Feed) Wait(ctx context.Context) error {
	done := f.queue.wait()
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
