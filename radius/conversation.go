package radius

import (
	"sync"
	"time"
)

// conversations remembers which server issued a State, so that the next round
// of a challenge goes to the same one: no other knows what it means (RFC 2865
// section 5.24, RFC 3579 section 2.6.1).
type conversations struct {
	mu     sync.Mutex
	issued map[string]issue
	order  []conversation // the oldest first; a State that was issued again stands there again
}

type issue struct {
	by      *target
	expires time.Time
}

type conversation struct {
	state   string
	expires time.Time
}

const (
	// conversationTime is how long a subscriber may take for a round.
	conversationTime = time.Minute
	// maxConversations bounds what a server can make us remember.
	maxConversations = 1 << 16
)

// remember notes that a server issued a State.
func (c *conversations) remember(state []byte, server *target, now time.Time) {
	if len(state) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.issued == nil {
		c.issued = map[string]issue{}
	}
	for len(c.order) >= maxConversations {
		c.forgetFirst()
	}
	expires := now.Add(conversationTime)
	c.issued[string(state)] = issue{server, expires}
	c.order = append(c.order, conversation{string(state), expires})
}

// server returns who issued a State, nil if that is not known.
func (c *conversations) server(state []byte) *target {
	if len(state) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.issued[string(state)].by
}

// expire forgets the conversations whose time is over.
func (c *conversations) expire(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.order) > 0 && now.After(c.order[0].expires) {
		c.forgetFirst()
	}
	if len(c.order) == 0 {
		c.order = nil
	}
}

func (c *conversations) forgetFirst() {
	first := c.order[0]
	if c.issued[first.state].expires.Equal(first.expires) {
		delete(c.issued, first.state)
	}
	c.order = c.order[1:]
}
