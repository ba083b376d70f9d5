// Package coa tells routers what sessions may do while they live: it sends
// CoA- and Disconnect-Requests (RFC 5176), understands what routers answer, and
// keeps what a router was told equal to what the policy wants, at a pace that
// the router can bear. It does not decide: that is asked of a Decider.
package coa

import (
	"cmp"
	"net/netip"
	"time"

	"sekisho/radius"
)

// Codes of dynamic authorization (RFC 5176 section 2.3).
const (
	disconnectRequest = 40
	disconnectACK     = 41
	disconnectNAK     = 42
	coaRequest        = 43
	coaACK            = 44
	coaNAK            = 45
)

// Attribute types that this package writes or reads itself.
const (
	typeUserName             = 1
	typeNASIPAddress         = 4
	typeFramedIPAddress      = 8
	typeReplyMessage         = 18
	typeVendorSpecific       = 26
	typeNASIdentifier        = 32
	typeProxyState           = 33
	typeAcctSessionID        = 44
	typeEventTimestamp       = 55
	typeMessageAuthenticator = 80
	typeNASIPv6Address       = 95
	typeFramedInterfaceID    = 96
	typeFramedIPv6Prefix     = 97
	typeErrorCause           = 101
	typeDelegatedIPv6Prefix  = 123
)

const (
	headerLen    = 20
	maxPacketLen = 4096
	attrMALen    = 18
)

// DefaultPort is where routers listen (RFC 5176 section 2.3).
const DefaultPort = 3799

// Defaults of what a NAS may leave at zero: a pace that no router in the field
// minds.
const (
	DefaultRate   = 20
	DefaultWindow = 10
)

// NAS is a router as it is told things.
type NAS struct {
	Name    string
	Address netip.AddrPort // where it takes CoAs
	Source  netip.Addr     // local address to send from; zero: the kernel's choice
	Secret  *radius.Secret
	Rate    float64 // requests a second, retransmissions not counted
	Window  int     // requests under way at once

	MessageAuthenticator bool // requests carry one; some routers NAK it with 401
	EventTimestamp       bool // likewise
}

func (n *NAS) withDefaults() *NAS {
	full := *n
	full.Rate = cmp.Or(full.Rate, DefaultRate)
	full.Window = cmp.Or(full.Window, DefaultWindow)
	return &full
}

// Clock is how time passes for timers. Tests have one of their own. The time
// that the policy is asked about is another: see Options.Clock of the Keeper.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in a goroutine of its own after d. The function that it
	// returns keeps f from being called, if it is not too late.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// WallClock is the real one.
type WallClock struct{}

// Now is time.Now.
func (WallClock) Now() time.Time { return time.Now() }

// AfterFunc is time.AfterFunc.
func (WallClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}
