package session

import "time"

// asks orders the sessions by when the engine is to be asked about them: a
// binary heap, each entry knowing its place in it.
type asks struct{ heap []*entry }

// atOnce is before every time that the clock may tell, wherever it is set to.
const atOnce = 1

// set puts an entry where its time belongs; 0 takes it out.
func (a *asks) set(e *entry, at int64) {
	e.ask = at
	switch {
	case at == 0 && e.inAsks < 0:
	case at == 0:
		a.take(int(e.inAsks))
	case e.inAsks < 0:
		e.inAsks = int32(len(a.heap))
		a.heap = append(a.heap, e)
		a.up(int(e.inAsks))
	default:
		a.down(a.up(int(e.inAsks)))
	}
}

func (a *asks) take(i int) {
	e, last := a.heap[i], len(a.heap)-1
	a.swap(i, last)
	a.heap[last] = nil
	a.heap = a.heap[:last]
	if i < last {
		a.down(a.up(i))
	}
	e.inAsks = -1
}

func (a *asks) up(i int) int {
	for i > 0 {
		parent := (i - 1) / 2
		if a.heap[parent].ask <= a.heap[i].ask {
			break
		}
		a.swap(i, parent)
		i = parent
	}
	return i
}

func (a *asks) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(a.heap); child++ {
			if a.heap[child].ask < a.heap[least].ask {
				least = child
			}
		}
		if least == i {
			return
		}
		a.swap(i, least)
		i = least
	}
}

func (a *asks) swap(i, j int) {
	a.heap[i], a.heap[j] = a.heap[j], a.heap[i]
	a.heap[i].inAsks, a.heap[j].inAsks = int32(i), int32(j)
}

// DueBatch is the most that one call of Due returns.
const DueBatch = 1000

// askAgain is when a session that Due has returned is due once more, should
// nobody have called Decided.
const askAgain = int64(time.Minute)

// Due returns the sessions about which the engine is to be asked: new ones, and
// those whose Until has passed. At most DueBatch of them: while a call returns
// as many there are more. Decided is the answer.
func (t *Table) Due(now time.Time) []ID {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ids []ID
	if t.restoring != nil {
		return nil // what a session is to be told may hang on others
	}
	for at := now.UnixNano(); len(t.asks.heap) > 0 && len(ids) < DueBatch; {
		e := t.asks.heap[0]
		if e.ask > at {
			break
		}
		ids = append(ids, e.id())
		t.asks.set(e, at+askAgain)
	}
	return ids
}

// NextDue is when Due will have something to return; zero for not as things
// are. What is already due has a time that has passed.
func (t *Table) NextDue() time.Time {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if len(t.asks.heap) == 0 {
		return time.Time{}
	}
	return instant(t.asks.heap[0].ask)
}
