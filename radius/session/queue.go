package session

import (
	"sync"

	"sekisho/radius"
)

// queue is packets that wait for the table, in pages that are used again. To
// put one in is to write what is kept of it to the end of a page.
type queue struct {
	filled chan struct{} // has a value when there is something that there was not

	mu    sync.Mutex
	pages []*page
	spare []*page
	waits []chan struct{} // to be closed when what is queued is taken in
}

// page is some packets, one after the other.
type page struct {
	octets  []byte
	packets []queued
}

// queued is a packet whose octets end there in the page.
type queued struct {
	lens   *radius.Lens
	end    uint32
	accept bool
}

const (
	// pageOctets is the room of a page: some hundred packets.
	pageOctets = 1 << 16
	// maxPages is how much may wait for the table: a burst of three seconds at
	// 20,000 packets a second, of half a kilobyte each.
	maxPages = 512
	// sparePages are kept when a burst is over.
	sparePages = 4
)

func newQueue() queue { return queue{filled: make(chan struct{}, 1)} }

// put writes a packet into the queue; false when there is no room.
func (q *queue) put(g *radius.Glimpse, accept bool) bool {
	kept, first := q.write(g, accept)
	if first {
		q.signal()
	}
	return kept
}

// write is put without waking anybody; first is what somebody is to be woken
// for. A panic over one packet must not leave the others waiting for the lock.
func (q *queue) write(g *radius.Glimpse, accept bool) (kept, first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := q.page()
	if p == nil {
		return false, false
	}
	p.octets = g.Keep(p.octets)
	p.packets = append(p.packets, queued{g.Lens(), uint32(len(p.octets)), accept})
	return true, len(q.pages) == 1 && len(p.packets) == 1
}

// page is one with room for any packet; nil: there are too many.
func (q *queue) page() *page {
	if n := len(q.pages); n > 0 && len(q.pages[n-1].octets) <= pageOctets-radius.MaxKept {
		return q.pages[n-1]
	}
	if len(q.pages) == maxPages {
		return nil
	}
	p := q.fresh()
	q.pages = append(q.pages, p)
	return p
}

func (q *queue) fresh() *page {
	last := len(q.spare) - 1
	if last < 0 {
		return &page{octets: make([]byte, 0, pageOctets)}
	}
	p := q.spare[last]
	q.spare = q.spare[:last]
	return p
}

func (q *queue) signal() {
	select {
	case q.filled <- struct{}{}:
	default:
	}
}

// wait returns what will be closed when everything that is queued is taken in.
func (q *queue) wait() <-chan struct{} {
	done := make(chan struct{})
	q.mu.Lock()
	q.waits = append(q.waits, done)
	q.mu.Unlock()
	q.signal()
	return done
}

// take empties the queue. The pages are to be given back.
func (q *queue) take() ([]*page, []chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	pages, waits := q.pages, q.waits
	q.pages, q.waits = nil, nil
	return pages, waits
}

// giveBack keeps some pages for what will come.
func (q *queue) giveBack(pages []*page) {
	for _, p := range pages[:min(len(pages), sparePages)] {
		clear(p.packets) // configurations that are over hang on them
		p.octets, p.packets = p.octets[:0], p.packets[:0]
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spare = append(q.spare, pages[:min(len(pages), sparePages-len(q.spare))]...)
}
