package admin

import (
	"context"
	"net"
	"net/http"

	"sekisho/store"
)

// Caller is who asks, from where, and what they may do.
type Caller struct {
	Who  string // "alice (uid 1001)" or "token noc"
	From string // "socket" or an address
	Role Role
}

// by makes the caller the author of a change, for the audit.
func (c Caller) by() store.By { return store.By{Who: c.Who, From: c.From} }

// because is by with a reason, which is refused here if it cannot stand in the
// audit: before anything is changed.
func (c Caller) because(reason string) (store.By, error) {
	by := c.by()
	by.Why = reason
	return by, by.Check()
}

// Why is the reason of a change that need not have one. It is exported as huma
// wants of what is embedded.
type Why struct {
	Reason string `query:"reason" doc:"why, for the audit" example:"T-4711: moved to Osaka"`
}

type callerKey struct{}

// CallerFrom tells who asks, from the context of an operation. Without a caller
// it is nobody, who may do nothing.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// identify tells who asks. The problem says why somebody is not known; they
// may still ask what anybody may.
func (d *door) identify(r *http.Request) (Caller, *Problem) {
	if peer, ok := PeerFrom(r.Context()); ok {
		return Caller{Who: peer.String(), From: fromSocket, Role: d.access().RoleOf(peer)}, nil
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return Caller{From: r.RemoteAddr}, &Problem{Status: http.StatusForbidden, Detail: "the kernel does not say who asks"}
	}
	return d.bearer(r, host)
}

const fromSocket = "socket"
