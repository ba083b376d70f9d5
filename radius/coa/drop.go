package coa

// drop is why a datagram changes nothing.
type drop uint8

const (
	taken drop = iota
	dropMalformed
	dropCode
	dropUnmatched
	dropBadAuthenticator
	dropBadMessageAuthenticator
	dropUnknownAAA
	dropDuplicate
	dropStale
	dropNotReady
	drops
)

var dropNames = [drops]string{
	taken:                       "taken",
	dropMalformed:               "malformed",
	dropCode:                    "code",
	dropUnmatched:               "unmatched",
	dropBadAuthenticator:        "bad-authenticator",
	dropBadMessageAuthenticator: "bad-message-authenticator",
	dropUnknownAAA:              "unknown-aaa",
	dropDuplicate:               "duplicate",
	dropStale:                   "stale",
	dropNotReady:                "not-ready",
}

func (d drop) String() string { return dropNames[d] }

// Dropped counts the datagrams that were no answer to a request under way, by
// reason.
func (c *Client) Dropped() map[string]uint64 {
	counts := map[string]uint64{}
	for d := range c.dropped {
		if n := c.dropped[d].Load(); n > 0 {
			counts[drop(d).String()] = n
		}
	}
	return counts
}
