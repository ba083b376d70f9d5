package coa

import "testing"

// TestDisconnectNAKWithoutACauseIsNoLastWord differs from a CoA-NAK, which says
// that the router knows the session and takes none of it.
func TestDisconnectNAKWithoutACauseIsNoLastWord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply   Reply
		outcome Outcome
		text    string
	}{
		"no cause":      {Reply{Code: disconnectNAK}, Later, "Disconnect-NAK without Error-Cause"},
		"unknown cause": {Reply{Code: disconnectNAK, Cause: 999}, Refused, "Disconnect-NAK 999"},
		"404":           {Reply{Code: disconnectNAK, Cause: 404}, Refused, "Disconnect-NAK 404 Invalid-Request"},
		"of a CoA":      {Reply{Code: coaNAK}, Refused, "CoA-NAK without Error-Cause"},
	} {
		c.reply.Outcome = c.reply.meaning()
		if c.reply.Outcome != c.outcome || c.reply.String() != c.text {
			t.Errorf("%s: %s, %q", name, c.reply.Outcome, c.reply)
		}
	}
}
