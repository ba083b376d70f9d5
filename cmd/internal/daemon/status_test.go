package daemon_test

import (
	"net/netip"
	"testing"
)

// TestStatusTellsEveryListener also of those where AAA servers send CoA.
func TestStatusTellsEveryListener(t *testing.T) {
	t.Parallel()
	quiet, all := open(t), open(t, `acct: "127.0.0.1:0"}`, `acct: "127.0.0.1:0", coa: "127.0.0.1:0"}`)
	if s, err := quiet.client.Status(t.Context()); err != nil || s.CoA != nil || len(s.Auth) != 1 || len(s.Acct) != 1 {
		t.Errorf("without coa: %v %v %v %v", s.Auth, s.Acct, s.CoA, err)
	}
	s, err := all.client.Status(t.Context())
	if err != nil || len(s.CoA) != 1 {
		t.Fatalf("got %v %v", s.CoA, err)
	}
	if at, err := netip.ParseAddrPort(s.CoA[0]); err != nil || at.Port() == 0 {
		t.Errorf("coa at %s %v", s.CoA[0], err)
	}
}
