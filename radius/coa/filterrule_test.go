package coa

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"sekisho/dict"
	"sekisho/radius"
	"sekisho/radius/radiustest"
	"sekisho/radius/session"
)

// TestCase52FilterRulesByCoA sends 600 octets of rules to a router, in pieces
// of 253, 253 and 94 octets in their order, and takes them away again with the
// value that Nokia's routers take for that: one zero octet.
func TestCase52FilterRulesByCoA(t *testing.T) {
	t.Parallel()
	rules := strings.Repeat("deny in 6 from any to any 25\x00", 21)[:600]
	p, errs := dict.CompileProfile(dict.Standard(), "test", dict.ProfileSpec{
		Actions: map[string]dict.Sayings{"open": {}, "block": {"NAS-Filter-Rule": {rules}}},
		CoA:     dict.CoASpec{Actions: map[string]dict.Sayings{"open": {"NAS-Filter-Rule": {"\x00"}}}},
	}, []dict.Action{{Name: "open"}, {Name: "block", Filter: "op25b"}})
	if errs != nil {
		t.Fatal(errs)
	}
	router, err := radiustest.NewRouter(nasSecret, acks)
	must(t, err)
	t.Cleanup(router.Close)
	client := NewClient(ClientOptions{})
	t.Cleanup(client.Close)
	r := Router{Name: "bras1", Profile: p, Dictionary: dict.Standard(), CoA: &NAS{Name: "bras1", Address: router.Addr, Secret: radius.NewSecret([]byte(nasSecret))}}
	s := &session.Session{ID: session.ID{NAS: "bras1", AcctSession: "0000001A"}}
	for i, action := range []string{"block", "open"} {
		request, err := r.compose(s, action)
		must(t, err)
		done := make(chan Reply, 1)
		must(t, client.Send(r.CoA, request, func(r Reply) { done <- r }))
		select {
		case reply := <-done:
			if reply.Outcome != Done {
				t.Fatal(reply)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("no answer")
		}
		got := router.Seen()[i]
		if !strings.HasPrefix(hex.EncodeToString(got.Raw[20:]), acct) {
			t.Errorf("%s: sent %x", action, got.Raw)
		}
		pieces := got.Values(92)
		if action == "open" {
			if len(pieces) != 1 || !bytes.Equal(pieces[0], []byte{0}) {
				t.Errorf("taken away with %x", pieces)
			}
			continue
		}
		if len(pieces) != 3 || len(pieces[0]) != 253 || len(pieces[1]) != 253 || len(pieces[2]) != 94 || string(bytes.Join(pieces, nil)) != rules {
			t.Errorf("%d pieces: %q", len(pieces), pieces)
		}
	}
}
