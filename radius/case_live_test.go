package radius_test

import (
	"testing"

	"sekisho/radius/radiustest"
	"sekisho/radius/session"
)

// routerName is how the router names itself in its packets.
const routerName = " 04 06 c0000201 "

// subject is u1@atson.net, which the policy blocks, and may be granted things.
func subject(s *setup) { s.subscribers = &granting{contracts: subscribers} }

// changes waits for as many requests to the router and returns the last,
// without its header.
func changes(s *site, router *radiustest.Router, count int) []byte {
	s.Helper()
	s.until("the router is told", func() bool { return len(router.Seen()) >= count })
	seen := router.Seen()
	last := seen[len(seen)-1]
	if len(seen) != count || last.Code != radiustest.CoARequest {
		s.Fatalf("the router got %d requests, want %d; the last %x", len(seen), count, last.Raw)
	}
	return last.Raw[20:]
}

// opened is the CoA-Request that opens the session: the names of router,
// session and user as the router sent them, when, and a filter that permits,
// not an empty list (RFC 5176 section 3.6, note 3).
const opened = routerName + "2c 04 'A1'" + user + "37 06 *4 0b 0b 'op25b-off'"

func TestCase39AGrantIsToldToTheLiveSession(t *testing.T) {
	t.Parallel()
	var live *session.Table
	var router *radiustest.Router
	s := start(t, subject, told(&router, &live))
	match(t, "Accept", attributesOf(s.exchange(s.nas, access(t, 1, user+routerName))), accepted)
	s.exchange(s.acct, accounting(t, 1, user+routerName+statusStart+sessionA))
	s.lives(live, "A1 198.51.100.1")
	s.grant("u1", 10)
	match(t, "CoA", changes(s, router, 1), opened)
	s.applied(live, "open", "acknowledged")
}

func TestCase42AGrantBetweenAcceptAndStart(t *testing.T) {
	t.Parallel()
	var live *session.Table
	var router *radiustest.Router
	s := start(t, subject, told(&router, &live))
	match(t, "Accept", attributesOf(s.exchange(s.nas, access(t, 1, user+routerName))), accepted)
	s.grant("u1", 10)
	s.quiet(s.nas)
	if n := len(router.Seen()); n != 0 {
		t.Errorf("%d requests about a session without a name", n)
	}
	s.exchange(s.acct, accounting(t, 1, user+routerName+statusStart+sessionA))
	match(t, "CoA", changes(s, router, 1), opened)
	s.applied(live, "open", "acknowledged")
}
