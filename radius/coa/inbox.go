package coa

import "sync"

// inbox is where work for the keeper is put down. Nobody waits at it.
type inbox struct {
	wake chan struct{}

	mu     sync.Mutex
	mail   mail
	closed bool
}

// mail is what came since the keeper last looked.
type mail struct {
	accounts map[string]struct{}
	results  []result
	calls    []func()
}

// result is the end of a request.
type result struct {
	lane  *lane
	job   *job
	reply Reply
}

func (b *inbox) put(change func(*mail)) {
	b.mu.Lock()
	change(&b.mail)
	b.mu.Unlock()
	b.nudge()
}

// nudge wakes the keeper.
func (b *inbox) nudge() {
	select {
	case b.wake <- struct{}{}:
	default: // it is awake
	}
}

func (b *inbox) take() mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.mail
	b.mail = mail{}
	return m
}

// result is called by those who send requests.
func (b *inbox) result(r result) { b.put(func(m *mail) { m.results = append(m.results, r) }) }

// call has the keeper's goroutine do something.
func (b *inbox) call(f func()) { b.put(func(m *mail) { m.calls = append(m.calls, f) }) }

func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.nudge()
}

func (b *inbox) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

// AccountsChanged says that overrides or contracts of these accounts are not
// what they were. It never blocks.
func (k *Keeper) AccountsChanged(folded []string) {
	k.inbox.put(func(m *mail) {
		if m.accounts == nil {
			m.accounts = map[string]struct{}{}
		}
		for _, account := range folded {
			m.accounts[account] = struct{}{}
		}
	})
}

// do has the keeper's goroutine do something and waits for it; false when the
// keeper was closed before.
func (k *Keeper) do(f func()) bool {
	done := make(chan struct{})
	k.inbox.call(func() {
		defer close(done)
		f()
	})
	select {
	case <-done:
		return true
	case <-k.done:
		return false
	}
}
