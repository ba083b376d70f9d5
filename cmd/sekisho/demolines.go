package main

import (
	"fmt"
	"sync"

	"sekisho/radius/radiustest"
)

// demoLines are the lines of the demo's router while they are up, and where
// that router takes CoA.
type demoLines struct {
	router *radiustest.Router
	told   chan demoTold

	mu     sync.Mutex
	users  map[string]string // by Acct-Session-Id
	filter map[string]string // likewise; empty: none
}

// demoTold is one request that came to the router.
type demoTold struct{ user, was, filter string }

func newDemoLines() (*demoLines, error) {
	l := &demoLines{told: make(chan demoTold, len(demoLogins)), users: map[string]string{}, filter: map[string]string{}}
	router, err := radiustest.NewRouter(demoNASSecret, l.answer)
	l.router = router
	return l, err
}

// open brings a line up and makes the attributes of its Accounting-Start.
func (l *demoLines) open(user, filter string) []radiustest.Attribute {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := fmt.Sprintf("%08X", 0x46505200+len(l.users))
	l.users[id], l.filter[id] = user, filter
	return []radiustest.Attribute{
		radiustest.Number(radiustest.AcctStatusType, 1),
		radiustest.Attr(radiustest.AcctSessionID, id),
		radiustest.Attr(radiustest.UserName, user),
	}
}

// answer does what a CoA says, as a router would: the line stays up.
func (l *demoLines) answer(r *radiustest.Request) [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := r.Value(radiustest.AcctSessionID)
	user, ok := l.users[id]
	if !ok || r.Code != radiustest.CoARequest {
		return [][]byte{r.NAK(503)}
	}
	told := demoTold{user, l.filter[id], r.Value(radiustest.FilterID)}
	l.filter[id] = told.filter
	select {
	case l.told <- told:
	default: // nobody watches any more
	}
	return [][]byte{r.ACK()}
}
